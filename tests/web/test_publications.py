"""The archive and the feeds, read as strangers read them."""

import shutil
from pathlib import Path

import feedparser
import html5lib
import pytest

from flows.settings import Settings
from flows.web.archive import Archive
from tests.web.conftest import Web

ISSUE = "/issues/2026-08-20-daily/"


def test_an_issue_is_shown_as_it_was_sent(web: Web) -> None:
    folder = web.settings.issues_path / "2026-08-20-daily"
    assert web.get(ISSUE).content == (folder / "digest.html").read_bytes()
    assert web.get(f"{ISSUE}quality.html").content == (folder / "quality.html").read_bytes()
    text = web.get(f"{ISSUE}digest.txt")
    assert text.content == (folder / "digest.txt").read_bytes()
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert web.get(ISSUE[:-1]).headers["Location"] == ISSUE


def test_a_readers_copy_of_an_issue_has_a_page_of_its_own(web: Web) -> None:
    whole, chosen = web.get(ISSUE).text, web.get(f"{ISSUE}?include=robot*&upvotes_min=2").text
    assert "of 14 papers, by your topics: robot*; from 2 votes" in chosen
    assert "your topic: robot*" in chosen
    assert "Unsubscribe" not in chosen
    assert 0 < chosen.count("huggingface.co/papers/") < whole.count("huggingface.co/papers/")
    assert web.get(f"{ISSUE}?utm_source=mail").text == whole
    assert web.get(f"{ISSUE}?include=nothing+like+it").status_code == 404
    refused = web.get(f"{ISSUE}?include=(robot")
    assert (refused.status_code, "is none of them" in refused.text) == (400, True)


def test_an_issue_leads_on(web: Web) -> None:
    page = web.get(ISSUE).text
    for way in ("Get it by mail", "Issue before", "Issue after", "All issues", "Feed"):
        assert way in page
    assert web.get(f"{ISSUE}previous").headers["Location"] == "/issues/2026-08-19-daily/"
    assert web.get("/issues/2026-08-19-daily/next").headers["Location"] == ISSUE
    assert web.get(f"{ISSUE}next").headers["Location"] == "/issues/"
    assert web.get("/issues/2001-01-01-daily/next").status_code == 404


def test_the_archive_lists_a_year_at_a_time_the_newest_first(web: Web) -> None:
    newest, oldest = web.get("/issues/").text, web.get("/issues/?year=2025").text
    assert newest.index("2026-08-20-daily") < newest.index("2026-08-19-daily")
    assert "2025-12-31-daily" not in newest
    assert "2025-12-31-daily" in oldest
    assert "Robots That Fold-1, Long-Context Memory-2 and 12 more" in newest


def test_the_front_page_links_the_newest_issue(web: Web) -> None:
    text = web.get("/").text
    assert f'href="{ISSUE}"' in text
    assert "Thursday 20 August 2026" in text
    assert "14 papers · 4,223 votes" in text


def test_an_issue_that_cannot_be_read_is_left_out(tmp_path: Path, web_home: Path) -> None:
    settings = Settings(home=tmp_path)
    whole = Settings(home=web_home).issues_path / "2026-08-20-daily"
    for name in ("2026-08-20-daily", "2026-08-19-daily", ".2026-08-21-daily.new"):
        shutil.copytree(whole, settings.issues_path / name)
    shutil.copytree(whole, settings.issues_path / "2026-08-18-daily")
    archive = Archive(settings.issues_path)
    (settings.issues_path / "2026-08-19-daily" / "issue.json").write_text('{"subject": 1}')
    assert archive.names() == ["2026-08-20-daily", "2026-08-19-daily", "2026-08-18-daily"]
    assert len(archive.newest(5)) == len(archive.headlines("2026")) == 2
    assert not archive.headlines("2024")
    assert not Archive(tmp_path / "nowhere").names()


def test_the_atom_feed_is_one_that_readers_take(web: Web) -> None:
    answer = web.get("/feed.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert len(feed.entries) == 27
    entry = feed.entries[0]
    assert entry.link == f"{web.url}{ISSUE}"
    # The address of the pages may change, and an entry is known by this.
    assert entry.id == "tag:huggingface.co,2023:daily-papers/issues/2026-08-20-daily"
    assert entry.title.startswith("Daily Papers, 20 Aug: Robots That Fold-1")
    assert entry.updated == "2026-08-21T02:31:00+00:00"
    content = entry.content[0].value
    assert content.count("<li") == 14
    assert "&lt;b&gt;bold&lt;/b&gt; new line" in content
    assert "https://huggingface.co/papers/2608.02001" in content


def test_an_odd_title_is_the_same_in_both_feeds(web: Web) -> None:
    atom = feedparser.parse(web.get("/feed.atom").content).entries[0].content[0].value
    json = web.get("/feed.json").json()["items"][0]["content_html"]
    for body in (atom, json):
        assert "&lt;b&gt;bold&lt;/b&gt; new line &amp; 😀 $\\nabla$ مرحبا" in body


def test_the_json_feed_says_the_same(web: Web) -> None:
    answer = web.get("/feed.json")
    assert answer.headers["Content-Type"] == "application/feed+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    atom = feedparser.parse(web.get("/feed.atom").content)
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in atom.entries]
    assert [item["title"] for item in feed["items"]] == [entry.title for entry in atom.entries]
    assert {"url", "content_html", "date_published"} <= set(feed["items"][0])


@pytest.mark.parametrize("path", ["/", "/issues/", "/confirm/x", "/nowhere"])
def test_every_page_is_html_to_a_strict_reader(web: Web, path: str) -> None:
    html5lib.HTMLParser(strict=True).parse(web.get(path).text)
