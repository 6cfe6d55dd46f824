"""Publish a warehouse that a test has built itself, outside of a run."""

from pathlib import Path
from typing import Any

from flows.publish import publish
from flows.settings import Settings
from tests.support.dbt_build import Warehouse


def publish_built(warehouse: Warehouse, settings: Settings) -> Path:
    """Build what is stale in these settings' warehouse, and publish it; the published file."""
    warehouse.build("run")
    warehouse.execute("create or replace table staging.built_with as select 'x' as project_sha256")
    warehouse.close()
    put_out(settings)
    return settings.published_path


def put_out(settings: Settings) -> None:
    """Publish what the warehouse of these settings holds."""
    stage: Any = publish
    stage.fn.__wrapped__(settings)
