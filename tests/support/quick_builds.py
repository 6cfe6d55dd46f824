"""Builds without dbt's data tests, which tests/dbt runs: they are a third of a build."""

from collections.abc import Callable
from typing import Any

from flows.settings import Settings

Invoke = Callable[[Settings, list[str]], Any]


def without_data_tests(invoke: Invoke) -> Invoke:
    """The same `transform._invoke`, in whose builds no data test is run."""

    def quick(settings: Settings, arguments: list[str]) -> Any:
        without = ["--exclude-resource-type", "test"] if arguments[0] == "build" else []
        return invoke(settings, arguments + without)

    return quick
