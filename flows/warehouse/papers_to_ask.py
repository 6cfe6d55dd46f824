"""Which papers the Hub is asked about alone, for the models, datasets and Spaces linked with them.

marts.listings, raw.* of the kind `linked` ──▶ the ids of papers, at most so many a night
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flows.settings import Settings
from flows.warehouse.database import PATIENCE_SECONDS, has_table, has_warehouse, looking

# The Hub's window has 500 requests, and the lists come first.
MOST_PAPERS = 400
# What is read once a night is read again after this, however late a night's run is.
ONCE_A_NIGHT = timedelta(hours=20)


def papers_to_ask(settings: Settings, now: datetime) -> Sequence[str]:
    """The papers of the last REREAD_DAYS lists that were not asked about in the last hours.

    Those come first that never were, then those that were longest ago.

    Raises:
        WarehouseBusyError: a run was at work all the while that one waits at a terminal.
    """
    if not has_warehouse(settings):
        return ()
    with looking(settings, PATIENCE_SECONDS) as connection:
        if not has_table(connection, "marts", "listings"):
            return ()
        values: dict[str, object] = {"asked_before": now - ONCE_A_NIGHT}
        values |= {"lists": settings.reread_days, "most": MOST_PAPERS}
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
    having coalesce(max(asked.asked_at) < $asked_before, true)
    order by max(asked.asked_at) nulls first, max(list_date) desc, paper_id
    limit $most
"""
