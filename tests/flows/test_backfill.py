"""Many readings at once: history from the Hub, and recorded responses at their own times."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from pydantic import SecretStr

from flows.mailing.letters import Post, letters
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule
from flows.mailing.tokens import Tokens
from flows.newsletter.lint import lint
from flows.newsletter.site import Site
from flows.outcome import Outcome
from flows.publication.published import read_digest
from flows.runs.states import outcome_of
from flows.sources.recordings import RecordingError, find_recordings
from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED, Clock
from tests.support.likeness import NOTHING_ALIKE
from tests.support.published_tables import published_tables

MAIL_FROM = "Daily Papers <papers@papers.example.org>"
FIRST, LAST = date(2026, 8, 6), date(2026, 8, 20)


@pytest.fixture
def bulk(prefect: None, hub: SampleHub, clock: object) -> Callable[..., Outcome]:
    from flows.backfill import backfill, import_recordings

    def go(*what: Any) -> Outcome:
        if isinstance(what[0], Path):
            found = find_recordings(what)
            state: Any = import_recordings(found, len(found), return_state=True)
        else:
            state = backfill(*what, return_state=True)
        return outcome_of(state)

    return go


def ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_backfill_reads_each_day_once_and_takes_up_what_is_missing(
    bulk: Callable[..., Outcome], hub: SampleHub, own_home: Path
) -> None:
    hub.fail("503,date=2026-08-12")
    with pytest.MonkeyPatch.context() as patch:
        from flows import backfill as module
        from flows.sources.hub import Hub, Patience

        quick = Patience(attempts=1)
        patch.setattr(module, "Hub", lambda url, token: Hub(url, token, quick))
        broken = bulk(FIRST, LAST)
        assert (broken.verdict, broken.exit_code) == ("failed", 1)
        assert "1 failed" in broken.sentence
        hub.heal()
        asked = len(hub.requests)
        healed = bulk(FIRST, LAST)
    size = len(hub.items(date(2026, 8, 12)))
    assert (healed.exit_code, healed.sentence) == (0, f"1 new reading, {size} items: 1 complete.")
    assert {r.query["date"] for r in hub.requests[asked:]} == {"2026-08-12"}
    verdicts = ask(own_home, "select digest_date, verdict from marts.daily_digests order by all")
    weekend = {date(2026, 8, 8), date(2026, 8, 9), date(2026, 8, 15), date(2026, 8, 16)}
    assert len(verdicts) == 15
    assert {day for day, verdict in verdicts if verdict == "empty"} == weekend
    assert {verdict for day, verdict in verdicts if day not in weekend} == {"complete"}
    assert not (own_home / "issues").exists()
    assert len(list((own_home / "quality" / "days").iterdir())) == 15


def test_one_bad_day_of_a_backfill_stops_no_other(
    bulk: Callable[..., Outcome], hub: SampleHub, own_home: Path
) -> None:
    hub.fail("zero_votes,date=2026-08-18")
    outcome = bulk(date(2026, 8, 17), LAST)
    assert outcome.exit_code == 1
    size = len(hub.items(date(2026, 8, 18)))
    assert outcome.details == (
        f"2026-08-18: The gate raw stopped it: none of the {size} papers has a single upvote.",
    )
    listed = ask(own_home, "select distinct list_date from marts.listings order by 1")
    assert [str(day) for (day,) in listed] == ["2026-08-17", "2026-08-19", "2026-08-20"]


def test_a_backfill_of_days_that_are_not_open_is_to_be_tried_again(
    bulk: Callable[..., Outcome],
) -> None:
    outcome = bulk(date(2026, 8, 27), date(2026, 8, 28))
    assert (outcome.verdict, outcome.exit_code) == ("not_open", 75)
    assert outcome.sentence == "2 new readings, 0 items: 2 not open."


def test_what_a_gate_stopped_of_a_load_is_no_evidence_for_the_rest_of_it(
    bulk: Callable[..., Outcome], hub: SampleHub, own_home: Path, tmp_path: Path
) -> None:
    """A Hub that answered with the lists of two other days, and then with the true, shorter one."""
    wrong = [*hub.items(date(2026, 8, 17)), *hub.items(date(2026, 8, 18))]
    true = hub.items(date(2026, 8, 19))
    folder = tmp_path / "recordings" / "2026-08-19"
    folder.mkdir(parents=True)
    for name, items in (("2026-08-20T013000Z", wrong), ("2026-08-20T023000Z", true)):
        (folder / f"{name}.json").write_text(json.dumps(items))
    outcome = bulk(folder.parent)
    [stopped] = outcome.details
    assert "The gate raw stopped it" in stopped
    [(verdict, reason, count)] = ask(
        own_home, "select verdict, reason, listed_count from marts.daily_digests"
    )
    assert (verdict, count) == ("partial", len(true))
    assert reason == (
        f"{len(true)} papers recorded at 2026-08-20 02:30 UTC, with no proof that it was the whole"
        " list."
    )


# What no reading of a list fills.
_OF_NO_LIST = {"hub_trending_papers", "paper_links", "linked_repositories"}
# How a reading came and how it was judged; and what was said of a day is of its last reading.
_OF_ITS_WAY = "origin|reason|run_id|(checked|quarantined)_at"
# A recorded response is never proof of the whole list, so no verdict of it is final.
_OF_ITS_PROOF = "verdict|open_day_count|first_digest_date"
# What only the readers of an issue know: no history makes one.
_OF_AN_ISSUE = {"issue_as_sent", "issue_as_known_now", "daily_digest_updates", "digest_deliveries"}


def _marts(home: Path, but: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every mart that is made of readings, but these columns."""
    tables = published_tables(home, but)
    marts = {
        name.removeprefix("marts."): tables[name] for name in tables if name.startswith("marts.")
    }
    return {mart: rows for mart, rows in marts.items() if mart not in _OF_AN_ISSUE}


@pytest.mark.torture
def test_the_marts_are_the_same_by_day_by_backfill_and_by_import(
    bulk: Callable[..., Outcome],
    run: Callable[..., Outcome],
    hub: SampleHub,
    clock: Clock,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two lists, each read twice: at its end, and again half a day later."""
    from flows.scheduled import reread

    days, times = (date(2026, 8, 19), LAST), (CLOSED, CLOSED + timedelta(hours=12))
    monkeypatch.setenv("PAPERS_REREAD_DAYS", "2")
    homes = {way: tmp_path / way for way in ("day by day", "backfill", "import")}
    recordings = tmp_path / "recordings"
    for at in times:
        clock.turn(at)
        monkeypatch.setenv("PAPERS_HOME", str(homes["day by day"]))
        for day in days:
            assert run(day).exit_code == 0
            file = recordings / str(day) / f"{at:%Y-%m-%dT%H%M%SZ}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            asked = {"date": str(day), "limit": "100"}
            response = requests.get(f"{hub.url}/api/daily_papers", params=asked, timeout=30)
            file.write_bytes(response.content)
        monkeypatch.setenv("PAPERS_HOME", str(homes["backfill"]))
        outcome = bulk(*days) if at == CLOSED else outcome_of(reread(return_state=True))
        assert outcome.exit_code == 0
    monkeypatch.setenv("PAPERS_HOME", str(homes["import"]))
    assert bulk(recordings).exit_code == 0

    by_day = _marts(homes["day by day"], _OF_ITS_WAY)
    assert len(by_day["paper_readings"]) == 2 * len(by_day["listings"])
    assert {mart for mart, rows in by_day.items() if not rows} <= _OF_NO_LIST
    for way, but in (("backfill", _OF_ITS_WAY), ("import", f"{_OF_ITS_WAY}|{_OF_ITS_PROOF}")):
        expected, other = _marts(homes["day by day"], but), _marts(homes[way], but)
        assert {mart for mart in expected if other[mart] != expected[mart]} == set(), way


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("2026-08-20/later.json", "[]", "is not named"),
        ("today/2026-08-20T160544Z.json", "[]", "is not named"),
        ("2026-08-20/2026-08-20T160544Z.json", '{"error": "x"}', "not a JSON list of papers"),
        ("2026-08-20/2026-08-20T160544Z.json", "[1, 2", "is no recorded response: it is not JSON"),
        ("2026-08-20/2026-08-20T160544Z.json", "", "is no recorded response: it is not JSON"),
        ("2026-08-20/2026-08-20T160544Z.json", f"[{'9' * 5000}]", "response: it is not JSON"),
        ("2026-08-20/2099-08-20T160544Z.json", "[]", "was read in the future"),
        ("9999-12-31/2026-08-20T160544Z.json", "[]", "9999-12-31 is too far ahead"),
        ("2026-08-20/2026-08-20T160544Z.json.gz", "[]", "is no recorded response"),
        ("2026-08-20/readme.txt", "", "There is no recording in"),
    ],
)
def test_a_file_that_is_no_recording_is_named_before_anything_is_loaded(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    file = tmp_path / "recordings" / name
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(RecordingError, match=complaint):
        find_recordings([tmp_path / "recordings"])


def test_a_packed_recording_with_a_broken_bit_is_named(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"[" + b"1, 2, 3, " * 500 + b"4]"))
    packed[12] ^= 0xFF
    file = tmp_path / "2026-08-20" / "2026-08-20T160544Z.json.gz"
    file.parent.mkdir()
    file.write_bytes(packed)
    with pytest.raises(RecordingError, match="no recorded response: it cannot be unpacked"):
        find_recordings([file])


def test_every_recorded_item_is_accounted_for(
    bulk: Callable[..., Outcome], corpus: Path, own_home: Path
) -> None:
    """39 days in 96 readings: every era, the paper of 3,303 authors, repeats, a withdrawal."""
    outcome = bulk(corpus)
    assert (outcome.exit_code, outcome.details) == (0, ())
    again = bulk(corpus)
    assert again.sentence == "0 new readings, 0 items: 96 kept before."

    kept = {
        (str(day), paper, read_at): (votes, comments)
        for day, paper, read_at, votes, comments in ask(
            own_home,
            "select list_date, paper_id, read_at at time zone 'UTC', upvotes_count, comments_count"
            " from marts.paper_readings",
        )
    }
    kept_back = ask(own_home, "select list_date, paper_id, position from quality.quarantined_items")
    expected: dict[tuple[str, str, datetime], tuple[int, int]] = {}
    newest: dict[str, tuple[datetime, list[str]]] = {}
    items = 0
    for path in corpus.glob("*/*.json.gz"):
        day = path.parent.name
        read_at = datetime.strptime(path.name[:17], "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)
        ids: list[str] = []
        for item in json.loads(gzip.decompress(path.read_bytes())):
            items += 1
            paper = item["paper"]
            votes = (paper["upvotes"], item["numComments"])
            expected[day, paper["id"], read_at.replace(tzinfo=None)] = votes
            ids += [paper["id"]] if paper["id"] not in ids else []
        if day not in newest or read_at > newest[day][0]:
            newest[day] = (read_at, ids)
    assert items == 2431
    assert kept == expected
    assert len(kept) + len(kept_back) == items
    assert {(str(day), paper) for day, paper, _ in kept_back} == {("2025-06-03", "2506.01920")}

    ranked = ask(
        own_home,
        "select list_date, list(paper_id order by list_rank) from marts.listings"
        " where not is_removed group by list_date",
    )
    assert {str(day): ids for day, ids in ranked} == {day: ids for day, (_, ids) in newest.items()}
    listed = ask(own_home, "select list_date, paper_id from marts.listings")
    assert {(str(d), p) for d, p in listed} == {(day, paper) for day, paper, _ in expected}

    days = ask(
        own_home, "select list_date from marts.listings where paper_id = '2608.12313' order by 1"
    )
    assert len(days) >= 2
    assert ask(own_home, "select max(author_count) from marts.papers") == [(3303,)]
    assert ask(
        own_home, "select count(*) from marts.paper_authors where paper_id = '2507.06261'"
    ) == [(3303,)]
    withdrawn = ask(own_home, "select paper_id, withdrawn_at from marts.papers where is_withdrawn")
    assert len(withdrawn) == 1
    assert withdrawn[0][1] is not None
    critical = (
        "select count(*) from quality.gate_results where not is_success and severity = 'critical'"
    )
    assert ask(own_home, critical) == [(0,)]
    _assert_every_day_makes_a_mail_that_owes_nothing(own_home / "published" / "papers.duckdb")


def _assert_every_day_makes_a_mail_that_owes_nothing(published: Path) -> None:
    """Each recorded day's mail: strict for Python, clean for the linter, papers in both parts."""
    post = Post(Site("https://papers.example.org"), Tokens([SecretStr("k" * 40)]), MAIL_FROM)
    reader = Reader(1, "0123456789abcdef0123", "ada@example.org", Rule(), Rule().key)
    with duckdb.connect(str(published), read_only=True) as connection:
        days = connection.execute("select digest_date from marts.daily_digests").fetchall()
    digests = [digest for (day,) in days if (digest := read_digest(published, day))]
    assert len(digests) == 39
    for digest in digests:
        letter = letters(digest, post, NOTHING_ALIKE, sent_at=digest.proof.read_at)(Rule())
        assert letter
        raw = letter(reader)
        assert lint(raw) == [], digest.issue_date
        mail = message_from_bytes(raw, policy=policy.strict)
        text, html = (part.get_content() for part in mail.iter_parts())
        ids = [paper.paper_id for paper in digest.papers]
        assert re.findall(r"huggingface\.co/papers/([\d.]+)", text) == ids
        assert re.findall(r'huggingface\.co/papers/([\d.]+)"', html) == ids
