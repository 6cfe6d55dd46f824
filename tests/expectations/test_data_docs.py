"""Data Docs: each run's validations have a page, the index names the run, old ones are pruned."""

import re
from datetime import timedelta
from pathlib import Path

import html5lib
import pytest

from expectations import data_docs as module
from flows.gates.gate import data_docs, gate_raw
from tests.expectations.conftest import NOW, Warehouse


@pytest.fixture
def quality(own_home: Path) -> Path:
    return own_home / "quality"


def _pages(quality: Path) -> list[Path]:
    return sorted((quality / "data_docs" / "validations").glob("*/*/*/*.html"))


def test_data_docs_show_each_run_by_its_id(warehouse: Warehouse, quality: Path) -> None:
    reading_id = warehouse.add_reading(bad={3: {"paper_id": "2608.0119"}})
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=quality)
    index = data_docs(quality, "body {}", ())
    assert index == quality / "data_docs" / "index.html"
    assert reading_id in index.read_text()
    pages = _pages(quality)
    assert [page.parts[-4] for page in pages] == ["raw_items", "raw_readings"]
    assert {page.parts[-3] for page in pages} == {reading_id}
    assert "2608.0119" in pages[0].read_text()
    assert "every paper id is as wide as ids of its year are" in pages[0].read_text()


def test_the_index_leads_to_each_page_and_each_page_back(
    warehouse: Warehouse, quality: Path
) -> None:
    warehouse.add_reading()
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=quality)
    index = data_docs(quality, "body {}", ())
    led_to = {(index.parent / link).resolve() for link in _links(index)}
    assert led_to >= set(_pages(quality))
    for page in _pages(quality):
        back = {(page.parent / link).resolve() for link in _links(page)}
        assert back == {
            index, quality / "index.html", index.with_name("data_docs.css"),
        }  # fmt: skip


def _links(page: Path) -> list[str]:
    return re.findall(r'(?:href|src)="([^"#:]+)"', page.read_text())


def test_no_page_fetches_or_runs_anything_from_elsewhere(
    warehouse: Warehouse, quality: Path
) -> None:
    hostile = "<script>alert(1)</script><img src=https://example.org/x>"
    warehouse.add_reading(
        bad={2: {"contract_error": hostile}, 3: {"paper_id": hostile}, 4: {"title": hostile}}
    )
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=quality)
    index = data_docs(quality, "body {}", ())
    for page in [index, *_pages(quality)]:
        elements = list(html5lib.parse(page.read_text(), namespaceHTMLElements=False).iter())
        assert {element.tag for element in elements}.isdisjoint({"script", "img", "iframe"}), page
        assert "default-src 'none'" in page.read_text()
        named = {(name, value) for element in elements for name, value in element.attrib.items()}
        assert [value for name, value in named if "://" in value or name.startswith("on")] == []
    assert any("&lt;script&gt;alert(1)" in page.read_text() for page in _pages(quality))


def test_data_docs_are_written_for_new_validations_only(
    warehouse: Warehouse, quality: Path
) -> None:
    warehouse.add_reading()
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=quality)
    written = data_docs(quality, "body {}", ()).stat().st_mtime_ns
    assert data_docs(quality, "body {}", ()).stat().st_mtime_ns == written


def test_a_load_of_many_readings_is_one_validation_a_suite(
    warehouse: Warehouse, quality: Path
) -> None:
    for hour in (8, 26):
        warehouse.add_reading(hour=hour)
    gate_raw(warehouse.connection, "a-load", now=NOW, quality=quality)
    folders = {path.name for path in (quality / "validations").glob("*/*")}
    assert folders == {"a-load"}


def test_the_newest_validations_are_kept_and_those_that_are_needed(
    warehouse: Warehouse, quality: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LISTED", 4)  # two runs of two suites
    runs = []
    for day in range(4):
        load, at = f"load-{day}", NOW + timedelta(days=day)
        runs.append(warehouse.add_reading(hour=day + 1, load_id=load))
        gate_raw(warehouse.connection, load, now=at, quality=quality)
        index = data_docs(quality, "body {}", {runs[0]})
    assert {page.parts[-3] for page in _pages(quality)} == {runs[0], runs[2], runs[3]}
    kept = {path.name for path in (quality / "validations").glob("*/*")}
    assert kept == {runs[0], runs[2], runs[3]}
    assert [run for run in runs if run in index.read_text()] == runs[2:]

    data_docs(quality, "body {}", ())
    assert {page.parts[-3] for page in _pages(quality)} == {runs[2], runs[3]}
