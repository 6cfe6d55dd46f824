"""A reading that a model cannot digest makes its own day fail, and no other."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from flows import transform
from flows.outcome import BuildFailedError, Outcome
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.database import connect
from tests.support.clock import CLOSED, DAY

Run = Callable[..., Outcome]


def test_a_reading_that_fails_a_model_fails_its_day_and_no_later_one(
    run: Run, hub: SampleHub, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = transform._dbt_build

    def poisoned(settings: Any, *, is_new_project: bool) -> tuple[transform.Node, ...]:
        with connect(settings.warehouse_path) as connection:
            query = "select count(*) from audit.judged_readings where list_date = ? and is_admitted"
            (count,) = connection.execute(query, [DAY]).fetchone() or (0,)
        nodes = build(settings, is_new_project=is_new_project)
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
    def broken(settings: Any, *, is_new_project: bool) -> tuple[transform.Node, ...]:
        raise BuildFailedError("dbt cannot read its project")

    monkeypatch.setattr(transform, "_dbt_build", broken)
    assert "dbt cannot read its project" in run().sentence
    with connect(load_settings().warehouse_path) as connection:
        refused = connection.execute("select count(*) from audit.gates where not is_passed")
        assert refused.fetchone() == (0,)
