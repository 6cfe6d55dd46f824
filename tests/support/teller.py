"""One look in a process of its own, which may die on the way: `claimed` or `begun`, or not at all.

python -m tests.support.teller 2026-08-21T13:30:00+00:00 [claimed|begun]
"""

import os
import signal
import sys
from datetime import datetime
from typing import Any

from flows.operations import dead_man_check as check
from flows.operations import incidents
from flows.settings import load_settings


def _main(now: str, dies: str = "") -> None:
    begin = incidents.begin

    def dying(*given: Any, **named: Any) -> bool:
        if dies == "claimed":
            os.kill(os.getpid(), signal.SIGKILL)
        begun = begin(*given, **named)
        if dies == "begun":
            os.kill(os.getpid(), signal.SIGKILL)
        return begun

    incidents.begin = dying
    check.look(load_settings(), datetime.fromisoformat(now))


if __name__ == "__main__":
    _main(*sys.argv[1:])
