import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.newsletter.digest import Digest, DigestPaper, Edition, Section
from flows.newsletter.render import (
    FULL_COUNT,
    HEADINGS,
    ReaderLinks,
    Rendering,
    personal,
    public,
    render,
)
from flows.newsletter.site import Site

Papers = Callable[..., DigestPaper]
Digests = Callable[..., Digest]
Renderings = Callable[..., Rendering]
PAPER_LINK = re.compile(r"https://huggingface\.co/papers/([\d.]+)")
ANY_TEXT = st.text(st.characters(), max_size=300)


def words(html: str) -> str:
    """What a reader sees of it, in one line."""
    page = html.replace("</p>", " </p>")
    body = html5lib.HTMLParser(strict=True).parse(page).find(".//{*}body")
    return " ".join("".join(body.itertext()).replace("\u034f", "").split())


def test_the_subject_names_two_papers_and_counts_the_others(rendered: Renderings) -> None:
    rendering = rendered(count=43)
    assert rendering.subject == "Daily Papers, 20 Aug: Tidepool1, Tidepool2 and 41 more"
    assert rendering.preheader.startswith("Tidepool3, Tidepool4, Tidepool5. 43 papers")


@pytest.mark.parametrize(
    ("count", "names"), [(1, "Tidepool1"), (2, "Tidepool1 and Tidepool2")], ids=["one", "two"]
)
def test_the_subject_of_a_small_day_names_all(rendered: Renderings, count: int, names: str) -> None:
    assert rendered(count=count).subject == f"Daily Papers, 20 Aug: {names}"


def test_a_withdrawn_paper_does_not_lead_the_subject(rendered: Renderings, paper: Papers) -> None:
    rendering = rendered(paper(1, is_withdrawn=True), paper(2), paper(3))
    assert rendering.subject == "Daily Papers, 20 Aug: Tidepool2, Tidepool3 and 1 more"
    assert "Withdrawn" in words(rendering.html)
    assert "WITHDRAWN" in rendering.text


def test_a_paper_shows_all_that_is_known_of_it(rendered: Renderings, paper: Papers) -> None:
    rendering = rendered(paper(why_here="+61 votes since morning"))
    assert (
        "▲ 199 Institute of Tides · 2 authors · arXiv 19 Aug · 2 comments · code ★ 1.2k · project "
        "· submitted by Ana Lindqvist A tide of small models, each learning from the last. "
        "+61 votes since morning"
    ) in words(rendering.html)
    for part in (rendering.html, rendering.text):
        assert "1 paper · 199 votes · 1 with code" in part
        assert "https://huggingface.co/papers/2608.10001" in part
        assert "https://arxiv.org/abs/2608.10001" in part
        assert "https://github.com/tides/pool" in part
    assert 'href="https://tides.example.org/pool?a=1&amp;b=2"' in rendering.html
    assert "project: https://tides.example.org/pool?a=1&b=2\n" in rendering.text


def test_a_missing_part_leaves_no_hole(rendered: Renderings, paper: Papers) -> None:
    bare = DigestPaper("2608.00001", 1, "Bare", "", 0, 0)
    rendering = rendered(bare)
    assert "1 paper · 0 votes" in rendering.text
    assert "▲ 0 arXiv 1 of 1 paper" in words(rendering.html)
    for part in (words(rendering.html), rendering.text):
        assert "None" not in part
        assert "· ·" not in part
    assert "<p" not in re.sub(r"<p[^>]*>\s*\S", "", rendering.html)  # no empty paragraph
    assert "\n\n\n" not in rendering.text


@pytest.mark.parametrize(
    ("given_parts", "shown", "not_shown"),
    [
        ({"author_names": ("Ana Lindqvist",), "author_count": 1}, "Tides · Ana Lindqvist ·", "1 a"),
        ({"author_names": (), "author_count": 3303}, "3,303 authors", "None"),
        ({"organization_name": None}, "▲ 199 2 authors", "Institute"),
        ({"comments_count": 1}, "1 comment ·", "1 comments"),
        ({"comments_count": 0}, "19 Aug · code", "comment"),
        ({"published_on": date(2025, 8, 19)}, "arXiv 19 Aug 2025", "None"),
        ({"github_stars_count": None}, "code ·", "★"),
        ({"github_url": None}, "2 comments · project", "★"),
        ({"ai_summary": None}, "We teach small models by the sea.", "A tide"),
    ],
)
def test_each_part_stands_or_falls_alone(
    rendered: Renderings, paper: Papers, given_parts: dict[str, object], shown: str, not_shown: str
) -> None:
    rendering = rendered(paper(**given_parts))
    seen = words(rendering.html)
    assert shown in seen
    assert not_shown not in seen.partition("▲")[2].partition("of 1 paper")[0]


@pytest.mark.parametrize("field", ["github_url", "project_url"])
@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.org/a\nb", "not a link"])
def test_a_bad_link_is_dropped_and_the_paper_kept(
    rendered: Renderings, paper: Papers, field: str, url: str
) -> None:
    rendering = rendered(paper(**{field: url}))
    for part in (rendering.html, rendering.text):
        assert url not in part
        assert "javascript" not in part
        assert "2608.10001" in part


def test_foreign_markup_stays_text(rendered: Renderings, paper: Papers) -> None:
    title = 'Do LLMs <think>?\n  "A" & <script>alert(1)</script> &amp; $\\nabla^2$'
    rendering = rendered(paper(title=title, submitted_by="<img src=x>"))
    line = 'Do LLMs <think>? "A" & <script>alert(1)</script> &amp; $\\nabla^2$'
    assert line in words(rendering.html)
    assert "<script" not in rendering.html
    assert "<think" not in rendering.html
    assert "<img" not in rendering.html
    assert "submitted by <img src=x>" in rendering.text
    assert "\n" not in rendering.subject


def test_the_footer_proves_the_data(rendered: Renderings) -> None:
    rendering = rendered(count=43, warnings=("Fewer code links than usual.",))
    proof = "43 of 43 papers, read 21 Aug 02:31 UTC · 31 checks passed, 1 warning"
    assert f"{proof} (report)" in words(rendering.html)
    assert proof in rendering.text
    assert "https://papers.example.org/issues/2026-08-20-daily/quality.html" in rendering.text
    calm = rendered(count=43)
    assert "32 checks passed (report)" in words(calm.html)


def test_both_parts_show_every_paper_of_a_day_of_137(digest: Digests, site: Site) -> None:
    day = digest(count=137)
    rendering = render(day, site)
    ids = [paper.paper_id for paper in day.papers]
    assert PAPER_LINK.findall(rendering.html) == ids
    assert PAPER_LINK.findall(rendering.text) == ids
    assert len(rendering.html.encode()) < 100_000


@pytest.mark.parametrize(
    ("count", "title"),
    [(137, "Tides & “waves” "), (137, "潮汐モデル "), (500, "🌊"), (500, "&<>" * 6)],
)
def test_a_day_of_any_size_stays_below_the_limit_and_links_to_the_rest(
    rendered: Renderings, paper: Papers, links: ReaderLinks, count: int, title: str
) -> None:
    papers = [paper(rank, title=(title * 200)[:200]) for rank in range(1, count + 1)]
    rendering = personal(rendered(*papers), links)
    shown = PAPER_LINK.findall(rendering.html)
    assert len(rendering.html.encode()) < 100_000
    assert len(shown) > 40
    assert PAPER_LINK.findall(rendering.text) == shown
    hidden = count - len(shown)
    if hidden:
        more = f"{hidden} more papers in the browser"
        assert 'href="https://papers.example.org/issues/2026-08-20-daily/"' in rendering.html
        assert more in words(rendering.html)
        assert more in rendering.text


def test_the_mail_of_a_week_is_ten_cards_and_fifteen_lines(digest: Digests, site: Site) -> None:
    week = replace(digest(count=133), edition="weekly")
    mail, page = render(week, site), render(week, site, limit_bytes=None)
    assert "108 more papers in the browser" in mail.html
    assert mail.text.count("huggingface.co/papers/") == 25
    assert page.text.count("huggingface.co/papers/") == 133


def test_the_page_behind_the_link_to_the_rest_shows_all(digest: Digests, site: Site) -> None:
    page = public(render(digest(count=500), site, limit_bytes=None))
    assert len(set(PAPER_LINK.findall(page.html))) == 500
    assert "more paper" not in page.html


def test_in_the_text_no_line_begins_with_a_dot_and_short_facts_stay_whole(
    digest: Digests, site: Site
) -> None:
    lines = [
        line.strip() for line in render(digest(count=137), site, limit_bytes=None).text.splitlines()
    ]
    assert [line for line in lines if line.startswith("·")] == []
    assert sum(line.endswith(" ·") for line in lines) > 5, "some are longer than a line"
    assert [line for line in lines if re.fullmatch(r"(comments?|authors?)( ·.*)?", line)] == []


def test_same_digest_same_bytes(rendered: Renderings) -> None:
    assert rendered(count=20) == rendered(count=20)


def test_a_digest_without_papers_is_no_issue(rendered: Renderings) -> None:
    with pytest.raises(ValueError, match="2026-08-20: a digest without papers is not an issue"):
        rendered()


def test_a_reader_gets_own_links_and_the_archive_none(
    rendered: Renderings, links: ReaderLinks
) -> None:
    rendering = rendered(count=3)
    own, archived = personal(rendering, links), public(rendering)
    assert 'href="https://papers.example.org/unsubscribe/a.b?x=1&amp;y=2"' in own.html
    assert f"Unsubscribe: {links.unsubscribe_url}\n" in own.text
    assert "Unsubscribe" not in archived.html + archived.text
    assert "preferences" not in archived.html + archived.text
    assert "(report) Get it by mail · Issue before" in words(archived.html)
    assert "Issue before" not in own.html + own.text
    assert "View in browser · Feed" in words(own.html)
    for copy in (own, archived):
        assert not re.search("[\ue000-\uf8ff]", copy.html + copy.text)
        assert "https://papers.example.org/feed.atom" in copy.text


def test_links_lead_to_the_site_and_the_hub_that_are_set(digest: Digests) -> None:
    site = Site("http://127.0.0.1:8000/", hub_url="http://127.0.0.1:9000/")
    rendering = render(digest(count=1), site)
    assert "http://127.0.0.1:9000/papers/2608.10001" in rendering.text
    assert "http://127.0.0.1:8000/issues/2026-08-20-daily/\n" in rendering.text


@pytest.mark.parametrize(
    ("edition", "day", "when", "dateline"),
    [
        ("weekly", date(2026, 8, 16), "week 33", "Week 33, 10 to 16 August 2026"),
        ("weekly", date(2026, 8, 2), "week 31", "Week 31, 27 July to 2 August 2026"),
        ("weekly", date(2027, 1, 3), "week 53", "Week 53, 28 December 2026 to 3 January 2027"),
        ("monthly", date(2026, 8, 31), "August 2026", "August 2026"),
    ],
)
def test_another_edition_says_so(
    digest: Digests, site: Site, edition: Edition, day: date, when: str, dateline: str
) -> None:
    rendering = public(render(replace(digest(count=1), edition=edition, issue_date=day), site))
    assert rendering.subject.startswith(f"Daily Papers {edition}, {when}: ")
    assert rendering.text.startswith(f"DAILY PAPERS {edition.upper()}, {dateline}\n")
    assert dateline in words(rendering.html)
    assert f"/issues/{day}-{edition}/" in rendering.html
    assert f"/issues/{day}-{edition}/quality.html" in rendering.text


def test_news_of_earlier_papers_stands_after_the_list_in_both_parts(
    digest: Digests, paper: Papers, site: Site
) -> None:
    hostile = 'since our issue of 13 Aug: the title was “<script>alert("x")</script>”'
    news = (
        Section("late_bloomers", (paper(1, paper_id="2607.00001", why_here="+90 votes"),)),
        Section("now_has_code", (paper(1, paper_id="2607.00002", why_here="repository added"),)),
        Section("corrections", (
            paper(1, paper_id="2607.00003", why_here=hostile, is_withdrawn=True),
        )),
    )  # fmt: skip
    plain, told = digest(count=12), replace(digest(count=12), sections=news)
    rendering = render(told, site)
    shown = words(rendering.html).removeprefix(" ".join(rendering.preheader.split()))
    order = [
        "Also listed", "Took off since we listed them", "+90 votes", "Now has code",
        "repository added", "Corrected or withdrawn", "Withdrawn", "since our issue of 13 Aug",
    ]  # fmt: skip
    places = [shown.index(each) for each in order]
    assert places == sorted(places)
    assert "<script" not in rendering.html
    assert PAPER_LINK.findall(rendering.text) == PAPER_LINK.findall(rendering.html)
    assert PAPER_LINK.findall(rendering.html)[12:] == ["2607.00001", "2607.00002", "2607.00003"]
    assert rendering.subject == f"{render(plain, site).subject}; news of 3"
    assert rendering.preheader.startswith(render(plain, site).preheader)
    for heading in ("Took off since we listed them", "Now has code"):
        assert f"{heading}: Tidepool1" in rendering.preheader
    without = render(plain, site)
    for heading in HEADINGS.values():
        assert heading not in words(without.html)
        assert heading.upper() not in without.text


def test_the_longest_sections_leave_room_for_the_issue(
    digest: Digests, paper: Papers, site: Site
) -> None:
    long = paper(1, title="Long and “quoted” " * 28, why_here="was “Long and quoted” " * 25)
    news = tuple(Section(name, (long,) * 10) for name in HEADINGS)
    rendering = render(replace(digest(count=120), sections=news), site)
    assert len(rendering.html.encode()) < 100_000
    assert PAPER_LINK.findall(rendering.text) == PAPER_LINK.findall(rendering.html)
    assert len(PAPER_LINK.findall(rendering.html)) > 30 + FULL_COUNT


def elements(html: str) -> list[str]:
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return [element.tag for element in root.iter() if isinstance(element.tag, str)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(foreign=st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT))
def test_whatever_the_hub_says_the_page_is_ours(
    rendered: Renderings, paper: Papers, foreign: tuple[str, str, str, str]
) -> None:
    def page(title: str, name: str, url: str | None, abstract: str) -> Rendering:
        odd = paper(
            title=title, abstract=abstract, ai_summary=None, organization_name=name,
            author_names=(name,), author_count=1, submitted_by=name, why_here=name,
            github_url=url, project_url=url,
        )  # fmt: skip
        return rendered(odd, *(paper(rank, title=title) for rank in range(2, 13)))

    rendering = page(*foreign)
    assert len(rendering.subject.splitlines()) == 1
    assert len(rendering.subject) < 120
    assert rendering.preheader.splitlines() in ([], [rendering.preheader])
    assert set(elements(rendering.html)) == set(elements(page("x", "x", None, "x").html))
    assert len(PAPER_LINK.findall(rendering.html)) >= 12
    rendering.text.encode()


def test_a_recorded_day_shows_every_paper(rendered: Renderings, corpus: object) -> None:
    import gzip
    import json
    from pathlib import Path

    newest = max(Path(str(corpus), "2026-08-13").glob("*.json.gz"))
    items = json.loads(gzip.decompress(newest.read_bytes()))
    papers = [
        DigestPaper(
            paper_id=item["paper"]["id"],
            rank=rank,
            title=item["paper"]["title"],
            abstract=item["paper"]["summary"],
            upvotes_count=item["paper"]["upvotes"],
            comments_count=item["numComments"],
        )
        for rank, item in enumerate(items, 1)
    ]
    rendering = rendered(*papers)
    assert PAPER_LINK.findall(rendering.text) == [paper.paper_id for paper in papers]
    seen = words(rendering.html)
    assert all(" ".join(paper.title.split()) in seen for paper in papers)


def test_a_browser_finds_the_encoding_where_it_looks_for_it(rendered: Renderings) -> None:
    page = rendered(count=3).html.encode()
    assert 0 < page.index(b'<meta charset="utf-8">') < 1024 - len(b'<meta charset="utf-8">')
    assert page.count(b"charset=") == 1
