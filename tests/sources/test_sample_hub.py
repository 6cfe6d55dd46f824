"""The sample Hub over real HTTP: days, pages, refusals, faults and recordings."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from flows.sources.feed_day import closes_at
from flows.sources.sample import faults
from flows.sources.sample.days import Item, items_at, size_of
from flows.sources.sample.faults import FAULTS, Fault, as_fault
from flows.sources.sample.recordings import write_recordings
from flows.sources.sample_hub import SampleHub

DAY = date(2026, 8, 13)
READ_AT = datetime(2026, 8, 14, 2, 31, tzinfo=UTC)
SIZE = 137


@pytest.fixture
def hub() -> Iterator[SampleHub]:
    with SampleHub(now=READ_AT, size=SIZE) as hub:
        yield hub


def get(hub: SampleHub, **query: Any) -> requests.Response:
    return requests.get(f"{hub.url}/api/daily_papers", params=query, timeout=5)


def follow(hub: SampleHub, list_date: date = DAY, limit: int = 100) -> list[list[Item]]:
    """The pages of a date, by the links, 60 at most."""
    pages: list[list[Item]] = []
    url = f"{hub.url}/api/daily_papers?date={list_date}&limit={limit}"
    while url and len(pages) < 60:
        response = requests.get(url, timeout=5)
        pages.append(response.json())
        url = response.links.get("next", {}).get("url", "")
    return pages


def ids(items: list[Item]) -> list[Any]:
    return [item["paper"]["id"] for item in items]


def test_a_day_comes_in_pages_that_links_join(hub: SampleHub) -> None:
    pages = follow(hub)
    assert [len(page) for page in pages] == [100, 37]
    assert [item for page in pages for item in page] == items_at(DAY, READ_AT, SIZE)


def test_the_default_limit_is_50_and_a_page_past_the_end_is_empty(hub: SampleHub) -> None:
    assert len(get(hub, date=DAY).json()) == 50
    past = get(hub, date=DAY, p=3)
    assert (past.status_code, past.json(), past.links) == (200, [], {})
    assert not get(hub, date=DAY, limit=100, p=1).links


def test_the_same_clock_gives_the_same_bytes_and_a_later_one_more_votes(hub: SampleHub) -> None:
    first, second = get(hub, date=DAY), get(hub, date=DAY)
    assert first.content == second.content
    assert first.headers["ETag"] == second.headers["ETag"]
    assert re.fullmatch(r'W/"[^"]+"', first.headers["ETag"])
    hub.now += timedelta(days=2)
    later = get(hub, date=DAY)
    assert later.headers["ETag"] != first.headers["ETag"]
    assert later.json()[0]["paper"]["upvotes"] > first.json()[0]["paper"]["upvotes"]


def test_a_list_grows_over_its_day(hub: SampleHub) -> None:
    hub.now = datetime(2026, 8, 13, 8, 45, tzinfo=UTC)
    early = sum(len(page) for page in follow(hub))
    hub.now = closes_at(DAY)
    assert 0 < early < sum(len(page) for page in follow(hub)) == SIZE


def test_a_date_that_is_not_open_gets_the_hubs_own_words(hub: SampleHub) -> None:
    response = get(hub, date="2026-08-17")
    assert response.status_code == 400
    assert response.text == (
        r'{"error":"✖ \"date\" must be less than or equal to \"2026-08-14T00:00:00.000Z\"\n'
        r'  → at date"}'
    )


def test_a_day_opens_at_half_past_nine_in_new_york(hub: SampleHub) -> None:
    hub.now = datetime(2026, 8, 13, 1, 29, 59, tzinfo=UTC)
    assert get(hub, date=DAY).status_code == 400
    hub.now += timedelta(seconds=1)
    assert get(hub, date=DAY).status_code == 200
    hub.now = datetime(2026, 1, 13, 1, 45, tzinfo=UTC)  # winter: an hour later in UTC
    assert get(hub, date="2026-01-13").status_code == 400


def test_on_a_sunday_the_weekend_is_empty_and_monday_refused_by_fridays_date(
    hub: SampleHub,
) -> None:
    hub.now = datetime(2026, 9, 6, 12, tzinfo=UTC)
    for weekend in ("2026-09-05", "2026-09-06"):
        response = get(hub, date=weekend)
        assert (response.status_code, response.text) == (200, "[]")
    refused = get(hub, date="2026-09-07")
    assert refused.status_code == 400
    assert '"2026-09-04T00:00:00.000Z"' in refused.json()["error"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": 101}, "✖ Too big: expected number to be <=100\n  → at limit"),
        ({"limit": 0}, "✖ Too small: expected number to be >=1\n  → at limit"),
        ({"limit": "many"}, "✖ Invalid input: expected number, received NaN\n  → at limit"),
        ({"p": -1}, "✖ Too small: expected number to be >=0\n  → at p"),
        ({"date": "2025-13-40"}, "✖ Invalid ISO date\n  → at date"),
        ({"date": "2026-07"}, "✖ Invalid ISO date\n  → at date"),
        ({"date": "20260813"}, "✖ Invalid ISO date\n  → at date"),
        ({"week": "2026-W33"}, "✖ The sample Hub knows date, sort, limit and p only\n  → at week"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(hub: SampleHub, query: Any, error: str) -> None:
    response = get(hub, **query)
    assert (response.status_code, response.json()) == (400, {"error": error})


def test_without_a_date_the_newest_papers_come_over_day_borders(hub: SampleHub) -> None:
    dates = [i["paper"]["submittedOnDailyAt"][:10] for i in get(hub, limit=100).json()]
    assert dates == sorted(dates, reverse=True)
    assert set(dates) == {"2026-08-13", "2026-08-14"}


def test_an_unknown_path_is_404(hub: SampleHub) -> None:
    response = requests.get(f"{hub.url}/api/papers/trending", timeout=5)
    assert response.status_code == 404
    assert response.json() == {"error": "Sorry, we can't find the page you are looking for."}


def test_every_answer_counts_down_the_rate_limit(hub: SampleHub) -> None:
    answers = [get(hub, date=DAY), get(hub, date="tomorrow")]
    left = [re.match(r'"api";r=(\d+);t=\d+$', a.headers["RateLimit"]) for a in answers]
    assert [found and found[1] for found in left] == ["499", "498"]
    assert answers[0].headers["RateLimit-Policy"] == '"fixed window";"api";q=500;w=300'


def test_a_quota_is_enforced_where_one_is_set() -> None:
    with SampleHub(now=READ_AT, quota=2) as hub:
        answers = [get(hub, date=DAY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    wait = answers[2].headers["Retry-After"]
    assert answers[2].headers["RateLimit"] == f'"api";r=0;t={wait}'
    assert 0 < int(wait) <= 300


def test_the_requests_are_kept(hub: SampleHub) -> None:
    requests.get(
        f"{hub.url}/api/daily_papers?date={DAY}&p=1", headers={"User-Agent": "papers"}, timeout=5
    )
    (request,) = hub.requests
    assert request.path == "/api/daily_papers"
    assert request.query == {"date": str(DAY), "p": "1"}
    assert request.headers["user-agent"] == "papers"


def test_single_dates_may_have_their_own_size() -> None:
    with SampleHub(now=READ_AT, sizes={DAY: 0, date(2026, 8, 9): 3}) as hub:
        counts = [len(get(hub, date=d).json()) for d in (DAY, "2026-08-09", "2026-08-12")]
    assert counts == [0, 3, min(50, size_of(date(2026, 8, 12)))]


def test_the_clock_needs_a_time_zone(hub: SampleHub) -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        hub.now = datetime(2026, 8, 14)  # noqa: DTZ001


def test_a_closed_hub_answers_no_kept_connection() -> None:
    session = requests.Session()
    with SampleHub(now=READ_AT) as hub:
        url = f"{hub.url}/api/daily_papers"
        assert session.get(url, timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=5)
    session.close()


# Faults


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_a_status_is_served_as_often_as_asked(hub: SampleHub, code: int) -> None:
    hub.fail(f"{code},times=2")
    assert [get(hub, date=DAY).status_code for _ in range(3)] == [code, code, 200]


def test_429_says_how_long_to_wait(hub: SampleHub) -> None:
    hub.fail(faults.too_many_requests(wait_seconds=7))
    headers = get(hub, date=DAY).headers
    assert (headers["RateLimit"], headers["Retry-After"]) == ('"api";r=0;t=7', "7")


def test_a_fault_may_be_for_one_page_or_one_date(hub: SampleHub) -> None:
    hub.fail("500,page=1", "503,date=2026-08-12")
    assert get(hub, date=DAY).status_code == 200
    assert get(hub, date=DAY, p=1).status_code == 500
    assert get(hub, date="2026-08-12").status_code == 503
    hub.heal()
    assert get(hub, date=DAY, p=1).status_code == 200


def test_faults_act_together(hub: SampleHub) -> None:
    hub.fail("zero_votes", "ignores_page", Fault(change=lambda items: items[:3]))
    assert [i["paper"]["upvotes"] for i in get(hub, date=DAY, p=4).json()] == [0, 0, 0]


def test_a_hanging_hub_never_answers_and_still_closes(hub: SampleHub) -> None:
    hub.fail("hang")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{hub.url}/api/daily_papers", timeout=0.1)


def test_a_dropped_connection_ends_in_the_body(hub: SampleHub) -> None:
    hub.fail("dropped")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(hub, date=DAY)


def test_half_a_json_comes_with_the_right_length(hub: SampleHub) -> None:
    hub.fail("half_json")
    response = get(hub, date=DAY)
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(response.content))
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_html_an_object_and_nothing_come_with_200(hub: SampleHub) -> None:
    hub.fail("html,times=1")
    page = get(hub, date=DAY)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    hub.fail("object,times=1")
    assert list(get(hub, date=DAY).json()) == ["papers"]
    hub.fail("empty,times=1")
    assert get(hub, date=DAY).text == "[]"


def test_a_truncated_page_has_fewer_rows_and_no_link(hub: SampleHub) -> None:
    hub.fail("truncated")
    assert [len(page) for page in follow(hub)] == [50]


def test_a_missing_page_is_promised_and_empty(hub: SampleHub) -> None:
    hub.fail("missing_page")
    assert [len(page) for page in follow(hub)] == [100, 0]


def test_a_hub_may_ignore_the_date(hub: SampleHub) -> None:
    hub.fail("ignores_date")
    for asked in (DAY, "2024-06-12", "2026-08-17"):
        days = {item["paper"]["submittedOnDailyAt"][:10] for item in get(hub, date=asked).json()}
        assert days == {"2026-08-14"}


def test_a_hub_may_give_the_same_page_again_and_again(hub: SampleHub) -> None:
    hub.fail("ignores_page")
    first, *others = follow(hub)
    assert len(others) == 59
    assert all(page == first for page in others)


def test_a_hub_may_never_end_and_never_repeat(hub: SampleHub) -> None:
    hub.fail("endless")
    pages = follow(hub, limit=50)
    assert len(pages) == 60
    first_51 = [paper_id for page in pages[:51] for paper_id in ids(page)]
    assert len(set(first_51)) == 51 * 50


def test_a_list_may_move_between_two_pages(hub: SampleHub) -> None:
    hub.fail("moving")
    first, second = follow(hub)
    assert ids(second)[0] == ids(first)[-1]
    assert ids(get(hub, date=DAY, limit=100).json()) != ids(first)


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return items_at(DAY, READ_AT, 40)


CHANGES = [name for name, fault in FAULTS.items() if fault.change is not Fault().change]


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_list_leaves_the_given_items_alone(name: str, items: list[Item]) -> None:
    before = json.dumps(items)
    assert json.dumps(FAULTS[name].change(items)) != before
    assert FAULTS[name].change([]) == []
    assert json.dumps(items) == before


def test_doubled_ids(items: list[Item]) -> None:
    doubled = ids(faults.with_doubled_ids(items))
    assert (len(doubled), len(set(doubled))) == (44, 40)


def test_nulls_in_required_fields(items: list[Item]) -> None:
    papers = [item["paper"] for item in faults.with_nulls(items)]
    nulls = [sum(p[field] is None for p in papers) for field in ("id", "title", "upvotes")]
    assert nulls == [4, 3, 3]
    assert [i["paper"]["upvotes"] is None for i in faults.with_one_null(items)].count(True) == 1


def test_upvotes_absent_retyped_renamed_or_zero(items: list[Item]) -> None:
    absent = ["upvotes" not in i["paper"] for i in faults.without_upvotes_on_one(items)]
    assert absent == [False, True] + [False] * 38
    assert all(isinstance(i["paper"]["upvotes"], str) for i in faults.with_retyped_votes(items))
    renamed = faults.with_renamed_votes(items)[0]["paper"]
    assert "upvotes" not in renamed
    assert renamed["votes"] == items[0]["paper"]["upvotes"]
    assert {i["paper"]["upvotes"] for i in faults.with_zero_votes(items)} == {0}


def test_ids_that_lost_their_zeros(items: list[Item]) -> None:
    lost = ids(faults.with_lost_zeros(items))
    assert 0 < len([paper_id for paper_id in lost if len(paper_id) < 10]) < 40
    (alone,) = faults.with_lost_zeros([faults._with(items[0], id="2608.61191")])
    assert alone["paper"]["id"] == "2608.6119"
    assert all(isinstance(paper_id, float) for paper_id in ids(faults.with_number_ids(items)))
    assert all(paper_id.endswith("v2") for paper_id in ids(faults.with_versioned_ids(items)))


def test_forty_percent_of_the_rows_missing(items: list[Item]) -> None:
    assert ids(faults.with_fewer_rows(items)) == ids(items)[:24]


def test_new_fields_hostile_titles_and_links(items: list[Item]) -> None:
    new = faults.with_new_fields(items)[0]
    assert new["paper"]["citationCount"]
    assert new["readingMinutes"]
    hostile = faults.with_hostile_title(items)
    assert "<script>" in hostile[0]["title"]
    assert "\n" in hostile[0]["paper"]["title"]
    assert hostile[1:] == items[1:]
    assert faults.with_javascript_link(items)[0]["paper"]["projectPage"].startswith("javascript:")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gremlins", "there is no fault 'gremlins'; there are 408, 429"),
        ("500,often=2", "a fault has times=, page=, date= and of=papers, not 'often=2'"),
    ],
)
def test_a_fault_that_there_is_not_is_refused_by_name(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        as_fault(text)


# Recordings


def test_recordings_are_served_as_the_newest_at_the_clock(tmp_path: Path) -> None:
    dates = [date(2026, 8, 13) + timedelta(days=n) for n in range(3)]
    times = [timedelta(hours=8, minutes=45), timedelta(hours=27)]
    count = write_recordings(tmp_path, dates, times, size=60)
    files = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.gz"))
    assert files[:2] == [
        "2026-08-13/2026-08-13T084500Z.json.gz",
        "2026-08-13/2026-08-14T030000Z.json.gz",
    ]
    assert (tmp_path / "empty.txt").read_text() == "2026-08-15\n"
    sizes = [len(json.loads(gzip.decompress(f.read_bytes()))) for f in tmp_path.rglob("*.gz")]
    assert sum(sizes) == count

    with SampleHub(now=datetime(2026, 8, 13, 8, tzinfo=UTC), folder=tmp_path) as hub:
        assert follow(hub, DAY) == [[]]
        hub.now = datetime(2026, 8, 13, 12, tzinfo=UTC)
        early = follow(hub, DAY)
        assert 0 < len(early[0]) < 60
        hub.now = datetime(2026, 8, 20, tzinfo=UTC)
        assert [len(page) for page in follow(hub, DAY, limit=50)] == [50, 10]
        assert get(hub, date="2026-08-15").text == "[]"
        assert get(hub, date="2026-08-12").text == "[]"
        assert get(hub, date="2026-08-21").status_code == 400


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder of recordings"):
        SampleHub(folder=tmp_path / "nowhere")


def test_the_corpus_is_served_item_by_item(corpus: Path) -> None:
    with SampleHub(folder=corpus) as hub:
        for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
            newest = max(folder.glob("*.json.gz"))
            recorded = json.loads(gzip.decompress(newest.read_bytes()))
            pages = follow(hub, date.fromisoformat(folder.name))
            assert [item for page in pages for item in page] == recorded
        for empty in (corpus / "empty.txt").read_text().split():
            assert get(hub, date=empty).json() == []


# The command


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flows.sources.sample_hub", *arguments]


def test_the_command_serves_until_it_is_stopped() -> None:
    arguments = (
        "--port",
        "0",
        "--now",
        "2026-08-14T02:31Z",
        "--size",
        "5",
        "--fault",
        "zero_votes",
    )
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        place = re.search(r"http://\S+\d", process.stdout.readline())
        assert place
        items = requests.get(f"{place[0]}/api/daily_papers?date={DAY}", timeout=5).json()
        process.terminate()
    assert [item["paper"]["upvotes"] for item in items] == [0] * 5


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--fault", "gremlins"), "there is no fault 'gremlins'"),
        (("--now", "noon"), "a time such as 2026-08-14T02:31Z, not 'noon'"),
        (("--folder", "/nowhere"), "there is no folder of recordings at /nowhere"),
    ],
    ids=["fault", "now", "folder"],
)
def test_the_command_refuses_in_a_sentence(
    arguments: tuple[str, str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.sources.sample_hub import main

    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert problem in capsys.readouterr().err
