"""`papers catch-up`: once, what the schedules do, for machines on which nothing runs for long."""

from flows.commands.cli import tell
from flows.commands.console import console
from flows.runs.terminal import prepare, run_quietly
from flows.settings import load_settings


def catch_up() -> int:
    """All that `papers serve` would have done by now, once: for cron, or a wiped machine."""
    prepare(load_settings())
    from flows import scheduled

    return tell(run_quietly(lambda: scheduled.catch_up(return_state=True), console))
