"""The dbt project as dbt users type it in a clone, with no variable of ours set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.publication.catalog import PROJECT, marts
from tests.support.dbt_build import Warehouse, item, parsed_project

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


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("dbt_project", ["ls"]),
        ("dbt_project", ["source", "freshness"]),
        ("dbt_project", ["docs", "generate"]),
        (".", ["build"]),
    ],
    ids=["ls", "freshness", "docs", "build"],
)
def test_dbt_works_in_a_clone_with_no_variable_set(
    clone: Path, place: str, words: list[str]
) -> None:
    where = ["--project-dir", "dbt_project", "--profiles-dir", "dbt_project"]
    ended = subprocess.run(
        [DBT, *words, *(where if place == "." else [])],
        cwd=clone / place,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PAPERS_", "DBT_"))}
        | {"PWD": str(clone / place) if place != "." else str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )
    # a day of August is no fresh source any more; that it was looked at is what counts
    stale = words == ["source", "freshness"] and "ERROR STALE" in ended.stdout
    assert ended.returncode == 0 or stale, ended.stdout[-2000:]


def test_descriptions_are_those_that_dbt_renders() -> None:
    nodes = {node.name: node for node in parsed_project().nodes.values()}
    for name, mart in marts().items():
        assert mart.description == " ".join(nodes[name].description.split())
        for column, words in mart.columns.items():
            assert words == " ".join(nodes[name].columns[column].description.split())
            assert "{{" not in words
