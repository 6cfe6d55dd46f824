"""What a forked command does on a machine that is wiped after it, and where it is killed."""

import os
import signal
from datetime import datetime
from typing import Any

import flows.commands.mail
import flows.scheduled  # noqa: F401
from flows import backfill, clock, deliver, extract
from flows.commands import state
from flows.commands.cli import answer
from flows.runs import terminal
from flows.sources.hub import Hub, Patience
from flows.state.keeping import keep_before_mail
from tests.support.killed_run import prepare as prepare_runs

_PATIENCE = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=10)


def prepare() -> None:
    """What a killed run prepares; and a Hub that is asked quickly again when it fails."""
    prepare_runs()
    terminal._import_heavy = lambda: None  # it is imported
    for module in (extract, backfill):
        module.Hub = lambda url, token: Hub(url, token, _PATIENCE)  # type: ignore[attr-defined]


def do(order: dict[str, Any]) -> None:
    """Run `papers` by `{"words": […], "settings": {…}, "now": …, "says": file, "dies": where}`."""
    os.environ.update(order["settings"])
    now = datetime.fromisoformat(order["now"])
    clock.utc_now = lambda: now
    said = os.open(order["says"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if order.get("dies"):
        setattr(*_DEATHS[order["dies"]])

    os._exit(answer(order["words"]))


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _keep_and_die(*arguments: Any, **named: Any) -> None:
    keep_before_mail(*arguments, **named)
    _die()


_DEATHS = {
    "before it is kept": (backfill, "publish", _die),
    "kept before the mail": (deliver, "keep_before_mail", _keep_and_die),
    "mailed and not kept": (state, "give_back", _die),
}
