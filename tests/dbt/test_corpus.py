"""The marts of the recorded responses against the same numbers by plain Python from the JSON."""

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.build import Warehouse

Response = tuple[str, datetime, list[dict[str, Any]]]


def _read(path: Path) -> Response:
    read_at = datetime.strptime(path.name.split(".")[0], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    response = json.loads(gzip.decompress(path.read_bytes()))
    items = {item["paper"]["id"]: item for item in reversed(response)}
    return path.parent.name, read_at, list(reversed(items.values()))


@pytest.fixture(scope="module")
def responses(corpus: Path) -> list[Response]:
    return sorted(
        (_read(path) for path in corpus.glob("*/*.json.gz")), key=lambda response: response[:2]
    )


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory, responses: list[Response]) -> Warehouse:
    folder = tmp_path_factory.mktemp("corpus")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for day, read_at, items in responses:
        warehouse.read(read_at.replace(tzinfo=None).isoformat(), items, day=day)
    warehouse.build("build", "--exclude-resource-type", "unit_test")
    return warehouse


def test_marts_hold_what_the_responses_say(marts: Warehouse, responses: list[Response]) -> None:
    seen = [
        (day, item["paper"]["id"], read_at, rank, item["paper"]["upvotes"], item["numComments"])
        for day, read_at, items in responses
        for rank, item in enumerate(items, start=1)
    ]
    assert marts.rows(
        "select list_date::text, paper_id, read_at, list_rank, upvotes_count, comments_count"
        " from marts.paper_readings order by list_date, read_at, list_rank"
    ) == sorted(seen, key=lambda row: (row[0], row[2], row[3]))

    newest = {day: (read_at, items) for day, read_at, items in responses}
    listed: dict[tuple[str, str], tuple[Any, ...]] = {}
    for day, paper_id, read_at, rank, votes, _ in sorted(seen, key=lambda row: row[2]):
        is_removed = read_at != newest[day][0]
        listed[day, paper_id] = (day, paper_id, None if is_removed else rank, votes, is_removed)
    assert marts.rows(
        "select list_date::text, paper_id, list_rank, upvotes_count, is_removed"
        " from marts.listings order by 1, 2"
    ) == sorted(listed.values(), key=lambda row: row[:2])

    digests = defaultdict(list)
    for day, (_, items) in newest.items():
        votes = [item["paper"]["upvotes"] for item in items]
        code = sum("githubRepo" in item["paper"] for item in items)
        digests[day] = [day, len(items), sum(votes), code]
        order = sorted(
            range(len(items)), key=lambda place: (-votes[place], -items[place]["numComments"])
        )
        assert marts.rows(
            "select paper_id from marts.daily_digest_papers"
            f" where digest_date = '{day}' order by digest_rank"
        ) == [items[place]["paper"]["id"] for place in order]
    assert marts.rows(
        "select digest_date::text, paper_count, upvotes_total, with_code_count"
        " from marts.daily_digests order by 1"
    ) == [tuple(digests[day]) for day in sorted(digests)]


def test_papers_are_what_their_newest_response_says(
    marts: Warehouse, responses: list[Response]
) -> None:
    newest: dict[str, tuple[str, datetime, dict[str, Any]]] = {}
    days = defaultdict(set)
    for day, read_at, items in sorted(responses, key=lambda response: response[1]):
        for item in items:
            newest[item["paper"]["id"]] = day, read_at, item
            days[item["paper"]["id"]].add(day)
    expected = []
    for paper_id, (_, read_at, item) in sorted(newest.items()):
        paper = item["paper"]
        organization = (
            paper.get("organization")
            or item.get("organization")
            or item.get("submitterOrganization")
            or {}
        )
        submitter = item.get("submittedBy", {}).get("name")
        expected.append(
            (
                paper_id,
                " ".join(paper["title"].split()),
                " ".join(paper["summary"].split()),
                " ".join(organization.get("fullname", "").split()) or None,
                [" ".join(a["name"].split()) for a in paper["authors"] if not a.get("hidden")],
                len(paper["authors"]),
                [" ".join(word.split()) for word in paper.get("ai_keywords", []) if word],
                submitter or paper.get("submittedOnDailyBy", {}).get("user"),
                paper["publishedAt"][:10],
                min(days[paper_id]),
                max(days[paper_id]),
                paper.get("githubStars"),
                "withdrawnAt" in paper,
                read_at,
            )
        )
    assert (
        marts.rows(
            r"select paper_id, title, regexp_replace(abstract, '\s+', ' ', 'g'), organization_name,"
            " author_names, author_count, ai_keywords, submitted_by, published_on::text,"
            " first_listed_on::text, last_listed_on::text, github_stars_count, is_withdrawn,"
            " last_read_at from marts.papers order by 1"
        )
        == expected
    )
    assert marts.rows("select count(*) from marts.paper_authors") == [
        sum(row[5] for row in expected)
    ]
    assert (
        marts.rows("select paper_id from marts.papers where github_url not like 'https://%'") == []
    )
