"""The pages of lists, papers and people: what was published, in its order, and nothing else."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import duckdb
import feedparser
import html5lib
import pytest
from playwright.sync_api import Browser

from flows.newsletter.site import Site as Published
from flows.outcome import Outcome
from flows.publication.cards import cards
from flows.publication.published import opened
from flows.settings import Settings
from flows.web.exports import FORMATS, Export, export
from tests.support import browser
from tests.support.browser import violations
from tests.support.site import Site, serving, text_of

THURSDAY = "2026-08-13"
READ = ("2026-08-13 08:00", "2026-08-14 02:31")


def _published(home: Path, query: str) -> list[str]:
    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def _ids(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/papers/([^"/]+)"', page)


def test_a_day_shows_every_paper_in_the_hubs_order_with_its_verdict(home: Path, site: Site) -> None:
    page = site.get(f"/papers/date/{THURSDAY}").text

    expected = _published(
        home,
        f"select paper_id from marts.listings where list_date = '{THURSDAY}' order by list_rank",
    )
    assert len(expected) == 6
    assert _ids(page) == expected
    assert "Complete. It is complete." in text_of(page)
    assert 'href="/papers/date/2026-08-12"' in page
    assert 'href="/papers/date/2026-08-14"' in page


def test_a_list_can_be_seen_as_an_earlier_reading_had_it(home: Path, site: Site) -> None:
    now = site.get(f"/papers/date/{THURSDAY}").text
    then = site.get(f"/papers/date/{THURSDAY}", params={"as_of": "2026-08-13T12:00Z"}).text

    expected = _published(
        home,
        f"""select paper_id from marts.paper_readings
        where list_date = '{THURSDAY}' and read_at = '{READ[0]}:00+00' order by list_rank""",
    )
    assert _ids(then) == expected
    assert "Partial. It is partial." in text_of(then)
    assert "As known at 13 Aug 08:00 UTC" in text_of(then)
    votes = [int(n) for n in re.findall(r'"votes">▲&nbsp;([0-9]+)', now)]
    assert votes != [int(n) for n in re.findall(r'"votes">▲&nbsp;([0-9]+)', then)]
    assert now.count("as_of=") == 2


def test_the_newest_list_and_what_trended_can_be_seen_as_of_then(home: Path, site: Site) -> None:
    at = "?as_of=2026-08-13T12:00Z"
    newest = site.get(f"/papers{at}").text
    assert _ids(newest) == _ids(site.get(f"/papers/date/{THURSDAY}{at}").text)
    assert "As known at 13 Aug 08:00 UTC" in text_of(newest)
    trended = site.get(f"/papers/trending{at}").text
    assert _ids(trended) == _published(
        home,
        "select paper_id from marts.trending_papers where as_of_date = '2026-08-12'"
        " order by trending_rank",
    )
    assert "As of Wednesday 12 August 2026" in text_of(trended)
    assert _ids(trended) != _ids(site.get("/papers/trending").text)
    week = site.get(f"/papers/week/2026-W33{at}").text
    assert sorted(_ids(week)) == _published(
        home,
        "select distinct paper_id from marts.paper_readings"
        " where (list_date < '2026-08-13'"
        " and read_at > (list_date + interval 1 day) at time zone 'UTC')"
        f" or (list_date = '{THURSDAY}' and read_at = '{READ[0]}:00+00') order by paper_id",
    )
    votes = [int(n) for n in re.findall(r'"votes">▲&nbsp;([0-9]+)', week)]
    assert votes == sorted(votes, reverse=True)
    assert "As known at 13 Aug 08:00 UTC" in text_of(week)
    assert _ids(site.get(f"/papers/month/2026-08{at}").text) == _ids(week)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/papers/date/2026-08-16", 200, "the Hub makes none on Sundays."),
        ("/papers/date/2026-08-12?as_of=2026-08-01T00:00Z", 404, "Nothing was known of"),
        ("/papers/date/2099-01-01", 404, "is not open yet."),
        ("/papers/date/9999-12-24", 404, "is not open yet."),
        ("/papers/date/9999-11-30", 404, "is not open yet."),
        ("/papers/date/0001-01-01", 404, "The Hub's lists begin on"),
        ("/papers/date/2022-01-03", 404, "The Hub's lists begin on"),
        ("/papers/date/2026-08-03", 404, "has not been read."),
        ("/papers/date/2026-02-30", 400, "is no date; write it as 2026-08-20."),
        ("/papers/date/2026-08-13?as_of=noon", 400, "is no time; write it as"),
        ("/papers/week/2026-W60", 400, "There is no week 2026-W60."),
        ("/papers/month/2026-13", 400, "There is no month 2026-13."),
        ("/papers/week/2026-W02", 404, "No day of 2026-W02 was ever read."),
        ("/papers/1234.56789", 404, "was on no list that was read"),
        ("/papers/%00", 404, "was on no list that was read"),
        ("/keywords/no%20such%20keyword", 404, "No paper is known of “no such keyword”."),
        ("/organizations/%3Cscript%3E", 404, "No paper is known of “<script>”."),
        ("/submitters/x?p=-1", 400, "pages are counted from 0."),
        ("/papers/search?q=%E2%80%A6", 200, "There is no word here that tells one paper"),
        ("/papers/search?q=agents&since=soon", 400, "since is no date"),
        ("/papers/search?q=agents&upvotes_min=many", 400, "upvotes_min is no number."),
        ("/papers/search?q=agents&sort=random", 400, "sort is one of best, newest, votes."),
        ("/papers/search?q=agents&p=50", 404, "There is no page 50 of these papers."),
        ("/papers/search?organization=google", 200, "Say what to look for; the filters then"),
        ("/papers/search?q=agents&since=2026-09-01&until=2026-08-01", 200, "is after until"),
        ("/papers/date/9999-12-31", 404, "is not open yet."),
        ("/papers/date/2026-08-03.atom", 404, "has not been read."),
        ("/papers/date/2026-13-01", 400, "The address cannot be read"),
        ("/papers?as_of=2026-08-01T12:00Z", 404, "No list is published yet at 2026-08-01 12:00"),
        ("/papers/week/2026-W33?as_of=2026-08-01T12:00Z", 404, "was read by 2026-08-01 12:00 UTC"),
        ("/papers/trending?as_of=2026-08-01T12:00Z", 200, "Nothing trends yet"),
        ("/papers/trending.atom?as_of=2026-08-01T12:00Z", 200, "Trending papers"),
        ("/papers/2608.00001?as_of=2026-08-13T12:00Z", 400, "as_of is for lists"),
        ("/sitemap/2026-13.xml", 404, "There is no such sitemap."),
    ],
)
def test_what_cannot_be_shown_is_one_sentence_with_its_status(
    site: Site, path: str, status: int, sentence: str
) -> None:
    answer = site.get(path)

    assert answer.status_code == status
    assert sentence in text_of(answer.text)
    assert "<script>" not in answer.text


def test_the_front_page_is_the_newest_complete_list_below_the_form(site: Site) -> None:
    page = site.get("/").text
    assert _ids(page) == _ids(site.get("/papers/date/2026-08-14").text)
    assert page.index('name="address"') < page.index('class="card"')
    assert "Complete. It is complete." in text_of(page)


def test_the_checks_of_a_list_lead_to_what_was_checked(
    complete_day: Outcome, own_home: Path
) -> None:
    with serving(Settings(home=own_home)) as site:
        for page in ("/", "/papers", "/papers/date/2026-08-20"):
            found = re.search(r'<a href="(/issues/[^"]+)">(\d+ checks passed)', site.get(page).text)
            assert found, page
            assert found[2] in text_of(site.get(found[1]).text)


def test_each_page_names_its_own_feeds_and_what_it_is(site: Site) -> None:
    for path, title in (
        ("papers/date/2026-08-13", "Papers of Thursday 13 August 2026"),
        ("papers/week/2026-W33", "Papers of "),
        ("papers/month/2026-08", "Papers of August 2026"),
        ("papers/trending", "Trending papers on "),
        ("papers/search?q=memory", "Papers about memory"),
    ):
        head = site.get(f"/{path}").text.partition("</head>")[0]
        place, _, query = path.partition("?")
        query = f"?{query}" if query else ""
        assert f'href="/{place}.atom{query}" type="application/atom+xml"' in head
        assert f'href="/{place}.json{query}" type="application/feed+json"' in head
        assert f'property="og:title" content="{title}' in head
        assert f'property="og:url" content="http://localhost:8080/{place}{query}"' in head
        assert site.get(f"/{place}.atom{query}").status_code == 200


def test_a_search_page_finds_by_meaning_or_says_that_it_does_not(home: Path, site: Site) -> None:
    assert "Searched by words alone" not in site.get("/papers/search?q=robot+hands").text
    with serving(Settings(home=home, embedding_model="none")) as plain:
        assert "Searched by words alone" in plain.get("/papers/search?q=robot+hands").text


def test_the_sitemap_leads_to_every_list_and_paper_and_to_nobodys_own_page(
    home: Path, site: Site
) -> None:
    def places(path: str) -> list[str]:
        tree = ET.fromstring(site.get(path).content)  # noqa: S314  our own
        return [each.text or "" for each in tree.iter() if each.tag.endswith("}loc")]

    root = "http://localhost:8080"
    parts = places("/sitemap.xml")
    assert parts == [f"{root}/sitemap/lists.xml", f"{root}/sitemap/2026-08.xml"]
    found = [each for part in parts for each in places(part.removeprefix(root))]
    papers = _published(home, "select paper_id from marts.papers")
    assert {f"{root}/papers/{paper}" for paper in papers} < set(found)
    assert f"{root}/papers/date/{THURSDAY}" in found
    assert f"{root}/papers/week/2026-W33" in found
    for place in found:
        answer = site.get(place.removeprefix(root) or "/")
        assert answer.status_code == 200, place
        assert 'content="noindex"' not in answer.text, place
    robots = site.get("/robots.txt").text
    assert "Disallow: /preferences/" in robots
    assert f"Sitemap: {root}/sitemap.xml" in robots
    assert site.get("/sitemap/2031-01.xml").status_code == 404


def test_the_newest_list_is_at_papers_and_the_week_and_month_have_each_paper_once(
    home: Path, site: Site
) -> None:
    newest = _ids(site.get("/papers").text)
    week = _ids(site.get("/papers/week/2026-W33").text)
    month = _ids(site.get("/papers/month/2026-08").text)

    assert newest == _ids(site.get("/papers/date/2026-08-14").text)
    assert week == _published(
        home,
        "select paper_id from marts.weekly_digest_papers"
        " where digest_date = '2026-08-16' order by digest_rank",
    )
    assert set(month) == set(week) >= set(newest)
    assert len(week) == len(set(week))


def test_trending_stands_in_the_order_of_its_rule_and_shows_its_points(
    home: Path, site: Site
) -> None:
    page = site.get("/papers/trending").text
    points = _published(
        home,
        "select format('{:.1f} points = ({:.1f} for votes + {:.1f} for comments', score,"
        " votes_score, comments_score) from marts.trending_papers"
        " where as_of_date = (select max(as_of_date) from marts.trending_papers)"
        " order by trending_rank",
    )
    assert (
        re.findall(r"[0-9.]+ points = \([0-9.]+ for votes \+ [0-9.]+ for comments", page) == points
    )
    assert _ids(page) == _published(
        home,
        "select paper_id from marts.trending_papers"
        " where as_of_date = (select max(as_of_date) from marts.trending_papers)"
        " order by trending_rank",
    )


def test_a_paper_shows_its_people_lists_votes_and_ways_to_cite_it(home: Path, site: Site) -> None:
    (paper_id,) = _published(
        home,
        f"select paper_id from marts.listings where list_date = '{THURSDAY}' and list_rank = 1",
    )
    names = _published(
        home,
        f"""select author_name from marts.paper_authors
        where paper_id = '{paper_id}' and not is_hidden order by author_position""",
    )
    page = site.get(f"/papers/{paper_id}").text

    text = text_of(page)
    assert [name for name in names if name not in text] == []
    assert "Thursday 13 August 2026 , no. 1, with" in text
    assert "2 readings; the last one at 14 Aug 02:31 UTC" in text
    assert page.count("<circle") == 2
    assert page.count('name="citation_author"') == len(names)
    assert site.get(f"/papers/{paper_id}v2").status_code == 200


@pytest.mark.parametrize("kind", ["organizations", "submitters", "keywords", "authors"])
def test_the_papers_of_a_name_are_those_that_have_it(home: Path, site: Site, kind: str) -> None:
    column, table = {
        "organizations": ("organization_name", "marts.papers"),
        "submitters": ("submitted_by", "(from marts.listings where not is_removed)"),
        "keywords": ("unnest(ai_keywords)", "marts.papers"),
        "authors": ("author_name", "marts.paper_authors"),
    }[kind]
    (name,) = _published(
        home,
        f"""select name from (select distinct paper_id, {column} as name from {table})
        where name is not null group by name order by count(*) desc, name limit 1""",
    )
    expected = _published(
        home,
        f"""select distinct paper_id from (select paper_id, {column} as name from {table})
        where name = '{name.replace("'", "''")}'""",
    )
    page = site.get(f"/{kind}/{name.replace('/', '%2F')}").text

    assert sorted(_ids(page)) == sorted(expected)


def test_who_submitted_only_what_was_taken_off_again_has_a_page_that_says_so(
    home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path / "copy", symlinks=True)
    with duckdb.connect(str(tmp_path / "copy" / "published" / "papers.duckdb")) as published:
        (name,) = published.execute(
            "update marts.listings set is_removed = true where submitted_by ="
            " (select min(submitted_by) from marts.listings) returning submitted_by"
        ).fetchall()[0]
    with serving(Settings(home=tmp_path / "copy")) as running:
        page = running.get(f"/submitters/{name}")
        assert page.status_code == 200
        said = f"Each paper that {name} submitted was taken off its list again."
        assert said in text_of(page.text)
        assert _ids(page.text) == []
        assert running.get(f"/submitters/{name}.atom").status_code == 200
        assert running.get("/submitters/nobody-at-all").status_code == 404


def test_search_finds_a_title_marks_what_it_found_and_keeps_the_question_in_its_links(
    home: Path, site: Site
) -> None:
    (title,) = _published(home, "select title from marts.papers order by paper_id limit 1")
    page = site.get("/papers/search", params={"q": title, "upvotes_min": "0"}).text
    newest = site.get("/papers/search", params={"q": title, "sort": "newest"}).text

    assert title in text_of(page.partition("</h2>")[0])
    assert "<mark>" in page
    assert "sort=newest" in page
    days = [
        _published(home, f"select last_listed_on from marts.papers where paper_id = '{each}'")[0]
        for each in _ids(newest)
    ]
    assert days == sorted(days, reverse=True)
    assert "Nothing was found." in site.get("/papers/search?q=xylophonist").text


def test_every_form_of_a_list_holds_its_papers_in_its_order(site: Site) -> None:
    address = f"/papers/date/{THURSDAY}"
    ids = _ids(site.get(address).text)
    given = {name: site.get(f"{address}.{name}") for name in FORMATS}

    assert [answer.status_code for answer in given.values()] == [200] * len(FORMATS)
    atom = feedparser.parse(given["atom"].content)
    assert not atom.bozo
    assert [entry.link.rpartition("/")[2] for entry in atom.entries] == ids
    assert [item["url"].rpartition("/")[2] for item in given["json"].json()["items"]] == ids
    assert re.findall(r"eprint = \{(.+)\}", given["bib"].text) == ids
    assert re.findall(r"^AN  - arXiv:(.+)\r$", given["ris"].text, re.MULTILINE) == ids
    assert [entry["number"] for entry in json.loads(given["csl"].text)] == ids


def test_a_citation_has_names_in_parts_latex_as_text_and_says_what_was_withdrawn(
    home: Path,
) -> None:
    (paper_id,) = _published(home, "select min(paper_id) from marts.papers")
    with opened(home / "published" / "papers.duckdb") as connection:
        (card,) = cards(connection, "select $id as paper_id, 1 as rank", {"id": paper_id})
    odd = replace(
        card,
        title=r"On <think> \& {\'A}vila, { alone",
        author_names=("Ada King Lovelace", r"Phuong Nguy{\~e}n", "Plato"),
        is_withdrawn=True,
    )
    exported = Export("papers/x", "x", (odd,))
    given = {
        name: export(exported, name, Published("https://papers.example.org"))[0].decode()
        for name in FORMATS
    }
    assert (
        "{On \\textless{}think\\textgreater{} \\& Ávila, \\textbraceleft{} alone}" in given["bib"]
    )
    assert given["bib"].count("{") == given["bib"].count("}"), "as BibTeX counts them"
    assert "## On &lt;think> " in given["md"]
    assert "author = {Ada King Lovelace and Phuong Nguyẽn and Plato}" in given["bib"]
    assert "AU  - Lovelace, Ada King\r\n" in given["ris"]
    assert "AU  - Plato\r\n" in given["ris"]
    assert json.loads(given["csl"])[0]["author"][1:] == [
        {"family": "Nguyẽn", "given": "Phuong"},
        {"literal": "Plato"},
    ]
    assert all("ithdrawn" in told for told in given.values())


def test_a_feed_leads_to_itself_and_is_no_other_feed(site: Site) -> None:
    at = "as_of=2026-08-13T12%3A00Z"
    ids = set()
    for page in (
        *("/papers", f"/papers/date/{THURSDAY}", f"/papers/date/{THURSDAY}?{at}"),
        *("/papers/search?q=memory", "/papers/search?q=agents+%26+memory&sort=votes"),
    ):
        place, _, query = page.partition("?")
        own = f"{place}.atom?{query}" if query else f"{place}.atom"
        feed = feedparser.parse(site.get(own).content).feed
        links = {link.rel: link.href for link in feed.links}
        assert links == {
            "self": f"http://localhost:8080{own}",
            "alternate": f"http://localhost:8080{page}",
        }
        told = site.get(own.replace(".atom", ".json")).json()
        assert told["feed_url"] == links["self"].replace(".atom", ".json")
        assert told["home_page_url"] == links["alternate"]
        ids.add(feed.id)
    assert len(ids) == 5


def test_what_is_cited_is_what_the_page_shows(home: Path, site: Site) -> None:
    then = f"/papers/date/{THURSDAY}", "?as_of=2026-08-13T08:00Z"  # the minute, as the page has it
    newest = "/papers/search", "?q=agents&sort=newest"
    for place, query in (then, newest):
        page, cited = site.get(f"{place}{query}"), site.get(f"{place}.bib{query}")
        ids = re.findall(r"eprint = \{(.+)\}", cited.text)
        assert ids[: len(_ids(page.text))] == _ids(page.text)
    assert _ids(site.get("".join(then)).text) != _ids(site.get(then[0]).text)
    fed = site.get("/papers/search.json?q=agents").json()["items"]
    listed = [_published(home, _LISTED.format(item["url"].rpartition("/")[2]))[0] for item in fed]
    assert listed == sorted(listed, reverse=True)  # who follows a search waits for what is new


_LISTED = "select last_listed_on from marts.papers where paper_id = '{}'"


def test_a_date_without_a_list_has_a_feed_without_entries(site: Site) -> None:
    answer = site.get("/papers/date/2026-08-16.atom")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    assert feedparser.parse(answer.content).entries == []


def test_ids_in_feeds_do_not_change_with_the_address_of_the_site(home: Path) -> None:
    found = []
    for url in ("http://localhost:8080", "https://papers.example.org"):
        with serving(Settings(home=home, public_url=url)) as client:
            feed = ET.fromstring(client.get("/papers/trending.atom").content)  # noqa: S314
            found.append([each.text for each in feed.iter("{http://www.w3.org/2005/Atom}id")])

    assert found[0] == found[1]
    assert len(found[0]) > 1


def _paths(home: Path) -> list[str]:
    (paper_id,) = _published(home, "select min(paper_id) from marts.papers")
    (organization,) = _published(home, "select max(organization_name) from marts.papers")
    return [
        *("/papers", f"/papers/date/{THURSDAY}?as_of=2026-08-13T12:00Z"),
        *("/papers/date/2026-08-16", "/papers/week/2026-W33", "/papers/trending", "/insights"),
        *(f"/papers/{paper_id}", f"/organizations/{organization}", "/papers/search"),
        "/papers/search?q=agents",
    ]


def test_every_page_is_valid_html_that_loads_nothing_from_elsewhere(home: Path, site: Site) -> None:
    for path in _paths(home):
        answer = site.get(path)
        html5lib.HTMLParser(strict=True).parse(answer.text)
        loaded = re.findall(r'(?:src|<link[^>]+href)="([^"]+)"', answer.text)
        assert [url for url in loaded if "://" in url] == []
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_every_link_between_the_pages_leads_somewhere(home: Path, site: Site) -> None:
    waiting, seen = ["/", *_paths(home)], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen or path.endswith(tuple(f".{each}" for each in FORMATS)):
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status_code == 200, path
        if "html" in answer.headers["Content-Type"]:
            links = re.findall(r'href="([^"#]+)', answer.text)
            waiting += [
                unescape(each).removeprefix(site.url)
                for each in links
                if each.startswith(("/", site.url))
            ]
    assert len(seen) > 40


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def test_axe_finds_nothing_and_nothing_runs_out_of_the_window(
    home: Path, site: Site, chromium: Browser
) -> None:
    page = chromium.new_page()
    found = []
    for path in _paths(home):
        page.goto(f"{site.url}{path}")
        found += violations(page, path)
    page.close()

    assert found == []


def test_what_agents_are_told_leads_somewhere(site: Site) -> None:
    said = site.get("/llms.txt")
    assert said.headers["Content-Type"] == "text/plain; charset=utf-8"
    links = re.findall(r"\]\(([^)]+)\)", said.text)
    assert len(links) >= 8
    for link in links:
        status = site.get(urlsplit(link)._replace(scheme="", netloc="").geturl()).status_code
        # of the dates that stand for any other, not all were read here
        assert status == 200 or (
            status == 404 and re.search(r"/(date|week|month)/|[?]date=", link)
        ), link
