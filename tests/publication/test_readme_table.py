"""What the published file's README tells to type does what it says."""

from pathlib import Path

import duckdb
import pytest

from flows.publication.readme_table import _HOW_TO


def _publish(folder: Path, paper_id: str) -> None:
    new = folder / "published" / "papers.duckdb.new"
    with duckdb.connect(str(new)) as connection:
        connection.execute(f"create schema marts; create table marts.papers as select '{paper_id}'")
    new.replace(folder / "published" / "papers.duckdb")


def test_the_line_for_the_newest_reads_it_beside_an_old_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published").mkdir()
    _publish(tmp_path, "old")
    with duckdb.connect("published/papers.duckdb", read_only=True) as old:
        _publish(tmp_path, "new")
        assert old.execute("from marts.papers").fetchone() == ("old",)
        with duckdb.connect("published/papers.duckdb", read_only=True) as again:
            assert again.execute("from marts.papers").fetchone() == ("old",)
        attach, question = _HOW_TO["newest"].split("; ")
        with duckdb.connect() as in_memory:
            in_memory.execute(attach)
            assert in_memory.execute(question).fetchone() == ("new",)
