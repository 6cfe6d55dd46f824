"""Data Docs: each run's validations have a page, and the index names the run."""

from pathlib import Path

from flows.gates import data_docs, gate_raw
from tests.expectations.conftest import NOW, Warehouse


def test_data_docs_show_each_run_by_its_id(warehouse: Warehouse, own_home: Path) -> None:
    reading_id = warehouse.add_reading(bad={3: {"paper_id": "2608.0119"}})
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=own_home / "quality")
    index = data_docs(own_home)
    assert index == own_home / "quality" / "index.html"
    assert reading_id in index.read_text()
    pages = sorted((own_home / "quality" / "validations").glob("*/*/*/*.html"))
    assert [page.parts[-4] for page in pages] == ["raw_items", "raw_readings"]
    assert {page.parts[-3] for page in pages} == {reading_id}
    assert "2608.0119" in pages[0].read_text()
    assert "every paper id is as wide as ids of its year are" in pages[0].read_text()


def test_data_docs_are_written_for_new_validations_only(
    warehouse: Warehouse, own_home: Path
) -> None:
    warehouse.add_reading()
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=own_home / "quality")
    written = data_docs(own_home).stat().st_mtime_ns
    assert data_docs(own_home).stat().st_mtime_ns == written


def test_a_load_of_many_readings_is_one_validation_a_suite(
    warehouse: Warehouse, own_home: Path
) -> None:
    for hour in (8, 26):
        warehouse.add_reading(hour=hour)
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=own_home / "quality")
    folders = {path.name for path in (own_home / "quality" / "validations").glob("*/*")}
    assert folders == {"a-load"}
