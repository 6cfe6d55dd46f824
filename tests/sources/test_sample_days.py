"""The sample days: always the same, in the API's shape, growing as the Hub's lists do."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from flows.sources.feed_day import closes_at, opens_at
from flows.sources.sample.days import LARGEST_DAY, Item, items_at, papers_of, size_of

DAY = date(2026, 8, 13)
CLOSED = closes_at(DAY)


def days(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(count))


@pytest.fixture(scope="module")
def quarter() -> list[Item]:
    """Three months of lists, each read when it closed."""
    return [item for day in days(date(2026, 6, 1), 92) for item in items_at(day, closes_at(day))]


def paths(value: Any, path: str = "") -> set[str]:
    """Every field's path and type: `paper.authors[].name:str`."""
    if isinstance(value, dict):
        return {p for key, part in value.items() for p in paths(part, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {p for part in value for p in paths(part, f"{path}[]")} | {f"{path}:list"}
    return {f"{path}:{type(value).__name__}"}


def test_a_day_is_always_the_same() -> None:
    first = json.dumps(items_at(DAY, CLOSED))
    papers_of.cache_clear()
    assert json.dumps(items_at(DAY, CLOSED)) == first


def test_days_differ() -> None:
    ids = [{i["paper"]["id"] for i in items_at(day, CLOSED)} for day in (DAY, date(2026, 8, 12))]
    assert ids[0].isdisjoint(ids[1])


def test_no_id_comes_twice_in_a_year() -> None:
    ids = [paper.facts["id"] for day in days(date(2026, 1, 1), 365) for paper in papers_of(day)]
    assert len(ids) > 8_000
    assert len(set(ids)) == len(ids)


def test_ids_are_five_digit_arxiv_ids_even_on_the_largest_day() -> None:
    ids = {item["paper"]["id"] for item in items_at(DAY, CLOSED, LARGEST_DAY)}
    assert len(ids) == LARGEST_DAY
    assert all(re.fullmatch(r"260[78]\.\d{5}", paper_id) for paper_id in ids)


def test_a_weekday_has_20_to_60_papers_and_a_weekend_none() -> None:
    sizes = {day: size_of(day) for day in days(date(2026, 6, 1), 60)}
    assert {size for day, size in sizes.items() if day.weekday() >= 5} == {0}
    weekdays = [size for day, size in sizes.items() if day.weekday() < 5]
    assert 20 <= min(weekdays) < 30
    assert 50 < max(weekdays) <= 60
    assert size_of(date(2027, 1, 1)) == 0


@pytest.mark.parametrize("size", [0, 1, 50, 137])
def test_a_size_can_be_fixed(size: int) -> None:
    assert len(items_at(DAY, CLOSED, size)) == size


def test_an_impossible_size_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="0 to 1000 papers, not 1001"):
        papers_of(DAY, LARGEST_DAY + 1)


def test_a_list_grows_over_its_day_and_is_whole_when_the_day_closes() -> None:
    hours = (0, 2, 7, 14, 20, 24)
    sizes = [len(items_at(DAY, opens_at(DAY) + timedelta(hours=h), 100)) for h in hours]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert 40 < sizes[2] < 75
    assert sizes[-1] == 100
    assert len(items_at(DAY, CLOSED + timedelta(days=30), 100)) == 100


def test_votes_grow_for_two_weeks_and_then_rest() -> None:
    totals = [
        sum(item["paper"]["upvotes"] for item in items_at(DAY, CLOSED + timedelta(days=n)))
        for n in (0, 1, 7, 14, 60)
    ]
    assert totals[0] < totals[1] < totals[2] < totals[3] == totals[4]


def test_a_list_is_ordered_by_upvotes(quarter: list[Item]) -> None:
    votes = [item["paper"]["upvotes"] for item in items_at(DAY, CLOSED, 137)]
    assert votes == sorted(votes, reverse=True)
    assert 50 < votes[0] < 300
    assert 0 in [item["paper"]["upvotes"] for item in quarter]


def test_stars_code_and_summaries_fill_in_later() -> None:
    def known(moment: datetime) -> list[int]:
        papers = [item["paper"] for item in items_at(DAY, moment, 100)]
        return [sum(f in p for p in papers) for f in ("githubRepo", "githubStars", "ai_summary")]

    early, late = known(CLOSED), known(CLOSED + timedelta(days=7))
    assert all(few < many for few, many in zip(early, late, strict=True))
    assert late[0] < 100
    assert 85 < late[2] < 100


def test_the_list_date_and_the_publication_stand_in_their_own_fields(quarter: list[Item]) -> None:
    for item in quarter:
        listed = datetime.fromisoformat(item["paper"]["submittedOnDailyAt"])
        published = datetime.fromisoformat(item["paper"]["publishedAt"])
        outer = datetime.fromisoformat(item["publishedAt"])
        assert timedelta(days=1) <= listed - published <= timedelta(days=14)
        assert published - outer == timedelta(hours=4)
    winter = items_at(date(2026, 1, 13), closes_at(date(2026, 1, 13)))[0]
    assert winter["publishedAt"].endswith("T19:00:00.000Z")


def test_nothing_is_null(quarter: list[Item]) -> None:
    assert not [path for path in paths(quarter) if path.endswith("NoneType")]


def test_every_odd_value_turns_up(quarter: list[Item]) -> None:
    papers = [item["paper"] for item in quarter]
    authors = [author for paper in papers for author in paper["authors"]]
    titles = [paper["title"] for paper in papers]
    assert any(author["hidden"] for author in authors)
    assert any("status" in author and "user" not in author for author in authors)
    assert any(paper.get("ai_keywords") == [""] for paper in papers)
    assert any("\n" in paper["summary"] for paper in papers)
    assert any(not title.isascii() for title in titles)
    assert any("<think>" in title for title in titles)
    assert any("/" in title for title in titles)
    assert any(len(paper["authors"]) > 200 for paper in papers)
    assert any("withdrawnAt" in paper for paper in papers)
    assert any(item["submittedBy"]["avatarUrl"].startswith("/avatars/") for item in quarter)
    for field in ("ai_summary", "organization", "githubRepo", "projectPage", "mediaUrls"):
        share = sum(field in paper for paper in papers) / len(papers)
        assert 0.1 < share < 0.9, field


def test_no_text_is_left_with_an_open_slot(quarter: list[Item]) -> None:
    texts = [item["title"] + item["summary"] for item in quarter]
    texts += [item["paper"].get("ai_summary", "") for item in quarter]
    assert not [text for text in texts if "%(" in text or "  " in text]
    assert all(700 < len(item["summary"]) < 2_000 for item in quarter)


def test_what_one_caller_changes_no_other_sees() -> None:
    item = items_at(DAY, CLOSED)[0]
    item["paper"]["authors"][0]["name"] = "changed"
    item["submittedBy"]["name"] = "changed"
    assert "changed" not in json.dumps(items_at(DAY, CLOSED))


def test_the_shape_is_that_of_the_recordings_of_august_2026(
    corpus: Any, quarter: list[Item]
) -> None:
    import gzip

    recorded: set[str] = set()
    orders = set()
    for file in corpus.glob("2026-08-1*/*.json.gz"):
        items = json.loads(gzip.decompress(file.read_bytes()))
        recorded |= paths(items)
        orders |= {tuple(item) for item in items}
    assert paths(quarter) == recorded
    assert {tuple(item) for item in quarter} <= orders | {
        tuple(key for key in order if key != "mediaUrls") for order in orders
    }


def test_before_a_day_opens_its_list_is_empty() -> None:
    assert items_at(DAY, datetime(2026, 8, 1, tzinfo=UTC)) == []
