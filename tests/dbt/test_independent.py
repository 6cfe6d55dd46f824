"""Every number of the marts against plain Python from the JSON, on recorded and sample days."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from tests.support.dbt_build import MARTS, Warehouse
from tests.support.histories import changing_history, recorded_history
from tests.support.independent import DAY, Barred, History, Response, Trending
from tests.support.independent_links import Linked

COLUMNS = {
    "papers": (
        r"paper_id, title, regexp_replace(abstract, '\s+', ' ', 'g'), ai_summary,"
        " organization_name, author_names, author_count, upvotes_count, comments_count,"
        " ai_keywords, submitted_by, published_on, first_listed_on, last_listed_on, list_dates,"
        " first_digest_date, github_stars_count, strftime(withdrawn_at, '%Y-%m-%dT%H:%M:%SZ'),"
        " github_url, project_url, reading_id, source_list_date, discussion_id, thumbnail_url,"
        " media_urls, first_read_at, last_read_at, organization_id, organization_handle,"
        " github_added_by, is_author_participating"
    ),
    "paper_changes": (
        r"* replace (regexp_replace(old_value, '\s+', ' ', 'g') as old_value,"
        r" regexp_replace(new_value, '\s+', ' ', 'g') as new_value)"
    ),
    "paper_readings": "* exclude (document_id)",
    "list_readings": "list_date, read_at, verdict, reason, item_count, is_whole, is_admitted",
}


def _unlisted(item: dict[str, Any]) -> dict[str, Any]:
    """An old paper that trends and was on no list, made of one that was."""
    paper = {name: value for name, value in item["paper"].items() if name != "submittedOnDailyAt"}
    return item | {"paper": paper | {"id": "1706.03762"}}


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


def _answers(responses: Sequence[Response]) -> list[tuple[datetime, dict[str, Any]]]:
    """What the Hub said of some papers, again and again: repositories come, go, and are many."""
    told = []
    for number, (_, read_at, items) in enumerate(responses[::2]):
        answers: dict[str, Any] = {}
        for place, item in enumerate(items[:6]):
            models = [
                {"id": f"lab/{n}", "likes": n + number}
                for n in range(place % 3, place + number % 4)
            ]
            answers[item["paper"]["id"]] = {
                "linkedModels": models[::-1],
                "numTotalModels": len(models) + 9 * (place % 4 == 3),
                "linkedDatasets": None if number % 3 == 2 else [{"id": "set", "downloads": number}],
                **({"linkedSpaces": [{"id": f"s/{number % 5}"}]} if place % 2 else {}),
                **({"venue": "A hall"} if place == 1 else {}),
            }
        told.append((read_at + timedelta(minutes=11), answers))
    return told


@pytest.fixture(scope="module", params=["recorded", "sample"])
def responses(request: pytest.FixtureRequest) -> list[Response]:
    if request.param == "sample":
        return changing_history(7)
    return recorded_history(request.getfixturevalue("corpus"))


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
        chosen = [*items[::-1][:6], *map(_unlisted, items[:1])]
        trending.append(
            Trending(read_at, chosen, warehouse.read_trending(read_at.isoformat(), chosen))
        )
    linked = [
        Linked(read_at, answers, warehouse.read_linked(read_at.isoformat(), answers))
        for read_at, answers in _answers(responses)
    ]
    warehouse.build("build", "--exclude-resource-type", "unit_test")
    return History(responses, barred, trending, linked), warehouse


# what the documents hold is compared with each recorded response, in web/test_hub_api
@pytest.mark.parametrize("mart", [mart for mart in MARTS if mart != "paper_documents"])
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
