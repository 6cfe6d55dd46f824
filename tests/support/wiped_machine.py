"""What a forked command does on a machine that is wiped after it, and where it is killed."""

import os
import signal
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flows import backfill, clock, daily_papers, deliver, extract
from flows.commands import state
from flows.commands.cli import answer
from flows.sources.hub import Hub, Patience
from tests.support.killed_run import prepare as prepare_runs

_PATIENCE = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=0.5)


def prepare() -> None:
    """What a killed run prepares; and a Hub that is asked quickly again when it fails."""
    prepare_runs()
    for module in (extract, backfill):
        module.Hub = lambda url, token: Hub(url, token, _PATIENCE)  # type: ignore[attr-defined]


def do(order: dict[str, Any]) -> None:
    """Run `papers` with `{"words": […], "settings": {…}, "now": …, "says": file, "dies": where}`."""
    os.environ.update(order["settings"])
    now = datetime.fromisoformat(order["now"])
    clock.utc_now = lambda: now
    said = os.open(order["says"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if order.get("dies"):
        _DEATHS[order["dies"]]()
    os._exit(answer(order["words"]))


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_after(do: Callable[..., Any]) -> Callable[..., None]:
    def done(*arguments: Any, **named: Any) -> None:
        do(*arguments, **named)
        _die()

    return done


def _before_it_is_kept() -> None:
    daily_papers.publish = _die  # type: ignore[assignment]


def _kept_before_the_mail() -> None:
    deliver.keep_before_mail = _dying_after(deliver.keep_before_mail)


def _mailed_and_not_kept() -> None:
    state.give_back = _die  # type: ignore[assignment]


_DEATHS = {
    "before it is kept": _before_it_is_kept,
    "kept before the mail": _kept_before_the_mail,
    "mailed and not kept": _mailed_and_not_kept,
}
