"""A reading that a model cannot digest makes its own day fail, and no other."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from flows import transform
from flows.outcome import BuildFailedError, Outcome
from flows.runs.states import outcome_of
from flows.settings import load_settings
from flows.sources.sample.faults import Fault
from flows.sources.sample_hub import SampleHub
from flows.warehouse.database import connect
from tests.support.clock import CLOSED, DAY

Run = Callable[..., Outcome]
Item = dict[str, Any]


def test_a_reading_that_fails_a_model_fails_its_day_and_no_later_one(
    run: Run, hub: SampleHub, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = transform._dbt_build

    def poisoned(settings: Any, stale: Any, *, is_new_project: bool) -> tuple[transform.Node, ...]:
        with connect(settings.warehouse_path) as connection:
            query = "select count(*) from audit.judged_readings where list_date = ? and is_admitted"
            (count,) = connection.execute(query, [DAY]).fetchone() or (0,)
        nodes = build(settings, stale, is_new_project=is_new_project)
        broken = transform.Node("curation_days", "model", "error", None, 0.1, "Out of Range\n sum")
        return (*nodes, broken) if count else nodes

    monkeypatch.setattr(transform, "_dbt_build", poisoned)
    first = run()
    why = "The build stopped it: dbt model curation_days failed: Out of Range sum"
    assert (first.verdict, first.exit_code, first.sentence) == ("failed", 1, f"Failed. {why}")
    assert first.quality_page
    assert why in unescape(first.quality_page.read_text())

    tomorrow = run(DAY + timedelta(days=1), CLOSED + timedelta(days=1))
    assert tomorrow.verdict == "complete", tomorrow.sentence
    with connect(load_settings().published_path, read_only=True) as connection:
        verdicts = connection.execute(
            "select verdict, reason from marts.list_readings order by list_date"
        ).fetchall()
    assert verdicts[0] == ("failed", why)
    assert verdicts[1][0] == "complete"


def test_a_build_that_fails_without_the_reading_too_is_not_its_fault(
    run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Any, stale: Any, *, is_new_project: bool) -> tuple[transform.Node, ...]:
        raise BuildFailedError("dbt cannot read its project")

    monkeypatch.setattr(transform, "_dbt_build", broken)
    assert "dbt cannot read its project" in run().sentence
    with connect(load_settings().warehouse_path) as connection:
        refused = connection.execute("select count(*) from audit.gates where not is_passed")
        assert refused.fetchone() == (0,)


def _deep(levels: int) -> Any:
    return [_deep(levels - 1)] if levels else []


POISONS: dict[str, Callable[[Item], Any]] = {
    "votes beyond any sum": lambda item: item["paper"].update(upvotes=9223372036854775807),
    "votes beyond 64 bits": lambda item: item["paper"].update(upvotes=10**30),
    "submitted in the year 1": lambda item: item["paper"].update(
        submittedOnDailyAt="0001-01-01T00:00:00.000Z"
    ),
    "published in the year 9999": lambda item: item["paper"].update(
        publishedAt="9999-12-31T23:59:59.000-12:00"
    ),
    "a title of 619 characters": lambda item: item["paper"].update(title="x" * 619),
    "a title of nothing to see": lambda item: item["paper"].update(title="\u200b\u3164"),
    "a NUL in the abstract": lambda item: item["paper"].update(summary="a\x00b"),
    "stars below nothing": lambda item: item["paper"].update(githubStars=-(2**63)),
    "comments that are words": lambda item: item.update(numComments="many"),
    "authors that are no list": lambda item: item["paper"].update(authors={"name": "Ada"}),
    "a list in a list in a list": lambda item: item["paper"].update(mediaUrls=_deep(200)),
}


def test_one_poisoned_item_a_day_is_kept_back_and_every_day_is_whole(
    prefect: None, hub: SampleHub, own_home: Path, data_tests: None
) -> None:
    from flows.backfill import backfill

    weekdays = [DAY - timedelta(days=back) for back in range(30)]
    days = sorted(day for day in weekdays if day.weekday() < 5)[-len(POISONS) - 1 :]
    for day, poison in zip(days, POISONS.values(), strict=False):
        hub.fail(Fault(change=partial(_poisoned, poison), list_date=day))
    outcome = outcome_of(backfill(days[0], days[-1], return_state=True))
    assert outcome.exit_code == 0, (outcome.sentence, outcome.details)
    with connect(load_settings().published_path, read_only=True) as connection:
        verdicts = dict(
            connection.execute(
                "select list_date, verdict from quality.day_reports order by list_date"
            ).fetchall()
        )
        kept_back = dict(
            connection.execute(
                "select list_date, count(*) from quality.quarantined_items group by list_date"
            ).fetchall()
        )
    assert {verdicts[day] for day in days} == {"complete"}
    assert kept_back == dict.fromkeys(days[:-1], 1)


def _poisoned(poison: Callable[[Item], Any], items: list[Item]) -> list[Item]:
    copied = deepcopy(items)
    if copied:
        poison(copied[-1])
    return copied
