"""What a forked sender of an issue does in a home of its own: lead it, or send it along."""

import os
import time
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.deliver import deliver, deliver_along
from flows.errors import OperationError
from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing
from flows.mailing.sending import SendReport
from flows.settings import Settings, load_settings

PATIENCE_SECONDS = 5.0  # for the leader to begin


def prepare() -> None:
    """Nothing: what is imported is enough."""


def do(order: dict[str, Any]) -> None:
    """Do `{"do": "lead" | "along", "day": …, "now": …, "others": …, "settings": …, "says": …}`."""
    os.environ.update(order["settings"])
    settings = load_settings()
    with closing(open_mailing(settings)) as mailing:
        try:
            report = (_lead if order["do"] == "lead" else _along)(mailing, settings, order)
            said = f"{report.issue.state}: {report.sentence}" if report else "nothing"
        except OperationError as error:
            said = f"refused: {error}"
    Path(order["says"]).write_text(said, encoding="utf-8")


def _lead(mailing: Mailing, settings: Settings, order: dict[str, Any]) -> SendReport:
    """Send the issue in the home, with others who are started by the test."""
    others = int(order["others"])
    return deliver(
        mailing,
        settings.issue_folder(date.fromisoformat(order["day"])),
        settings,
        datetime.fromisoformat(order["now"]),
        start_others=lambda *_: others,
    )


def _along(mailing: Mailing, settings: Settings, order: dict[str, Any]) -> SendReport | None:
    """Send it along once a leader has others do so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        day = date.fromisoformat(order["day"])
        if report := deliver_along(mailing, settings, "daily", day):
            return report
        time.sleep(0.01)
    return None
