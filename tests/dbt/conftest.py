"""An empty warehouse for each test. All share a path, or dbt would parse the project for each."""

from pathlib import Path

import pytest

from tests.dbt.build import Warehouse


@pytest.fixture(scope="session")
def dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture
def warehouse(dbt_folder: Path) -> Warehouse:
    path = dbt_folder / "warehouse.duckdb"
    path.unlink(missing_ok=True)
    return Warehouse(dbt_folder, path)
