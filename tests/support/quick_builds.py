"""Quick builds: no data test, which tests/dbt runs."""

from collections.abc import Callable
from typing import Any

from flows.settings import Settings

Invoke = Callable[[Settings, list[str]], Any]
_NO_DATA_TESTS = ["--exclude-resource-type", "test"]


def quick(invoke: Invoke) -> Invoke:
    """The same `transform._invoke`, in whose builds no data test is run."""

    def invoke_quickly(settings: Settings, arguments: list[str]) -> Any:
        return invoke(settings, arguments + _NO_DATA_TESTS * (arguments[0] == "build"))

    return invoke_quickly
