"""Changes and editions against plain Python from the JSON, on recorded and on sample days."""

import calendar
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.dbt.build import Warehouse
from tests.dbt.independent import Item
from tests.dbt.test_independent import recorded, sample_history

Response = tuple[str, datetime, list[Item]]


def _changing() -> Iterator[tuple[date, datetime, Sequence[Item]]]:
    """The sample history, in which now and then a paper reads otherwise than before."""
    rng = Random(11)  # noqa: S311  a sample, no secret
    for day, read_at, items in sample_history(7):
        for item in items:
            paper = item["paper"]
            match rng.randrange(20):
                case 0:
                    paper["title"] += " Revised"
                case 1:
                    paper["summary"] += " It was extended."
                case 2:
                    paper["projectPage"] = "https://example.org/project"
                case 3:
                    paper["githubRepo"] = "https://github.com/o/added"
                case 4:
                    paper["withdrawnAt"] = "2026-08-01T00:00:00.000Z"
        yield day, read_at, items


def _distinct(items: Sequence[Item]) -> list[Item]:
    """Each paper where it stands first."""
    return list({item["paper"]["id"]: item for item in reversed(items)}.values())[::-1]


@pytest.fixture(scope="module", params=["recorded", "sample"])
def responses(request: pytest.FixtureRequest) -> list[Response]:
    if request.param == "sample":
        found = list(_changing())
    else:
        corpus: Path = request.getfixturevalue("corpus")
        found = [recorded(path) for path in corpus.glob("*/*.json.gz")]
    distinct = [(str(day), read_at, _distinct(items)) for day, read_at, items in found]
    return sorted(distinct, key=lambda response: response[:2])


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory, responses: list[Response]) -> Warehouse:
    folder = tmp_path_factory.mktemp("told")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for day, read_at, items in responses:
        warehouse.read(read_at.isoformat(), items, day=day)
    warehouse.build()
    return warehouse


def _told(item: dict[str, Any]) -> dict[str, str | None]:
    """The fields whose changes are news, as one response has them."""
    paper = item["paper"]
    organization = (
        paper.get("organization")
        or item.get("organization")
        or item.get("submitterOrganization")
        or {}
    )
    withdrawn, code = paper.get("withdrawnAt"), paper.get("githubRepo")
    return {
        "title": " ".join(paper["title"].split()),
        "abstract": " ".join(paper["summary"].split()),
        "organization_name": " ".join(organization.get("fullname", "").split()) or None,
        # the repository itself, without the branch or the page that people paste
        "github_url": code and "/".join(code.split("/")[:5]).removesuffix(".git"),
        "project_url": paper.get("projectPage"),
        "withdrawn_at": withdrawn and f"{withdrawn[:19]}Z",
    }


def test_changes_are_what_two_responses_in_a_row_say_otherwise(
    marts: Warehouse, responses: list[Response]
) -> None:
    seen = defaultdict(list)
    for day, read_at, items in sorted(responses, key=lambda response: response[1::-1]):
        for item in items:
            seen[item["paper"]["id"]].append((day, read_at, _told(item)))
    expected = [
        (paper_id, field, was_at, at, day, was[field], now[field])
        for paper_id, sightings in seen.items()
        for (_, was_at, was), (day, at, now) in pairwise(sightings)
        for field in now
        if was[field] != now[field]
    ]
    assert expected
    assert marts.rows(
        "select paper_id, field, previous_read_at, read_at, list_date::text,"
        r" regexp_replace(old_value, '\s+', ' ', 'g'), regexp_replace(new_value, '\s+', ' ', 'g')"
        " from marts.paper_changes order by 1, 2, 4"
    ) == sorted(expected, key=lambda change: (change[0], change[1], change[3]))


@pytest.mark.parametrize("edition", ["weekly", "monthly"])
def test_a_period_holds_what_the_last_responses_of_its_days_say(
    marts: Warehouse, responses: list[Response], edition: str
) -> None:
    def last_day(day: str) -> str:
        on = date.fromisoformat(day)
        if edition == "weekly":
            return str(date.fromisocalendar(*on.isocalendar()[:2], 7))
        return f"{day[:8]}{calendar.monthrange(on.year, on.month)[1]}"

    newest = {day: (read_at, items) for day, read_at, items in responses}
    ranks: dict[str, dict[str, int]] = {}
    seen: dict[str, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for day, (read_at, items) in newest.items():
        order = sorted(items, key=lambda item: (-item["paper"]["upvotes"], -item["numComments"]))
        ranks[day] = {item["paper"]["id"]: rank for rank, item in enumerate(order, start=1)}
        for item in items:
            numbers = item["paper"]["upvotes"], item["numComments"]
            seen[last_day(day)][item["paper"]["id"]].append((read_at, day, *numbers))
    first_period = {
        paper_id: min(period for period in seen if paper_id in seen[period])
        for papers in seen.values()
        for paper_id in papers
    }
    expected = []
    for period, papers in sorted(seen.items()):
        listed = []
        for paper_id, places in papers.items():
            _, _, votes, comments = max(places)
            days = sorted(day for _, day, *_ in places)
            best = min(ranks[day][paper_id] for day in days)
            listed.append((-votes, -comments, days[0], best, paper_id, days))
        expected += [
            (period, rank, paper_id, days, -votes, first_period[paper_id] < period)
            for rank, (votes, _, _, _, paper_id, days) in enumerate(sorted(listed), start=1)
        ]
    assert (
        marts.rows(
            "select digest_date::text, digest_rank, paper_id, list_dates::text[], upvotes_count,"
            f" is_repeat from marts.{edition}_digest_papers order by 1, 2"
        )
        == expected
    )

    known = []
    for period, papers in sorted(seen.items()):
        end = date.fromisoformat(period)
        length = 7 if edition == "weekly" else end.day
        days = [end - timedelta(days=n) for n in range(length)]
        missing = sum(day.weekday() < 5 and str(day) not in newest for day in days)
        votes = sum(max(places)[2] for places in papers.values())
        verdict = "partial" if missing else "complete"
        read = max(newest[str(day)][0] for day in days if str(day) in newest)
        known.append((period, verdict, missing, len(papers), votes, str(days[-1]), read))
    assert (
        marts.rows(
            "select digest_date::text, verdict, open_day_count, paper_count, upvotes_total,"
            f" first_date::text, last_read_at from marts.{edition}_digests order by 1"
        )
        == known
    )
