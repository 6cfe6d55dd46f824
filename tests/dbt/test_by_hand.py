"""The dbt project as dbt users type it in a clone, with no variable of ours set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.publication.catalog import PROJECT, marts
from tests.support.dbt_build import Warehouse, item, parsed_project
from tests.support.fork_server import ForkServer

DBT = Path(sys.executable).with_name("dbt")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which `papers run` has read a day."""
    clone = tmp_path_factory.mktemp("clone")
    shutil.copytree(PROJECT, clone / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))
    (clone / "data").mkdir()
    warehouse = Warehouse(clone, clone / "data" / "warehouse.duckdb")
    warehouse.read("2026-08-13 23:00", [item("2608.00001", 3)])
    warehouse.build()
    warehouse.close()
    return clone


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    started = ForkServer("tests.support.dbt_command")
    yield started
    started.stop()


def _nothing_of_ours(place: Path) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PAPERS_", "DBT_"))} | {
        "PWD": str(place)
    }


OUTCOMES = {
    "ls": "daily_papers.marts.papers.papers",
    "source": "2 of 2 START freshness of hub.readings",
    "docs": "Catalog written",
}


@pytest.mark.parametrize(
    "words", [["ls"], ["source", "freshness"], ["docs", "generate"]], ids=lambda words: words[0]
)
def test_dbt_works_in_the_project_of_a_clone_with_no_variable_set(
    clone: Path, fork_server: ForkServer, tmp_path: Path, words: list[str]
) -> None:
    place, output = clone / "dbt_project", tmp_path / "said"
    fork_server.start(
        words=words,
        folder=str(place),
        environment=_nothing_of_ours(place),
        output=str(output),
    )
    (status,) = fork_server.wait()
    said = output.read_text()
    # How stale a day of August is depends on today; that it was looked at is what counts.
    endings = {0, 1} if words == ["source", "freshness"] else {0}
    assert os.waitstatus_to_exitcode(status) in endings, said[-2000:]
    assert OUTCOMES[words[0]] in said


def test_dbt_builds_from_the_top_of_a_clone_with_no_variable_set(clone: Path) -> None:
    ended = subprocess.run(
        [DBT, "build", "--project-dir", "dbt_project", "--profiles-dir", "dbt_project"],
        cwd=clone,
        env=_nothing_of_ours(clone),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_descriptions_are_those_that_dbt_renders() -> None:
    nodes = {node.name: node for node in parsed_project().nodes.values()}
    for name, mart in marts().items():
        assert mart.description == " ".join(nodes[name].description.split())
        for column, words in mart.columns.items():
            assert words == " ".join(nodes[name].columns[column].description.split())
            assert "{{" not in words
