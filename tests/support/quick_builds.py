"""Quick builds: no data test, which tests/dbt runs, and no view a second time: half the nodes."""

from collections.abc import Callable
from typing import Any

from flows.settings import Settings

Invoke = Callable[[Settings, list[str]], Any]
_NO_DATA_TESTS = ["--exclude-resource-type", "test"]
_NO_VIEWS = ["--exclude", "config.materialized:view"]


def quick(invoke: Invoke) -> Invoke:
    """The same `transform._invoke`, in whose builds no data test is run and no view made twice.

    The first build of a project is a full refresh: it makes the views, which stay as they are.
    """

    def invoke_quickly(settings: Settings, arguments: list[str]) -> Any:
        without: list[str] = []
        if arguments[0] == "build":
            without = _NO_DATA_TESTS + _NO_VIEWS * ("--full-refresh" not in arguments)
        return invoke(settings, arguments + without)

    return invoke_quickly
