"""What grew out of papers: a reading of its own kind, which no list, verdict or issue waits for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import scheduled
from flows.outcome import Outcome
from flows.publish import Publication, publish
from flows.runs.states import outcome_of
from flows.settings import Settings, load_settings
from flows.sources.hub import Answer
from flows.sources.linked import PaperHub, Patience
from flows.sources.sample.faults import Fault
from flows.sources.sample.linked import linked_answer
from flows.sources.sample_hub import SampleHub
from flows.validate import Gating, validate
from flows.warehouse import papers_to_ask
from flows.warehouse.database import writer_lock
from tests.support.clock import CLOSED, DAY, Clock

NIGHT = CLOSED + timedelta(hours=6)
WEEK_LATER = NIGHT + timedelta(days=7)
KINDS = (("Models", "model"), ("Datasets", "dataset"), ("Spaces", "space"))
LISTS = (
    *("papers", "listings", "list_readings", "paper_readings", "paper_changes"),
    *("daily_digests", "daily_digest_papers", "paper_momentum", "trending_papers"),
)
Night = Callable[..., Outcome]


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


@pytest.fixture
def published(own_home: Path) -> Path:
    return own_home / "published" / "papers.duckdb"


@pytest.fixture
def night(prefect: None, clock: Clock, hub: SampleHub, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Ask the Hub what grew out of the last lists' papers, as the schedule does, at a time."""

    def go(at: datetime = NIGHT) -> Outcome:
        clock.turn(at)
        state: Any = scheduled.linked_repositories(return_state=True)
        return outcome_of(state)

    return go


def expected(hub: SampleHub, at: datetime) -> dict[str, dict[str, Any]]:
    return {item["paper"]["id"]: linked_answer(item, at) for item in hub.items(DAY)}


def test_what_the_hub_says_of_each_paper_is_published_and_changes_nothing_else(
    complete_day: Outcome, night: Night, hub: SampleHub, published: Path
) -> None:
    before = {table: ask(published, f"from marts.{table} order by all") for table in LISTS}
    day = f"from quality.day_reports where list_date = '{DAY}'"
    report = ask(published, day)

    first, second = night(), night(WEEK_LATER)

    count = len(hub.items(DAY))
    assert first == Outcome(
        "complete", f"Read what grew out of {count} of {count} papers asked about."
    )
    assert second.verdict == "complete"
    for at in (NIGHT, WEEK_LATER):
        counts = "models_count, datasets_count, spaces_count"
        stamp = f"timestamptz '{at:%F %T}+00'"
        told = ask(
            published, f"select paper_id, {counts} from marts.paper_links where read_at = {stamp}"
        )
        said = expected(hub, at)
        assert sorted(told) == sorted(
            (paper_id, *(answer[f"numTotal{name}"] for name, _ in KINDS))
            for paper_id, answer in said.items()
        )
    shown = {
        (paper_id, kind, repository["id"], rank, repository["likes"])
        for paper_id, answer in said.items()
        for name, kind in KINDS
        for rank, repository in enumerate(answer[f"linked{name}"], 1)
    }
    assert len(shown) > 20
    columns = "paper_id, repository_kind, repository_id, repository_rank, likes_count"
    newest = f"select {columns} from marts.linked_repositories where repository_rank is not null"
    assert set(ask(published, newest)) == shown
    assert {table: ask(published, f"from marts.{table} order by all") for table in LISTS} == before
    assert ask(published, day) == report


def test_nothing_is_published_at_night_that_gate_marts_has_not_judged(
    complete_day: Outcome, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def judged(gate: str, settings: Settings) -> Gating:
        steps.append(gate)
        return validate(gate, settings)  # type: ignore[arg-type]

    def published(settings: Settings) -> Publication:
        steps.append("publish")
        return publish(settings)

    monkeypatch.setattr("flows.daily_papers.validate", judged)
    monkeypatch.setattr("flows.scheduled.publish", published)
    assert night().verdict == "complete"
    assert steps == ["marts", "publish"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "none of "),
        ("429", "it answered 429 and"),
        ("html", "3 answers in a row"),
        ("hang", "3 answers in a row"),
    ],
)
def test_a_hub_in_trouble_costs_this_reading_and_nothing_else(
    complete_day: Outcome,
    night: Night,
    hub: SampleHub,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    said: str,
) -> None:
    before = published.read_bytes()
    if fault == "hang":
        hurried = partial(PaperHub, patience=Patience(read_timeout=0.2))
        monkeypatch.setattr(scheduled, "PaperHub", hurried)
    if fault == "404":
        gone = Fault(answer=lambda answer: replace(answer, status=404), of_papers=True)  # type: ignore[arg-type]
        hub.fail(gone)
    else:
        hub.fail(f"{fault},of=papers")

    outcome = night()

    assert outcome.verdict == "failed"
    assert outcome.sentence.startswith(f"Failed. The Hub told nothing of single papers: {said}")
    assert published.read_bytes() == before
    home = load_settings().home
    kept = "select verdict from raw.readings where kind = 'linked'"
    assert ask(home / "warehouse.duckdb", kept) == [("failed",)]


def test_links_that_vanish_at_once_are_kept_as_evidence_and_not_published(
    complete_day: Outcome, night: Night, hub: SampleHub, published: Path
) -> None:
    assert night(WEEK_LATER).verdict == "complete"
    before = ask(published, "from marts.linked_repositories order by all")

    def emptied(answer: Any) -> Any:
        body = re.sub(rb'"linked(\w+)":\[.*?\],"num', rb'"linked\1":[],"num', answer.body)
        return replace(answer, body=body)

    hub.fail(Fault(answer=emptied, of_papers=True))
    outcome = night(WEEK_LATER + timedelta(days=1))

    assert outcome.verdict == "failed"
    assert outcome.sentence.startswith("Failed. The gate linked stopped it: 0 repositories, where")
    assert ask(published, "from marts.linked_repositories order by all") == before


def test_the_warehouse_is_free_while_the_hub_is_asked(
    complete_day: Outcome, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    class Slow(PaperHub):
        def read(self, paper_ids: Sequence[str], clock: Callable[[], datetime]) -> Answer:
            with writer_lock(load_settings(), patience=0):
                taken.append(len(paper_ids))
            return super().read(paper_ids, clock)

    monkeypatch.setattr(scheduled, "PaperHub", Slow)
    assert night().verdict == "complete"
    assert taken


def test_those_are_asked_about_first_that_never_were_and_nobody_twice_a_night(
    complete_day: Outcome, night: Night, hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = {item["paper"]["id"] for item in hub.items(DAY)}
    monkeypatch.setattr(papers_to_ask, "MOST_PAPERS", len(papers) - 5)
    night()
    rest = papers_to_ask.papers_to_ask(load_settings(), NIGHT)
    asked = {
        request.path.rpartition("/")[2] for request in hub.requests if "papers/" in request.path
    }
    assert set(rest) == papers - asked
    later = papers_to_ask.papers_to_ask(load_settings(), NIGHT + timedelta(days=1))
    assert (set(later[:5]), len(later)) == (set(rest), len(papers) - 5)


def test_before_the_first_list_there_is_nothing_to_ask(night: Night) -> None:
    assert night() == Outcome("empty", "No paper of the last lists is left to ask about.")
