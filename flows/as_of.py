"""A day as it was known at a time: built, gated and rendered from the readings until then.

papers run 2026-08-20 --as-of 2026-08-20T16:05Z

Everything happens in a home of its own: the Hub is not asked, nothing is mailed, and the warehouse,
the publication, the issues and the ledger stay as they are.
"""

from datetime import date, datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows.daily_papers import build_and_judge, run_to_final_state
from flows.issues.frozen import issue_files, write_files
from flows.outcome import Outcome
from flows.publication.issue_digest import issue_digest
from flows.publish import publish
from flows.quality.day_page import write_quality_page
from flows.settings import Settings, load_settings
from flows.validate import validate
from flows.warehouse.database import writer_lock
from flows.warehouse.restore import restore
from flows.wording import counted


@flow(name="as of", flow_run_name="papers {day} as of {time}", validate_parameters=False)
def as_of_papers(day: date, time: datetime) -> State:
    """Rebuild what was known of a list date at this time; the final state says where it is."""
    settings = load_settings()

    def path() -> Outcome:
        with writer_lock(settings):
            restored = restore(settings, day, time)
        return rebuilt_day(day, restored)

    return run_to_final_state(path)


def rebuilt_day(day: date, restored: Settings) -> Outcome:
    """The stages from validate to publish in this home, and the digest where there was one."""
    stopped = validate("raw", restored).stopped
    stopped += build_and_judge(restored)[1].stopped
    publish(restored, most_vectors=0)  # nobody searches there
    page = write_quality_page(restored, day)
    digest = issue_digest(restored, day)
    folder = restored.home / "digest"
    if digest:
        write_files(folder, issue_files(digest, restored))
    facts = page.facts
    papers = counted(len(digest.papers) if digest else 0, "paper")
    was = f"It was {facts.verdict.replace('_', ' ')}, with {papers}. {facts.reason}"
    sentence = f"{was} Rebuilt in {restored.home}."
    details = tuple(f"{report.list_date}: {report.reason}" for report in stopped)
    return Outcome("complete", sentence, page.path, details, folder if digest else None)
