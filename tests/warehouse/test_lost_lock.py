"""PostgreSQL drops the connection of the lake's one writer: the run notices before it writes."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from flows import extract, publish, transform
from flows.outcome import EXIT_LATER, Outcome
from flows.settings import Settings, load_settings
from flows.warehouse.database import WriterLostError, open_warehouse, writer_lock
from flows.warehouse.publications import name_publication, newest_publication
from tests.support.clock import CLOSED
from tests.support.lakes import Lake
from tests.support.prefect_api import eventually
from tests.support.published_tables import published_tables

A_MODEL = 20  # of some sixty


def _lose(lake: Lake) -> None:
    """End the connection of the writer, as a restart does, and see that the lock is free."""
    lake.ask(_TERMINATED)
    eventually(lambda: not lake.ask(_HOLDERS), "the lock to be free")


def test_who_lost_the_lock_opens_and_names_nothing_more(lake: Lake, tmp_path: Path) -> None:
    one, other = (
        Settings.model_validate({"home": tmp_path / name, **lake.settings})
        for name in ("one", "other")
    )
    with writer_lock(one), open_warehouse(one) as connection:
        connection.execute("create schema staging")
        name_publication(connection, one, CLOSED)
        _lose(lake)
        with writer_lock(other), open_warehouse(other):
            pass
        with pytest.raises(WriterLostError, match="run it again") as stop:
            name_publication(connection, one, CLOSED + timedelta(hours=1))
        with pytest.raises(WriterLostError), open_warehouse(one):
            pass
    assert stop.value.exit_code == EXIT_LATER
    newest = newest_publication(one)  # who only reads needs no lock
    assert newest
    assert newest.published_at == CLOSED


@pytest.mark.torture
@pytest.mark.usefixtures("complete_day")
def test_a_run_whose_lock_is_lost_writes_no_more_and_the_next_one_goes_on(
    run: Callable[..., Outcome],
    lake: Lake,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lost while the Hub is read, in the middle of the build, and before a publication is named."""
    home, elsewhere = tmp_path / "one", tmp_path / "other"
    for name, value in {"PAPERS_HOME": str(home), **lake.environment}.items():
        monkeypatch.setenv(name, value)
    snapshots: list[object] = []

    def lose() -> None:
        _lose(lake)
        with writer_lock(Settings.model_validate({"home": elsewhere, **lake.settings})):
            snapshots[:] = lake.ask(_SNAPSHOTS)

    def losing_before(module: Any, name: str, at_call: int = 1) -> None:
        real, calls = getattr(module, name), count(1)

        def lost(*args: Any) -> Any:
            if next(calls) == at_call:
                lose()
            return real(*args)

        patch.setattr(module, name, lost)

    for module, name, at_call in (
        (extract, "load_id", 1),
        (transform, "check_writer", A_MODEL),
        (publish, "name_publication", 1),
    ):
        with pytest.MonkeyPatch.context() as patch:
            losing_before(module, name, at_call)
            ended = run()
        assert (ended.verdict, ended.exit_code) == ("busy", EXIT_LATER), name
        assert "ended the connection that makes this run the one writer" in ended.sentence
        assert lake.ask(_SNAPSHOTS) == snapshots, f"something was written after {name}"
        assert newest_publication(load_settings()) is None

    assert run().verdict == "complete"
    assert newest_publication(load_settings())
    undisturbed, disturbed = published_tables(own_home), published_tables(home)
    assert {name for name in undisturbed if disturbed[name] != undisturbed[name]} == set()


_HOLDERS = "select pid from pg_locks where locktype = 'advisory' and granted"
_TERMINATED = f"select pg_terminate_backend(pid) from ({_HOLDERS}) as holders"
_SNAPSHOTS = "select count(*) from ducklake_snapshot"
