"""A reader of a lake, attached throughout: newest publication by name, again and again.

Told to stop by the end of its input, it prints as JSON what it has seen and what was not whole.
"""

import json
import select
import sys
from typing import Any

from duckdb import DuckDBPyConnection

from flows.settings import Settings, load_settings
from flows.warehouse.database import has_warehouse, open_warehouse
from flows.warehouse.publications import NamedPublication, at_publication, newest_publication

PAUSE_SECONDS = 0.5
# A publication is whole where each of these finds no row: its tables agree with each other, and
# nothing is in it that was loaded in part or that a gate was not asked about.
BROKEN = {
    "a date is in the readings and not in the digests, or the other way round": """
        select list_date from marts.list_readings
        full join marts.daily_digests on list_date = digest_date
        where list_date is null or digest_date is null
    """,
    "a digest counts other papers than are listed": """
        select digest_date from marts.daily_digests
        left join marts.listings on digest_date = list_date
        group by digest_date, paper_count, listed_count
        having paper_count <> count(paper_id) filter (where not is_removed)
            or listed_count <> count(paper_id)
    """,
    "a digest says other than the quality report of its date": """
        select digest_date from marts.daily_digests
        left join quality.day_reports on digest_date = list_date
        where (daily_digests.verdict, daily_digests.reason, daily_digests.paper_count)
            is distinct from (day_reports.verdict, day_reports.reason, day_reports.paper_count)
    """,
    "a complete list is not what the Hub gave, or no gate passed it": """
        select list_date from quality.day_reports
        where verdict = 'complete' and (
            paper_count <> source_count or failure_count > 0 or passed_count = 0
        )
    """,
    "a list is complete and one of the gates was not asked about it": """
        select list_date from quality.day_reports
        where verdict = 'complete' and (
            select count(distinct gate) from quality.gate_results
            where gate_results.run_id = day_reports.run_id
        ) < 2
    """,
    "a paper is listed and not among the papers": """
        select list_date from marts.listings anti join marts.papers using (paper_id)
    """,
    "a reading that counts has not all of its items": """
        select list_date from marts.list_readings
        where is_admitted and item_count <> (
            select count(*) from marts.paper_readings
            where paper_readings.list_date = list_readings.list_date
                and paper_readings.read_at = list_readings.read_at
        )
    """,
    "votes are of a reading that there is not": """
        select list_date from marts.paper_readings
        anti join marts.list_readings using (list_date, read_at)
    """,
}
_DATES = "select count(*) from marts.daily_digests where verdict in ('complete', 'empty')"
_STATE = "select hash(list(x order by x)) from (select hash(t) as x from marts.{} as t)"
_TABLES = ("listings", "papers", "daily_digests", "list_readings", "paper_readings")


def _look(connection: DuckDBPyConnection) -> tuple[dict[str, list[str]], int, list[Any]]:
    """What is not whole, how many dates are done, and what the tables hold."""
    broken = {
        what: [str(row[0]) for row in rows]
        for what, query in BROKEN.items()
        if (rows := connection.execute(query).fetchall())
    }
    ((dates,),) = connection.execute(_DATES).fetchall()
    held = [connection.execute(_STATE.format(table)).fetchall()[0][0] for table in _TABLES]
    return broken, int(dates), held


def _read(settings: Settings) -> dict[str, Any]:
    seen: dict[NamedPublication, tuple[int, list[Any]]] = {}
    wrong: list[Any] = []
    reads = 0
    is_told_to_stop = False
    while not is_told_to_stop:
        is_told_to_stop = bool(select.select([sys.stdin], [], [], PAUSE_SECONDS)[0])
        newest = newest_publication(settings) if has_warehouse(settings) else None
        if newest is None:
            continue
        with at_publication(settings, newest) as connection:
            broken, dates, held = _look(connection)
        reads += 1
        wrong += [[newest.snapshot, broken]] if broken else []
        last = next(reversed(seen), None)
        if seen.setdefault(newest, (dates, held))[1] != held:
            wrong.append([newest.snapshot, "it changed after it was published"])
        if last and (newest.snapshot < last.snapshot or dates < seen[last][0]):
            wrong.append([newest.snapshot, "it has less than the one before it"])
    return {"reads": reads, "dates": [dates for dates, _ in seen.values()], "wrong": wrong}


if __name__ == "__main__":
    found = load_settings()
    while not (is_there := has_warehouse(found)) and not select.select([sys.stdin], [], [], 0.2)[0]:
        pass
    if is_there:
        with open_warehouse(found):  # attached throughout
            print(json.dumps(_read(found)))  # noqa: T201
