"""How long a day's build takes on a long history, against the same build on a short one.

    python tests/benchmarks/bench_history.py [rounds]

Two warehouses are generated, of 10,000 papers and of 1,000,000, each paper with five readings over
two weeks. A round adds one reading to a list of each, in turn, and builds it as `transform` does:
the dates that are stale, then dbt with its data tests, in a process that has parsed the project.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track

from flows.settings import Settings
from flows.transform import mark_stale
from flows.warehouse import connect
from tests.dbt.build import Warehouse

GOAL = 1.3
GOAL_BYTES = 2 * 10**9
A_DAY, READINGS = 40, 5
SHORT, LONG = 10_000, 1_000_000
CHUNK = 1_000  # list dates that are filled and built at a time, so that a laptop can
LAST = date(2026, 8, 14)

# A reading of a list: its number says how old the list was, 0.6 days to 13.
_READINGS = """
    create or replace temp table new_readings as
    select
        list_date::date as list_date,
        (list_date + to_hours([14, 26, 76, 172, 318][number + 1])) at time zone 'UTC' as read_at,
        strftime(list_date, '%Y-%m-%d.') || number as reading_id
    from generate_series($first::timestamp, $last::timestamp, interval 1 day) as days (list_date)
    cross join range($from_number, $to_number) as numbers (number)
"""
_INSERTS = (
    """
    insert into raw.readings by name
    select
        reading_id, 'a load' as load_id, 'daily' as kind, 'hub' as origin, list_date, read_at,
        'complete' as verdict, 'All papers read.' as reason, true as is_whole, 200 as http_status,
        1 as page_count, $size as item_count, true as first_page_agrees, '[]' as new_fields,
    from new_readings
    """,
    """
    insert into audit.gates by name
    select
        reading_id as run_id, 'raw' as gate, list_date, true as is_passed, 'Fine.' as reason,
        read_at as checked_at,
    from new_readings
    """,
    # Every hundredth paper is submitted again three days later.
    """
    insert into raw.items by name
    with numbered as (
        select
            new_readings.*,
            position::bigint as position,
            epoch(list_date)::bigint // 86400 * $size + position::bigint as number,
        from new_readings
        cross join range($size) as positions (position)
    ),
    papers as (
        select
            *,
            case when number % 100 = 0 then number - 3 * $size else number end as paper,
            hash(number) % 60 + (epoch(read_at) - epoch(list_date))::bigint // 20000 as votes,
        from numbered
    )
    select
        reading_id, list_date, read_at, position, votes as upvotes_count,
        votes // 9 as comments_count,
        format('{:08d}.{:05d}', paper // 100000, paper % 100000) as paper_id,
        'The title of paper ' || paper as title,
        list_date - interval 2 days as published_at,
        list_date as listed_on,
        json_object(
            'paper', json_object(
                'title', 'The title of paper ' || paper,
                'summary', repeat('What paper ' || paper || ' is about. ', 10),
                'ai_summary', 'In short, paper ' || paper || '.',
                'ai_keywords', [
                    'keyword ' || hash(paper + place) % (200 * place)
                    for place in [1, 2, 5, 9, 20]
                ],
                'authors', [
                    {
                        'name': 'Author ' || hash(paper * place) % 200000,
                        'hidden': false,
                        'user': case when place = 2
                            then {'user': 'user' || hash(paper * place) % 50000} end
                    }
                    for place in [1, 2, 3, 4, 5]
                ],
                'githubRepo', 'https://github.com/o/' || paper,
                'githubStars', votes * 3,
                'organization', json_object('fullname', 'Organization ' || hash(paper) % 3000),
                'submittedOnDailyBy', json_object('user', 'user' || hash(paper) % 20000)
            )
        )::text as item,
    from papers
    """,
)


class _History:
    """A warehouse with this many papers, built; each `day` adds a reading and builds it."""

    def __init__(self, folder: Path, paper_count: int, console: Console) -> None:
        folder.mkdir()
        self.settings = Settings(home=folder)
        self.warehouse = Warehouse(folder, self.settings.warehouse_path)
        self.last = LAST
        first = LAST - timedelta(days=paper_count // A_DAY - 1)
        chunks = [
            (start, min(start + timedelta(days=CHUNK - 1), LAST))
            for start in _every(first, LAST, CHUNK)
        ]
        for start, end in track(chunks, f"{paper_count:,} papers", console=console):
            self._read(start, end, 0, READINGS)
            self._build()

    def day(self) -> float:
        """One reading more: a new list's first. How many seconds its build took."""
        self.last += timedelta(days=1)
        self._read(self.last, self.last, 0, 1)
        began = time.perf_counter()
        self._build()
        return time.perf_counter() - began

    def _read(self, first: date, last: date, from_number: int, to_number: int) -> None:
        span = {"first": first, "last": last, "from_number": from_number, "to_number": to_number}
        with connect(self.settings.warehouse_path) as connection:
            connection.execute(_READINGS, span)
            connection.execute(_INSERTS[0], {"size": A_DAY})
            connection.execute(_INSERTS[1])
            connection.execute(_INSERTS[2], {"size": A_DAY})

    def _build(self) -> None:
        with connect(self.settings.warehouse_path) as connection:
            tables = connection.execute("select 1 from duckdb_tables() where schema_name = 'marts'")
            is_first = not tables.fetchall()
            mark_stale(connection, every_date=is_first)
            days = connection.execute("from staging.stale_list_dates").fetchall()
        self.warehouse.stale = {day for (day,) in days}
        kinds = ("--exclude-resource-type", "unit_test", "--exclude", "tag:all_history")
        self.warehouse.build("build", *kinds)


def _every(first: date, last: date, days: int) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=days)


def main(rounds: int) -> None:
    """Print both times and their ratio, round by round, and the most memory that was in use."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        short = _History(Path(folder) / "short", SHORT, console)
        long = _History(Path(folder) / "long", LONG, console)
        short.day(), long.day()
        ratios = []
        for _ in range(rounds):
            one, other = long.day(), short.day()
            ratios.append(one / other)
            console.print(f"{LONG:,} papers {one:.2f} s, {SHORT:,} {other:.2f} s: {one / other:.2f}")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    console.print(f"median ratio {statistics.median(ratios):.2f}; the goal is at most {GOAL}")
    console.print(f"peak {most / 10**9:.2f} GB, with the generation; the goal is {GOAL_BYTES / 10**9:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
