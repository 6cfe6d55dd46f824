"""What the stages that are Prefect tasks share: each logs one line of what it did."""

import time
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, Protocol, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.runs.interruption import safe_point
from flows.runs.terminal import SHOWN


class Report(Protocol):
    """What a stage gives back: a small frozen record with one plain sentence."""

    @property
    def sentence(self) -> str:
        """What the stage did, in one line."""


Given = ParamSpec("Given")
R = TypeVar("R", bound=Report)


def stage(function: Callable[Given, R]) -> Callable[Given, R]:
    """A stage of the path: a task run in Prefect, and one line in its log and on the terminal.

    No retries and no cache: the HTTP session repeats what the world broke, a failed gate is not
    transient, and every stage can be run again as it is.
    """

    @wraps(function)
    def logged(*args: Given.args, **kwargs: Given.kwargs) -> R:
        safe_point()
        started = time.monotonic()
        report = function(*args, **kwargs)
        seconds = time.monotonic() - started
        line = f"{function.__name__:9} {report.sentence} ({seconds:.1f} s)"
        get_run_logger().info(line, extra={SHOWN: True})
        return report

    name = function.__name__
    asks = "gate" in signature(function).parameters
    run_name = f"{name} {{gate}}" if asks else name
    return task(name=name, task_run_name=run_name, cache_policy=NO_CACHE)(logged)
