"""More, or less, like a paper: by the links of a filtered mail, and what a choice then brings."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from flows.mail_setup import open_mailing, secret_keys
from flows.mailing.rules import Rule, choose, parse_rule
from flows.mailing.subscribers import add, find, unsubscribe
from flows.mailing.tokens import Purpose, Tokens
from flows.publication.kept_open import KeptOpen
from flows.publication.likeness import ALIKE_FROM, PublishedLikeness
from flows.publication.published import recent_digests
from flows.settings import Settings
from tests.support.site import Site, text_of
from tests.web.conftest import NOW


@pytest.fixture
def token(home: Path) -> str:
    """What signs the links of a reader with no choice."""
    settings = Settings(home=home)
    with closing(open_mailing(settings)) as mailing:
        person = find(mailing, "ada@example.org") or add(mailing, "ada@example.org", now=NOW)
    return Tokens(secret_keys(settings)).sign(Purpose.LIKE, person.public_id)


def _rule(home: Path) -> Rule:
    with closing(open_mailing(Settings(home=home))) as mailing:
        person = find(mailing, "ada@example.org")
        assert person is not None
        return person.rule


def _papers(home: Path) -> dict[str, str]:
    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        rows = connection.execute("select paper_id, title from marts.papers order by all")
        return dict(rows.fetchall())


def test_a_link_asks_and_its_button_keeps_the_wish(home: Path, site: Site, token: str) -> None:
    paper_id, title = next(iter(_papers(home).items()))
    for wish, words in {"like": "More", "unlike": "Less"}.items():
        before = _rule(home)
        asked = site.get(f"/{wish}/{token}/{paper_id}")
        assert f"{words} like this? {title}" in text_of(asked.text)
        assert _rule(home) == before, "a mail scanner opens every link"
        kept = site.post(f"/{wish}/{token}/{paper_id}v2")
        assert f"you get {words.lower()} like “{title}”" in text_of(kept.text)
        assert "Of the issues up to " in kept.text
        named = _rule(home).like, _rule(home).unlike
        assert named == (((paper_id,), ()) if wish == "like" else ((), (paper_id,)))


@pytest.mark.parametrize(
    ("token_end", "paper_id", "status", "sentence"),
    [
        ("", "1901.00001", 404, "1901.00001 was on no list that was read."),
        ("x", "", 400, "This link is not complete"),
    ],
)
def test_a_link_that_leads_nowhere_says_so_and_keeps_nothing(
    home: Path, site: Site, token: str, token_end: str, paper_id: str, status: int, sentence: str
) -> None:
    before = _rule(home)
    path = f"/like/{token}{token_end}/{paper_id or next(iter(_papers(home)))}"
    for answer in (site.get(path), site.post(path)):
        assert answer.status_code == status
        assert sentence in text_of(answer.text)
    assert _rule(home) == before


def test_the_newest_twenty_are_kept_and_the_page_names_what_made_room(
    home: Path, site: Site, token: str
) -> None:
    papers = list(_papers(home))[:21]
    pages = [site.post(f"/like/{token}/{paper_id}").text for paper_id in papers]
    assert not any("made room" in page for page in pages[:20])
    assert f"The newest twenty are kept: {papers[0]} made room." in text_of(pages[20])
    assert _rule(home).like == tuple(papers[1:])


def test_who_has_left_has_nothing_to_choose(home: Path, site: Site, token: str) -> None:
    with closing(open_mailing(Settings(home=home))) as mailing:
        person = find(mailing, "ada@example.org")
        assert person is not None
        unsubscribe(mailing, person.public_id, now=NOW)
    answer = site.get(f"/like/{token}/{next(iter(_papers(home)))}")
    assert (answer.status_code, "there is nothing to choose" in answer.text) == (409, True)


def test_a_choice_brings_what_is_near_with_its_reason_and_keeps_away_what_is_unlike(
    home: Path,
) -> None:
    published = home / "published" / "papers.duckdb"
    likeness = PublishedLikeness(KeptOpen(published))
    with duckdb.connect(str(published), read_only=True) as connection:
        (named, near, cosine) = connection.execute(
            """
            select a.paper_id, b.paper_id, array_inner_product(a.vector, b.vector) as cosine
            from search.vectors as a, search.vectors as b
            where a.paper_id != b.paper_id
            order by cosine desc, a.paper_id, b.paper_id
            limit 1
            """
        ).fetchall()[0]
    assert cosine >= ALIKE_FROM, "the made-up papers have neighbours"
    found = {}
    for name in ("like", "unlike"):
        rule = parse_rule({name: named})
        chosen = [choose(digest, rule, likeness) for digest in recent_digests(published)]
        found[name] = {p.paper_id: p.chosen_by for digest in chosen for p in digest.papers}
    assert (found["like"][near] or "").startswith(f"like {named}")
    assert named not in found["like"], "its reader knows it"
    assert {near, named} & found["unlike"].keys() == set()
    assert found["like"].keys() | found["unlike"].keys() | {named} == _papers(home).keys()
    assert likeness.unknown([named, "1901.00001"]) == ["1901.00001"]
