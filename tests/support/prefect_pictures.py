"""Pictures of Prefect's UI after a week of good and bad days, the one in README.md among them.

Needs Debian's chromium and pngquant. Everything is made in a temporary folder: a Prefect server,
a sample Hub that has a bad week, and a run of each day.

.venv/bin/python -m tests.support.prefect_pictures [FOLDER FOR ALL THE OTHER PICTURES]
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import requests
from playwright.sync_api import Page

from flows.sources.feed_day import closes_at
from flows.sources.sample_hub import SampleHub
from tests.support.pictures import FOLDER, browser, shrink

PICTURE = FOLDER / "prefect-run.png"
WIDTH, HEIGHT, SCALE = 1280, 660, 1.5
# What the Hub does on each day, and so how the day ends.
WEEK: tuple[tuple[date, str | None], ...] = (
    (date(2026, 8, 13), None),  # complete
    (date(2026, 8, 14), "503"),  # failed
    (date(2026, 8, 15), None),  # empty: a Saturday
    (date(2026, 8, 17), "empty"),  # partial: a Monday with no papers, until a second reading agrees
    (date(2026, 8, 18), "zero_votes"),  # failed: gate raw
    (date(2026, 8, 19), "mail"),  # complete, and the relay is down
    (date(2026, 8, 20), None),  # complete
    (date(2026, 8, 25), None),  # not open
)
NOW = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
SHOWN = date(2026, 8, 18)  # the day whose page stands in README.md


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """A server of this home alone, and the URL of its UI."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_UI_API_URL": f"{url}/api",  # else the UI asks port 4200
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{url}/api/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(1200):
        assert process.poll() is None, "the Prefect server did not start"
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the Prefect server did not start")


def run_week(home: Path) -> None:
    """Run each day of the week in this process, an hour after it closed."""
    os.environ.update(
        PAPERS_HOME=str(home),
        PAPERS_PUBLIC_URL="https://papers.example.org",
        PAPERS_MAIL_FROM="Daily Papers <papers@example.org>",
        PAPERS_OPERATOR_EMAIL="operator@example.org",
    )
    from flows import clock, extract
    from flows.commands.mail import add_
    from flows.daily_papers import daily_papers
    from flows.sources.hub import Hub, Patience

    patience = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=2)
    setattr(extract, "Hub", lambda url, token: Hub(url, token, patience))  # noqa: B010
    for reader in ("ann", "bob", "eve"):
        add_(f"{reader}@example.org")
    for day, trouble in WEEK:
        at = min(closes_at(day) + timedelta(hours=1), NOW)
        clock.utc_now = lambda at=at: at  # type: ignore[misc]
        with SampleHub(now=at, size=43) as hub:
            os.environ["PAPERS_HUB_URL"] = hub.url
            os.environ["PAPERS_MAIL_URL"] = "smtp://127.0.0.1:9?tls=none" * (trouble == "mail")
            hub.fail(*[trouble] if trouble and trouble != "mail" else [])
            daily_papers(day, return_state=True)


def pages(url: str) -> dict[str, str]:
    """The pages to look at, by name: the runs, each day's run, and the artifacts of two days."""
    runs = requests.post(f"{url}/api/flow_runs/filter", json={"limit": 50}, timeout=10).json()
    kept = requests.post(f"{url}/api/artifacts/latest/filter", json={}, timeout=10).json()
    return (
        {"runs": "/runs", "artifacts": "/artifacts"}
        | {f"run-{run['parameters']['day'][:10]}": f"/runs/flow-run/{run['id']}" for run in runs}
        | {
            artifact["key"]: f"/artifacts/artifact/{artifact['latest_id']}"
            for artifact in kept
            if artifact["key"].startswith((str(SHOWN), "2026-08-20"))
        }
    )


def take(page: Page, url: str, path: str, picture: Path) -> None:
    """Take the picture of a page of the UI once it has its data."""
    page.goto(f"{url}{path}")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    page.screenshot(path=picture)


def main(others: Path | None) -> None:
    """Run the week and take the pictures."""
    with tempfile.TemporaryDirectory(prefix="papers-pictures-") as folder:
        home = Path(folder)
        with prefect_server(home / "prefect") as url:
            os.environ.update(PREFECT_API_URL=f"{url}/api", PREFECT_HOME=str(home / "client"))
            run_week(home / "papers")
            with browser() as chromium:
                page = chromium.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
                )
                found = pages(url)
                take(page, url, found[f"run-{SHOWN}"], PICTURE)
                shrink(PICTURE)
                if others:
                    for name, path in found.items():
                        take(page, url, path, others / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
