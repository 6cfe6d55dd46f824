"""What a forked dbt does: the command that it is told, in the folder and environment it is told."""

import os
import sys
from typing import Any


def prepare() -> None:
    """Import what each command of dbt imports first."""
    import dbt.adapters.duckdb
    import dbt.cli.main  # noqa: F401


def do(order: dict[str, Any]) -> None:
    """Do `{"words": […], "folder": …, "environment": {…}, "output": …}`, and exit as `dbt` does."""
    from dbt.cli.main import cli

    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    with open(order["output"], "w") as output:  # noqa: PTH123
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    try:
        cli(order["words"], prog_name="dbt")
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(int(end.code or 0))
