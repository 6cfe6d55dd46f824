"""Every number of the marts against plain Python from the JSON, on recorded and sample days."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flows.sources.sample_days import items_at
from tests.dbt.build import Warehouse
from tests.dbt.independent import DAY, Barred, History, Response, Trending

COLUMNS = {
    "papers": (
        r"paper_id, title, regexp_replace(abstract, '\s+', ' ', 'g'), organization_name,"
        " author_names, author_count, upvotes_count, comments_count, ai_keywords, submitted_by,"
        " published_on, first_listed_on, last_listed_on, github_stars_count, is_withdrawn,"
        " github_url is not null, first_read_at, last_read_at"
    ),
    "list_readings": "list_date, read_at, verdict, reason, item_count, is_whole, is_admitted",
}
MARTS = (
    *(
        "papers",
        "paper_readings",
        "listings",
        "paper_authors",
        "list_readings",
        "daily_digests",
        "daily_digest_papers",
    ),
    *("paper_momentum", "trending_papers", "hub_trending_papers"),
    *("keyword_weeks", "curation_days"),
    *("organizations", "submitters", "authors"),
)


def sample_history(seed: int) -> list[Response]:
    """Five weeks of lists, read at irregular times: papers leave, come back, and lose votes."""
    rng = Random(seed)  # noqa: S311  a sample, no secret
    first = date(2026, 7, 6)
    responses: list[Response] = []
    for number in range(35):
        day = first + timedelta(days=number)
        opened = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=2)
        hours = sorted({23.6, *(rng.choice((6, 14, 30, 75.5, 100, 171, 260)) for _ in range(3))})
        for hour in hours:
            # whole days, so that different lists are read at the same moment now and then
            read_at = opened + timedelta(hours=hour)
            items = items_at(day, read_at, 9 if items_at(day, read_at) else 0)
            dropped = rng.randrange(12)
            for item in items:
                item["paper"]["upvotes"] = max(0, item["paper"]["upvotes"] - rng.choice((0, 0, 2)))
            items.sort(key=lambda item: -item["paper"]["upvotes"])
            again = items_at(day - timedelta(days=3), read_at, 9)[:1]
            chosen = [item for place, item in enumerate(items) if place != dropped]
            responses.append((day, read_at, chosen + again * (bool(items) and day.day % 3 == 0)))
    return responses


def recorded(path: Path) -> Response:
    day, read_at = path.parent.name, path.name.split(".")[0]
    moment = datetime.strptime(read_at, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    return date.fromisoformat(day), moment, json.loads(gzip.decompress(path.read_bytes()))


def _barred(responses: Sequence[Response]) -> list[Barred]:
    """Readings that failed or were refused: between others, after them, and where no other is."""
    barred = []
    for number, (day, read_at, items) in enumerate(responses):
        if number % 5 == 0:
            barred.append(Barred(day, read_at + timedelta(minutes=31), "failed"))
        if number % 7 == 0:
            half = items[: len(items) // 2]
            at = read_at + timedelta(minutes=47)
            barred.append(Barred(day, at, "complete", half, "The gate raw says False."))
    first, read_at, items = min(responses, key=lambda response: response[0])
    day_before, day_after = first - DAY, max(day for day, _, _ in responses) + DAY
    return [
        *barred,
        Barred(day_before, read_at, "complete", items, "The gate raw says False."),
        Barred(day_after, datetime.combine(day_after, time(8), UTC), "not_open"),
    ]


@pytest.fixture(scope="module", params=["recorded", "sample"])
def responses(request: pytest.FixtureRequest) -> list[Response]:
    if request.param == "sample":
        return sample_history(7)
    corpus: Path = request.getfixturevalue("corpus")
    return [recorded(path) for path in sorted(corpus.glob("*/*.json.gz"))]


@pytest.fixture(scope="module")
def told(
    responses: Sequence[Response], tmp_path_factory: pytest.TempPathFactory
) -> tuple[History, Warehouse]:
    """The history as Python has it, and the marts that dbt makes of the same readings."""
    folder = tmp_path_factory.mktemp("independent")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for day, read_at, items in responses:
        verdict = "complete" if items else "empty"
        warehouse.read(read_at.isoformat(), items, day=str(day), verdict=verdict)
    barred = _barred(responses)
    for one in barred:
        warehouse.read(
            one.read_at.isoformat(),
            one.items,
            day=str(one.list_date),
            verdict=one.verdict,
            is_whole=bool(one.refused_because),
            passed=False if one.refused_because else None,
        )
    trending = []
    for _, read_at, items in responses[10::12]:
        chosen = items[::-1][:6]
        trending.append(
            Trending(read_at, chosen, warehouse.read_trending(read_at.isoformat(), chosen))
        )
    warehouse.build("build", "--exclude-resource-type", "unit_test")
    return History(responses, barred, trending), warehouse


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_is_what_python_makes_of_the_json(
    mart: str, told: tuple[History, Warehouse]
) -> None:
    history, marts = told
    rows = marts.rows(f"select {COLUMNS.get(mart, '*')} from marts.{mart}")
    found = Counter(_hashable(row) for row in rows)
    expected = Counter(getattr(history, mart)())

    assert expected
    assert [*(found - expected)][:5] == [*(expected - found)][:5]
    assert found == expected


def _hashable(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)
