"""A day as it was known at a time: built, gated and rendered from the readings until then.

papers run 2026-08-20 --as-of 2026-08-20T16:05Z

Everything happens in a home of its own: the Hub is not asked, nothing is mailed, and the warehouse,
the publication, the issues and the ledger stay as they are.
"""

from datetime import date, datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows.daily_papers import or_what_stopped_it, without_stopped
from flows.issues.frozen import issue_files, write_files
from flows.outcome import Outcome
from flows.publication.published import read_digest
from flows.publish import publish
from flows.quality.day_page import write_quality_page
from flows.settings import Settings, load_settings
from flows.transform import transform
from flows.validate import validate
from flows.warehouse.database import connect, writer_lock
from flows.warehouse.restore import restore
from flows.wording import counted


@flow(name="as of", flow_run_name="papers {day} as of {time}", validate_parameters=False)
def as_of_papers(day: date, time: datetime) -> State:
    """Rebuild what was known of a list date at this time; the final state says where it is."""
    settings = load_settings()

    def path() -> Outcome:
        with writer_lock(settings):
            there = restore(settings, day, time)
        return rebuilt_day(day, there)

    return or_what_stopped_it(path)


def rebuilt_day(day: date, there: Settings) -> Outcome:
    """The stages from validate to publish in this home, and the digest where there was one."""
    stopped = validate("raw", there).stopped
    transform(there)
    stopped += without_stopped(validate("marts", there), there).stopped
    publish(there)
    verdict, reason = _standing(there, day)
    page = write_quality_page(there, day, verdict, reason)
    digest = read_digest(there.published_path, day)
    folder = there.home / "digest"
    if digest:
        write_files(folder, issue_files(digest, there))
    papers = counted(len(digest.papers) if digest else 0, "paper")
    sentence = (
        f"It was {verdict.replace('_', ' ')}, with {papers}. {reason} Rebuilt in {there.home}."
    )
    details = tuple(f"{report.list_date}: {report.reason}" for report in stopped)
    return Outcome("complete", sentence, page.path, details, folder if digest else None)


def _standing(there: Settings, day: date) -> tuple[str, str]:
    with connect(there.warehouse_path, read_only=True) as connection:
        row = connection.execute(
            "select verdict, reason from marts.daily_digests where digest_date = ?", [day]
        ).fetchone()
    if row is None:
        raise LookupError(f"{day} has no row in marts.daily_digests")
    return row[0], row[1]
