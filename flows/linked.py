"""What grew out of the papers of the last lists: their models, datasets and Spaces on the Hub.

the Hub, read before the lock is taken ──▶ extract ──▶ validate ──▶ transform ──▶ publish

No list, verdict or issue looks at any of it: a Hub in trouble costs this reading, and nothing else.
"""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from flows import clock
from flows.daily_papers import run_to_final_state
from flows.extract import extract_linked
from flows.outcome import Outcome
from flows.publish import publish
from flows.runs.flow_runs import one_writer
from flows.settings import Settings, load_settings
from flows.sources.hub import Answer
from flows.sources.linked import PaperHub
from flows.transform import transform
from flows.validate import validate
from flows.warehouse.database import PATIENCE_SECONDS, has_table, looking

# The Hub's window has 500 requests, and the lists come first.
MOST_PAPERS = 400


@flow(name="linked repositories", flow_run_name="What grew out of the papers of the last lists")
def linked_repositories() -> State:
    """Ask the Hub about the papers of the last lists, and publish what it says of them."""
    settings = load_settings()

    def path() -> Outcome:
        papers = papers_to_ask(settings)
        if not papers:
            return Outcome("empty", "No paper of the last lists is left to ask about.")
        hub = PaperHub(settings.hub_url, settings.hub_token)
        answer = hub.read(papers, clock.utc_now)
        with one_writer(settings):
            return publish_linked(answer, settings)

    return run_to_final_state(path)


def publish_linked(answer: Answer, settings: Settings) -> Outcome:
    """Keep what the Hub said, let its gate judge it, build and publish it. The caller is writer."""
    reading = extract_linked(answer, settings).readings[0]
    stopped = validate("linked", settings).stopping(reading.reading_id)
    if stopped or reading.verdict == "failed":
        return Outcome("failed", f"Failed. {stopped.reason if stopped else reading.reason}")
    refusal = transform(settings).refusing(reading.reading_id)
    if refusal:
        return Outcome("failed", f"Failed. {refusal.reason}")
    publish(settings)
    return Outcome("complete", reading.reason)


def papers_to_ask(settings: Settings) -> Sequence[str]:
    """The papers of the last REREAD_DAYS lists, those first that were never or longest not asked.

    Raises:
        WarehouseBusyError: a run was at work all the while that one waits at a terminal.
    """
    if not settings.warehouse_path.exists():
        return ()
    with looking(settings, PATIENCE_SECONDS) as connection:
        if not has_table(connection, "marts", "listings"):
            return ()
        values = {"lists": settings.reread_days, "most": MOST_PAPERS}
        return [row[0] for row in connection.execute(_TO_ASK, values).fetchall()]


_TO_ASK = """
    with

    lists as (
        select distinct list_date from marts.listings order by list_date desc limit $lists
    ),

    asked as (
        select paper_id, max(items.read_at) as asked_at
        from raw.items as items
        inner join raw.readings as readings using (reading_id)
        where readings.kind = 'linked'
        group by paper_id
    )

    select paper_id
    from marts.listings
    inner join lists using (list_date)
    left join asked using (paper_id)
    where not listings.is_removed
    group by paper_id
    order by max(asked.asked_at) nulls first, max(list_date) desc, paper_id
    limit $most
"""
