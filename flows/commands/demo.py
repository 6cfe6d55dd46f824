"""The whole path offline: sample days through every stage, in a folder of their own."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from shlex import quote

from rich.console import Console

from flows import clock
from flows.outcome import EXIT_OK, Outcome
from flows.runs.terminal import prepare, run_quietly
from flows.settings import Settings, load_settings
from flows.sources.feed_day import newest_closed
from flows.sources.sample_hub import SampleHub

DAYS = 14
_KEPT = {"PAPERS_EMBEDDING_MODEL"}  # says how search works, not where anything is or goes
QUERY = """
    select digest_rank, title, papers.upvotes_count, why_here
    from daily_digest_papers join papers using (paper_id)
    where digest_date = '{day}' order by digest_rank limit 5"""


def run_demo(settings: Settings, console: Console) -> Outcome:
    """Read two weeks from a sample Hub, then the newest closed day with its digest."""
    home = settings.home / "demo"
    _forget_settings(home)
    prepare(load_settings())
    from flows.backfill import backfill
    from flows.daily_papers import daily_papers

    day = newest_closed(clock.utc_now())
    with SampleHub() as hub:
        os.environ["PAPERS_HUB_URL"] = hub.url
        first, last = day - timedelta(days=DAYS), day - timedelta(days=1)
        console.print(f"Two weeks of sample days, from a sample Hub at {hub.url}")
        history = run_quietly(lambda: backfill(first, last, return_state=True), console)
        console.print(history.sentence)
        if history.exit_code != EXIT_OK:
            return history
        console.print(f"\nThe day: {day:%A %d %B %Y}")
        outcome = run_quietly(lambda: daily_papers(day, return_state=True), console)
    if outcome.issue:
        console.print(f"""
digest    {outcome.issue / "digest.html"}
quality   {outcome.issue / "quality.html"}
database  {load_settings().published_path}
try       PAPERS_HOME={quote(str(home))} {sys.argv[0]} sql "{QUERY.format(day=day)}"
""")
    return outcome


def _forget_settings(home: Path) -> None:
    """Let this process have no setting but its home: made-up papers must not reach real readers.

    The flows read their settings themselves, as a scheduled run does: from the environment and the
    `.env` of the folder that they are in.
    """
    for name in [name for name in os.environ if name.startswith("PAPERS_") and name not in _KEPT]:
        del os.environ[name]
    os.environ.pop("PREFECT_HOME", None)
    os.environ["PAPERS_HOME"] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(home)
