"""How long a day's build takes on a long history, against the same build on a short one.

    PYTHONPATH=. python tests/benchmarks/bench_history.py [rounds [copies]]

Two warehouses, of 10,000 papers and of 1,000,000, each paper with five readings over two weeks. The
short one is generated and built; the long one is a hundred of it (99 copies), one before the other.
A round adds a list to each, in turn, and does what `transform` does: say what is stale, and dbt's
build; and publishes each. At last each is published anew, and every mart of it is made anew, which
is what bringing the last publication up to date and incremental models spare a day.
"""

import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track

from flows.settings import Settings
from flows.transform import _dbt_build
from flows.warehouse.database import connect
from flows.warehouse.stale_dates import mark_built, mark_stale
from tests.benchmarks.figures import Figure, tell
from tests.benchmarks.made_up_lists import LAST, add_readings, earlier, tables
from tests.support.dbt_build import Warehouse
from tests.support.publishing import put_out

GOAL = 1.3
GOAL_GB = 2
A_DAY, READINGS = 40, 5
DAYS = 252  # 36 weeks, 10,000 papers
COPIES = 99

# Every hundredth paper is submitted again three days later.
_ITEMS = """
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
"""


_IDS = ("paper_id", "reading_id", "run_id")


class _History:
    """A warehouse of DAYS list dates and of copies of them; `day` adds a list and builds it."""

    def __init__(self, folder: Path, copies: int, console: Console) -> None:
        folder.mkdir()
        self.settings = Settings(home=folder, embedding_model="none")
        Warehouse(folder, self.settings.warehouse_path)
        self.last = LAST
        self._read(LAST - timedelta(days=DAYS - 1), LAST, READINGS)
        self._build(is_first=True)
        with connect(self.settings.warehouse_path) as connection:
            stored = tables(connection, "raw", "audit", "staging", "marts")
            for table, *_ in stored:
                connection.execute(f"create temp table {_original(table)} as from {table}")
            # The days after its last list would stand beside the first ones of the copy after it.
            trending = _original("marts.trending_papers")
            connection.execute(f"delete from {trending} where as_of_date > ?", [LAST])
            # One after the other: rows lie in the order of days, as a history's do.
            for copy in track(range(copies, 0, -1), f"{copies} copies", console=console):
                for table, names, types in stored:
                    connection.execute(_copied(table, names, types, copy))
            counts = (
                "(select count(*) from marts.papers), (select count(*) from marts.paper_readings)"
            )
            self.size: tuple[int, int] = connection.execute(f"select {counts}").fetchall()[0]

    def day(self) -> tuple[float, float]:
        """Add a list: the seconds until it is known what is stale, and those of the build."""
        self.last += timedelta(days=1)
        self._read(self.last, self.last, 1)
        return self._build(is_first=False)

    def anew(self) -> float:
        """The seconds of a build that makes every mart anew."""
        return sum(self._build(is_first=True))

    def publish(self) -> float:
        """The seconds of a publication of what is built, from the last one where there is one."""
        began = time.perf_counter()
        put_out(self.settings)
        return time.perf_counter() - began

    def publish_anew(self) -> float:
        """The seconds of a publication that makes all anew."""
        self.settings.published_path.with_suffix(".json").unlink()
        return self.publish()

    def _read(self, first: date, last: date, reading_count: int) -> None:
        with connect(self.settings.warehouse_path) as connection:
            add_readings(connection, first, last, size=A_DAY, reading_count=reading_count)
            connection.execute(_ITEMS, {"size": A_DAY})

    def _build(self, *, is_first: bool) -> tuple[float, float]:
        began = time.perf_counter()
        with connect(self.settings.warehouse_path) as connection:
            stale = mark_stale(connection, every_date=is_first)
        marked = time.perf_counter()
        nodes = _dbt_build(self.settings, stale, is_new_project=is_first)
        assert {node.status for node in nodes} <= {"success", "pass", "no-op"}, nodes
        with connect(self.settings.warehouse_path) as connection:
            mark_built(connection)
            connection.execute(_BUILT_WITH)
        return marked - began, time.perf_counter() - marked


_BUILT_WITH = "create or replace table staging.built_with as select 'x' as project_sha256"
_Days = tuple[tuple[float, float], tuple[float, float]]


def _copied(table: str, names: list[str], types: list[str], copy: int) -> str:
    columns = [
        f"'{copy}.' || {name}" if name in _IDS else earlier(name, kind, copy * DAYS)
        for name, kind in zip(names, types, strict=True)
    ]
    return f"insert into {table} select {', '.join(columns)} from {_original(table)}"


def _original(table: str) -> str:
    return f"temp.{table.replace('.', '_')}"


def main(rounds: int, copies: int) -> None:
    """Measure both, in turn, and the most memory that was in use."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        short = _History(Path(folder) / "short", 0, console)
        long = _History(Path(folder) / "long", copies, console)
        console.print(f"papers and paper readings: {short.size} and {long.size}")
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of generating
        for history in (short, long):
            history.publish()
            history.day()
        taken, published = list[_Days](), list[tuple[float, float]]()
        for _ in range(rounds):
            taken.append((long.day(), short.day()))
            published.append((long.publish(), short.publish()))
        status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        published_anew = (long.publish_anew(), short.publish_anew())
        anew = {history.size[0]: history.anew() for history in (short, long)}
    name = f"a day's build, {long.size[0]:,} papers"
    floor_name = f"{short.size[0]:,} papers"
    ours, floor = (tuple(map(sum, days)) for days in zip(*taken, strict=True))
    tell(Figure(name, "s", ours, floor, floor_name, GOAL))
    stale, of_floor = (tuple(day[0] for day in days) for days in zip(*taken, strict=True))
    tell(Figure("of it what is stale", "s", stale, of_floor, floor_name))
    for (papers, seconds), days in zip(anew.items(), (floor, ours), strict=True):
        day = (statistics.median(days),)
        tell(Figure(f"every mart anew, {papers:,} papers", "s", (seconds,), day, "a day"))
    for history, days, all_anew in zip(
        (long, short), zip(*published, strict=True), published_anew, strict=True
    ):
        name = f"publication of a day, {history.size[0]:,} papers"
        tell(Figure(name, "s", (statistics.median(days),), (all_anew,), "all anew"))
    peak = int(dict(line.split(":", 1) for line in status)["VmHWM"].split()[0]) * 1024 / 1e9
    tell(Figure("memory of both", "GB", (peak,), most=GOAL_GB))


if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:]]
    main(*(given + [7, COPIES][len(given) :]))
