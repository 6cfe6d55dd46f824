"""A flow run as a terminal shows it: a line a stage, the verdict's sentence last."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.file_lock import words_of_holder
from flows.outcome import Outcome
from flows.runs.interruption import ending_by_ctrl_c
from flows.settings import Settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SERVE_LOCK = "serve.lock"
SHOWN = "is_shown"  # of a log record: to be shown at the terminal too


def prepare(settings: Settings) -> None:
    """Give Prefect its home in ours and a quiet terminal. It must not have been imported yet.

    Beside a running `papers serve` its server is used: two would lock each other's database.
    """
    if served := served_api(settings):
        os.environ.setdefault("PREFECT_API_URL", served)
    home = os.environ.setdefault("PREFECT_HOME", str(settings.home / "prefect"))
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    # The temporary server takes 7 s on a quiet machine; on a busy one 20 s, the default, is short.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    Path(home).mkdir(parents=True, exist_ok=True)


def served_api(settings: Settings) -> str | None:
    """The address of Prefect's API where `papers serve` runs for this home; else None."""
    return words_of_holder(settings.home / SERVE_LOCK) or None


def has_server() -> bool:
    """Whether Prefect's server is one that outlives a command, so that workers may be at it."""
    from prefect.settings import get_current_settings

    return get_current_settings().api.url is not None


def run_quietly(start: Callable[[], "State[Any]"], console: Console) -> Outcome:
    """Run a flow, show its stage lines and nothing else of Prefect's, and give its outcome.

    What is heavy to import is imported beside, while the temporary server starts.
    """
    from prefect.logging.configuration import setup_logging
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.runs.states import outcome_of

    setup_logging()
    threading.Thread(target=_import_heavy, daemon=True).start()
    _start_server()
    # The heartbeat's thread is joined at the end of a run, which would cost a second.
    no_heartbeat = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    with no_heartbeat, _lines_on(console), ending_by_ctrl_c(Console(stderr=True, soft_wrap=True)):
        state = start()
    return outcome_of(state)  # what a bug raised has its traceback, which is for us


def _start_server() -> None:
    """Let Prefect start its temporary server, if there is no other, out of reach of Ctrl-C.

    A terminal interrupts all processes of a command. Without its server the run could not end.
    """
    from prefect.client.orchestration import get_client

    def start() -> None:
        # Of this thread alone; what it starts takes the mask over.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        get_client(sync_client=True)

    starting = threading.Thread(target=start, daemon=True)
    starting.start()
    starting.join()


@contextmanager
def _lines_on(console: Console) -> Iterator[None]:
    """Show the lines of stages and progress on this console, and what our own code warns of."""
    lines = _Lines(console)
    loggers = [
        logging.getLogger(name) for name in ("prefect.task_runs", "prefect.flow_runs", "flows")
    ]
    for logger in loggers:
        logger.addHandler(lines)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(lines)


class _Lines(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        is_ours = record.name.startswith("flows") and record.levelno >= logging.WARNING
        if is_ours or getattr(record, SHOWN, False):
            self._console.print(record.getMessage(), markup=False)


def _import_heavy() -> None:
    import dbt.cli.main  # noqa: F401

    from flows.gates.gate import warm_up

    warm_up()
