"""How far a process has come, for who stops it on its way.

In its own processor time or by the libraries that it has loaded: other load stretches neither.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Work:
    """What a process has done so far: whether it goes on, and its seconds of processor time."""

    is_under_way: bool
    seconds: float


def work_done(process: int) -> Work:
    """What the kernel counted for a child that nobody has waited for yet."""
    words = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ticks = int(words[11]) + int(words[12])  # utime and stime, as proc_pid_stat(5) numbers them
    return Work(is_under_way=words[0] != "Z", seconds=ticks / os.sysconf("SC_CLK_TCK"))


def wait_for_work(process: int, seconds: float) -> Work:
    """Wait until a child has worked so long, or is at its end."""
    while (work := work_done(process)).is_under_way and work.seconds < seconds:
        time.sleep(0.01)
    return work


def wait_for_library(process: int, name: str) -> None:
    """Wait until a child has loaded a library of this name, or is at its end."""
    libraries = Path(f"/proc/{process}/maps")
    while work_done(process).is_under_way and name not in libraries.read_text(encoding="utf-8"):
        time.sleep(0.001)
