"""An empty warehouse for each test."""

from pathlib import Path

import pytest

from tests.support.dbt_build import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, tmp_path / "warehouse.duckdb")
