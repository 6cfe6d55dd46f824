"""A part of an issue's readers: what another run, its leader, starts in a work pool to send along.

leader's run ──start_shards──▶ send_shard on any worker ──▶ pages of the same ledger
"""

from contextlib import closing
from datetime import date

from prefect import flow
from prefect.client.schemas.objects import State

from flows.daily_papers import run_to_final_state
from flows.deliver import deliver_along
from flows.mail_setup import open_mailing
from flows.newsletter.digest import Edition
from flows.outcome import Outcome
from flows.runs.pool import SEND_SHARD_FLOW
from flows.runs.progress import sending
from flows.settings import load_settings


@flow(name=SEND_SHARD_FLOW)  # the leader names its runs
def send_shard(edition: Edition, issue_date: date) -> State:
    """Send an issue along with the run that began it, which says when, what, and how fast."""
    settings = load_settings()

    def path() -> Outcome:
        with closing(open_mailing(settings)) as mailing:
            report = deliver_along(mailing, settings, edition, issue_date, on_progress=sending())
        if report is None:
            return Outcome("empty", f"The {edition} issue of {issue_date} needs no sender more.")
        return Outcome("complete", report.sentence, is_blocked=report.is_blocked)

    return run_to_final_state(path)
