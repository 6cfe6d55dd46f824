"""`papers serve`: a Prefect server, the schedules and the reader pages, kept running as one.

papers serve ──▶ prefect server   flows.deployments (a process a run)   papers web

Each child leads a process group. One that ends is started again, after what it left behind is gone;
when this process ends, however it ends, its children end too.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from flows import clock
from flows.file_lock import try_to_lock
from flows.outcome import EXIT_USAGE
from flows.runs.schedule import check_schedule, why_too_late
from flows.runs.terminal import SERVE_LOCK, prepare
from flows.settings import Settings, SettingsError

UI_PORT = "4200"
SCHEDULES = "the schedules"
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - if the operator asks for it
# Pauses before a child starts again; they begin anew after it has lived this long (seconds).
LONGEST_PAUSE, LIVED_LONG = 60.0, 60.0
# Of the ten seconds that a stop may take: the runs first, which report to the server, then it.
RUNS_GRACE, ALL_GRACE = 4.0, 3.0
_PR_SET_PDEATHSIG = 1
_VACUUM = "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"


@dataclass
class Child:
    """One of the processes, and how it has fared."""

    name: str
    command: list[str]
    parting: signal.Signals  # what it gets should this process be killed
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    began: float = 0.0
    pause: float = 1.0
    due: float = 0.0
    banner: str = ""  # said once, when the address answers
    address: tuple[str, int] | None = None

    def start(self) -> None:
        """Begin, in a process group of its own."""
        parent = os.getpid()
        self.process = subprocess.Popen(  # noqa: S603 - the commands are ours
            self.command,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent, self.parting),  # noqa: PLW1509 - no threads here
        )
        self.began = time.monotonic()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start it if it is due; if it has ended, say so and make it due again."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
        elif self.banner and self.address and _answers(self.address):
            say(self.banner)
            self.banner = ""
        elif (code := self.process.poll()) is not None:
            self.kill()
            if code == EXIT_USAGE:
                # its own sentence stands above; starting it again would not change a setting
                raise SettingsError(f"{self.name[0].upper()}{self.name[1:]} cannot start.")
            self.pause = 1.0 if now - self.began > LIVED_LONG else self.pause
            say(f"{self.name} ended ({_ending(code)}); it starts again in {self.pause:.0f} s.")
            self.process, self.due = None, now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)

    def ask_to_end(self) -> None:
        """Ask it to end."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        """Wait for its end, but no longer than that."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(until - time.monotonic(), 0.01))

    def kill(self) -> None:
        """End whatever is left of it and of what it started."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Run until SIGTERM or Ctrl-C; then everything has ended within ten seconds.

    Raises:
        SettingsError: a port is taken, the schedule is no cron line, or this home is being served.
    """
    prepare(settings)
    with _only_one(settings) as lock:
        children = list(_children(settings, host, port, say))
        check_schedule(settings)
        if late := why_too_late(settings, clock.utc_now()):
            say(late)
        lock.write(os.environ["PREFECT_API_URL"])
        lock.flush()
        stopping: list[int] = []

        def stop(signal_number: int, _: FrameType | None) -> None:
            stopping.append(signal_number)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            while not stopping:
                for child in children:
                    child.look_after(say)
                time.sleep(0.2)
            say("Stopping.")
        finally:
            _end(children)


def _children(
    settings: Settings, host: str, port: int, say: Callable[[str], None]
) -> Iterator[Child]:
    """The processes to run; says a line about each."""
    check_port(host, port, "--port names another")
    if "public_url" not in settings.model_fields_set:  # so that the links in mails lead here
        os.environ["PAPERS_PUBLIC_URL"] = f"http://localhost:{port}"
    if given := os.environ.get("PREFECT_API_URL"):
        say(f"Prefect       {given}")
    else:
        yield _server()
    # Prefect's runner warns of its own way to stop.
    calm = ["-W", "ignore::RuntimeWarning:prefect.runner.runner"]
    schedules = [sys.executable, *calm, "-m", "flows.deployments"]
    yield Child(SCHEDULES, schedules, signal.SIGTERM)
    pages = [sys.executable, "-m", "flows", "web", "--host", host, "--port", str(port)]
    banner = f"reader pages  http://{host}:{port}"
    yield Child("the reader pages", pages, signal.SIGKILL, banner=banner, address=(host, port))
    say(f"digest        {settings.schedule} ({settings.timezone})")
    say(f"home          {settings.home}")
    say("Ctrl-C stops all of it.")


def _server() -> Child:
    """A Prefect server of our own, whose address the other children get."""
    host = os.environ.get("PREFECT_SERVER_API_HOST", LOOPBACK)
    port = os.environ.get("PREFECT_SERVER_API_PORT", UI_PORT)
    if not port.isdecimal():
        raise SettingsError(f"PREFECT_SERVER_API_PORT cannot be used: {port!r} is no port.")
    check_port(host, int(port), "PREFECT_SERVER_API_PORT names another")
    place = f"http://{LOOPBACK if host == EVERYWHERE else host}:{port}"
    os.environ["PREFECT_API_URL"] = f"{place}/api"
    # Without it the pages look for their server on port 4200.
    os.environ.setdefault("PREFECT_UI_API_URL", f"{place}/api")
    command = ["-m", "prefect", "server", "start", "--host", host, "--port", port]
    settings = {
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
        # Runs older than 90 days, their logs and their artifacts go; Prefect keeps them for ever.
        _VACUUM: os.environ.get(_VACUUM, "events,flow_runs"),
    }
    return Child(
        "the Prefect server",
        [sys.executable, *command],
        signal.SIGKILL,
        settings,
        banner=f"Prefect UI    {place}",
        address=(LOOPBACK if host == EVERYWHERE else host, int(port)),
    )


def _end(children: list[Child]) -> None:
    """The schedules first, which still report to the server; then all others; then by force."""
    runs = [child for child in children if child.name == SCHEDULES]
    for group, grace in ((runs, RUNS_GRACE), (children, ALL_GRACE)):
        for child in group:
            child.ask_to_end()
        until = time.monotonic() + grace
        for child in group:
            child.wait(until)
    for child in children:
        child.kill()


@contextmanager
def _only_one(settings: Settings) -> Iterator[IO[str]]:
    """Make sure that this is the home's only `papers serve`: two would each start every run."""
    with (settings.home / SERVE_LOCK).open("a+") as file:
        if not try_to_lock(file):
            raise SettingsError(f"`papers serve` runs already for {settings.home}.")
        file.truncate(0)
        yield file


def check_port(host: str, port: int, way_out: str) -> None:
    """See that this address can be listened on. Raises SettingsError, with the way out."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise SettingsError(f"Cannot listen on {host}:{port} ({why}); {way_out}.") from None


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=0.2).close()
    except OSError:
        return False
    return True


def _die_with(parent: int, parting: signal.Signals) -> None:
    """Let the system send this process a signal when its parent is gone (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, parting)
        if os.getppid() != parent:
            os._exit(1)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
