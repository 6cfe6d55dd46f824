"""Pictures of the quality reports in README.md: the front page, and a page of the Data Docs.

Needs Debian's chromium and pngquant. Everything is made in a temporary folder: sixty days of a
sample Hub with a few bad ones among them.

.venv/bin/python -m tests.support.quality_pictures
"""

import os
import sys
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from rich.console import Console

from flows import clock
from flows.runs.terminal import prepare, run_quietly
from flows.sources.sample_hub import SampleHub
from tests.support.pictures import FOLDER, browser, shrink

FRONT, DATA_DOCS = FOLDER / "quality-front.png", FOLDER / "data-docs.png"
WIDTH, HEIGHT, SCALE = 1240, 900, 1.5
NEWEST = date(2026, 8, 20)
NOW = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
# What the Hub does on single days of the history, and on the days that are run one by one.
HISTORY = (
    "zero_votes,date=2026-07-22", "one_without_upvotes,date=2026-08-05", "503,date=2026-08-11",
)  # fmt: skip
DAYS = {3: "new_fields", 2: "hostile_title", 1: "zero_votes", 0: "one_without_upvotes"}


def make_home(home: Path) -> None:
    """Sixty days in a home of its own, the last four of them run and mailed one by one."""
    from flows.settings import load_settings

    os.environ["PAPERS_HOME"] = str(home)
    settings = load_settings()
    prepare(settings)
    from flows.backfill import backfill
    from flows.daily_papers import daily_papers
    from flows.mail_setup import open_mailing
    from flows.mailing.subscribers import add

    quiet = Console(quiet=True)
    with closing(open_mailing(settings)) as mailing:
        for name in ("ana", "bob", "cleo"):
            add(mailing, f"{name}@example.org", now=NOW)
    with SampleHub(now=NOW, faults=HISTORY) as hub:
        os.environ["PAPERS_HUB_URL"] = hub.url
        clock.utc_now = lambda: hub.now
        first, last = NEWEST - timedelta(days=59), NEWEST - timedelta(days=max(DAYS) + 1)
        hub.now = NOW - timedelta(days=max(DAYS) + 1)
        run_quietly(partial(backfill, first, last, return_state=True), quiet)
        for age, fault in DAYS.items():
            day = NEWEST - timedelta(days=age)
            hub.heal()
            hub.fail(fault)
            hub.now = NOW - timedelta(days=age)
            run_quietly(partial(daily_papers, day, return_state=True), quiet)


def take(home: Path) -> list[Path]:
    """Take both pictures of a home."""
    quality = home / "quality"
    items = quality / "data_docs" / "validations" / "raw_items"
    (deviating,) = items.glob(f"{NEWEST}.*/*/*.html")
    with browser() as chromium:
        for picture, shown in ((FRONT, quality / "index.html"), (DATA_DOCS, deviating)):
            page = chromium.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
            )
            page.goto(shown.as_uri())
            page.screenshot(path=picture)
            shrink(picture)
    return [FRONT, DATA_DOCS]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_home(Path(folder))
        for taken in take(Path(folder)):
            sys.stdout.write(f"{taken.stat().st_size:,} bytes at {taken.name}\n")
