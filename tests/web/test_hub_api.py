"""The Hub's API from kept readings: the Hub's own client, and each recorded response again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub import HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from flows.issues.periods import period_name
from flows.newsletter.digest import Edition
from flows.settings import Settings
from flows.sources.hub_grammar import as_body
from flows.sources.hub_item import read_item
from flows.sources.sample.days import items_at
from flows.sources.sample.linked import linked_answer
from flows.sources.sample_hub import SampleHub
from tests.support.dbt_build import Warehouse
from tests.support.histories import recorded_history
from tests.support.publishing import publish_built
from tests.support.site import Site, serving

Response = tuple[date, datetime, Sequence[dict[str, Any]]]

DAY, ODD_DAY = date(2026, 8, 13), date(2026, 8, 17)
TIMES = (datetime(2026, 8, 13, 8, tzinfo=UTC), datetime(2026, 8, 14, 2, 31, tzinfo=UTC))
LATER = TIMES[1] + timedelta(days=20)
FIELDS = [
    f"{start}{kind}"
    for start in ("linked", "numTotal")
    for kind in ("Models", "Datasets", "Spaces")
]
LINKED = {item["paper"]["id"]: linked_answer(item, LATER) for item in items_at(DAY, TIMES[1], 8)}
BARE = min(LINKED)  # of which nothing is linked
LINKED[BARE] |= {name: [] if name.startswith("linked") else 0 for name in FIELDS}


def odd_items() -> list[dict[str, Any]]:
    """Items whose numbers stand in other places too, or are no whole numbers."""
    items = items_at(ODD_DAY, datetime(2026, 8, 18, 2, 31, tzinfo=UTC), 5)
    items[0]["paper"]["organization"] = {"name": "lab", "followerCount": 7}
    items[1]["paper"]["authors"][0]["upvotes"] = 3
    items[2]["paper"]["summary"] = 'It says "upvotes":5, and {"numComments":9}.'
    items[3]["numComments"] = 0
    items[3]["submittedBy"]["followerCount"] = 2
    items[4].pop("submittedBy", None)
    return items


def trending_items() -> list[dict[str, Any]]:
    """What the Hub called trending: papers of a list, and before, among and after them others.

    The first and the last were on no list; the second was on one that is not known here.
    """
    items = items_at(DAY, TIMES[1], 8)[::-1]
    others = items_at(date(2025, 3, 3), TIMES[1], 3)
    for each in (others[0], others[2]):
        del each["paper"]["submittedOnDailyAt"]
    return [*others[:2], *items, others[2]]


def published_home(
    home: Path,
    responses: Sequence[Response],
    linked: Mapping[str, dict[str, Any]] | None = None,
    trending: Sequence[dict[str, Any]] = (),
) -> Path:
    """A home that has published these responses, each the complete list of its time.

    Three weeks after DAY the Hub said `linked` of single papers, and called `trending` trending.
    """
    warehouse = Warehouse(home, home / "warehouse.duckdb")
    for day, read_at, items in responses:
        verdict = "complete" if items else "empty"
        warehouse.read(read_at.isoformat(), items, day=str(day), verdict=verdict)
    if linked:
        warehouse.read_linked(LATER.isoformat(), linked)
    if trending:
        warehouse.read_trending(LATER.isoformat(), trending)
    publish_built(warehouse, Settings(home=home, embedding_model="none"))
    return home


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A week of sample days, each list read twice."""
    days = [DAY + timedelta(days=n) for n in range(-3, 2)]
    shift = [(day, at + (day - DAY)) for day in days for at in TIMES]
    responses = [(day, at, items_at(day, at, 8)) for day, at in shift]
    responses.append((ODD_DAY, datetime(2026, 8, 18, 2, 31, tzinfo=UTC), odd_items()))
    home = published_home(tmp_path_factory.mktemp("api"), responses, LINKED, trending_items())
    with serving(Settings(home=home)) as running:
        yield running


@pytest.fixture(scope="module")
def client(site: Site) -> HfApi:
    return HfApi(endpoint=site.url, token=False)


def _ids(items: Sequence[dict[str, Any]]) -> list[str]:
    return [item["paper"]["id"] for item in items]


def test_the_list_of_a_date_is_what_the_hub_answered(site: Site) -> None:
    answer = site.get("/api/daily_papers", params={"date": str(DAY), "limit": "100"})
    assert answer.json() == items_at(DAY, TIMES[1], 8)
    assert answer.content == as_body(items_at(DAY, TIMES[1], 8))[0], "down to the order of fields"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["papers-verdict"] == (
        'complete; read_at="2026-08-14T02:31:00Z"; reason="It is complete."'
    )
    again = site.get(
        "/api/daily_papers",
        params={"date": str(DAY), "limit": "100"},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_list_is_answered_as_it_was_known_then(site: Site) -> None:
    asked = {"date": str(DAY), "as_of": "2026-08-13T20:00Z", "limit": "all"}
    assert site.get("/api/daily_papers", params=asked).json() == items_at(DAY, TIMES[0], 8)
    early = site.get("/api/daily_papers", params=asked | {"as_of": "2026-08-12T00:00Z"})
    assert early.status_code == 404
    assert early.json() == {
        "error": "Nothing was known of the list of 2026-08-13 at 2026-08-12 00:00 UTC."
    }


def test_numbers_in_odd_places_come_back_as_they_were(site: Site) -> None:
    assert site.get(f"/api/daily_papers?date={ODD_DAY}").json() == odd_items()


def test_pages_follow_by_their_link_and_end(site: Site) -> None:
    url, found, count = f"{site.url}/api/daily_papers?date={DAY}&limit=3", [], 0
    while url:
        answer = requests.get(url, timeout=30)
        found += answer.json()
        # the address in the link is that of PAPERS_PUBLIC_URL
        link = answer.links.get("next", {}).get("url", "")
        url, count = link.replace("http://localhost:8080", site.url), count + 1
    assert (found, count) == (items_at(DAY, TIMES[1], 8), 3)
    assert site.get(f"/api/daily_papers?date={DAY}&p=100").json() == []


def test_a_week_and_a_month_have_each_paper_once_by_votes(site: Site) -> None:
    week = site.get("/api/daily_papers?week=2026-W33&limit=all").json()
    month = site.get("/api/daily_papers?month=2026-08&limit=all").json()
    votes = [item["paper"]["upvotes"] for item in week]
    assert votes == sorted(votes, reverse=True)
    assert len(set(_ids(week))) == len(week) == 5 * 8
    assert set(_ids(week)) < set(_ids(month))


def test_without_a_date_the_newest_submissions_come_first(site: Site) -> None:
    items = site.get("/api/daily_papers?limit=20").json()
    at = [item["paper"]["submittedOnDailyAt"] for item in items]
    assert len(items) == 20
    assert at == sorted(at, reverse=True)
    second = site.get("/api/daily_papers?limit=20&p=1").json()
    assert not set(_ids(items)) & set(_ids(second))
    assert site.get("/api/daily_papers?limit=100&p=999999999").json() == []
    rest = site.get("/api/daily_papers?limit=20&p=2")
    assert (len(rest.json()), "link" in rest.headers) == (5, False)
    who = items[0]["submittedBy"]["name"]
    theirs = site.get(f"/api/daily_papers?submitter={who}").json()
    assert {item["submittedBy"]["name"] for item in theirs} == {who}


def test_what_trends_ignores_the_date(site: Site) -> None:
    with_date = site.get(f"/api/daily_papers?sort=trending&date={DAY}").json()
    assert with_date == site.get("/api/daily_papers?sort=trending").json()


def test_what_trends_stands_in_the_hubs_order_also_what_was_on_no_list(site: Site) -> None:
    trending = site.get("/api/daily_papers?sort=trending").json()
    assert trending == [trending_items()[0], *trending_items()[2:]], "the second is of no list read"
    shown = site.get("/api/daily_papers?sort=trending&limit=2").json()
    assert shown == trending[:2]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("daily_papers?limit=101", 400, "✖ Too big: expected number to be <=100\n  → at limit"),
        ("daily_papers?limit=0", 400, "✖ Too small: expected number to be >=1\n  → at limit"),
        (
            "daily_papers?limit=x",
            400,
            "✖ Invalid input: expected number, received NaN\n  → at limit",
        ),
        (
            "daily_papers?submitter=x&limit=all",
            400,
            "✖ Invalid input: expected number, received NaN\n  → at limit",
        ),
        ("daily_papers?p=-1", 400, "✖ Too small: expected number to be >=0\n  → at p"),
        ("daily_papers?date=2025-13-40", 400, "✖ Invalid ISO date\n  → at date"),
        ("daily_papers?date=2026-07", 400, "✖ Invalid ISO date\n  → at date"),
        ("daily_papers?date=2099-01-01", 400, '✖ "date" must be less than or equal to "'),
        ("daily_papers?week=2026-W54", 400, "✖ Invalid ISO week\n  → at week"),
        ("daily_papers?week=2026-W53", 400, "✖ Invalid ISO week\n  → at week"),
        ("daily_papers?week=2026-w53", 400, "✖ Invalid ISO week\n  → at week"),
        ("daily_papers?week=2026-W02", 404, "No day of 2026-W02 was ever read."),
        ("daily_papers?month=2099-01", 404, "No day of 2099-01 was ever read."),
        ("daily_papers?limit=%EF%BC%91%EF%BC%90", 400, "expected number, received NaN"),
        ("daily_papers?p=%D9%A1", 400, "expected number, received NaN"),
        ("daily_papers?month=2026-13", 400, "✖ Invalid ISO month\n  → at month"),
        ("daily_papers?sort=votes", 400, "✖ Invalid option: expected one of"),
        ("daily_papers?date=2026-08-03", 404, "Nothing was known of the list of 2026-08-03."),
        ("daily_papers?date=2026-08-13&as_of=noon", 400, "“noon” is no time; write it as"),
        ("papers/1234.56789", 404, "1234.56789 was on no list that was read."),
        ("papers/%00", 404, "was on no list that was read."),
        ("papers/search", 400, "✖ Invalid input: expected string, received undefined\n  → at q"),
        ("papers/search?q=" + "x" * 251, 400, "✖ Too big: expected string to have <=250"),
        ("papers/search?q=x&limit=121", 400, "✖ Too big: expected number to be <=120"),
        ("papers/week/2026-W33", 404, "Sorry, we can't find the page you are looking for."),
        ("nothing", 404, "Sorry, we can't find the page you are looking for."),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_as_json(
    site: Site, path: str, status: int, error: str
) -> None:
    answer = site.get(f"/api/{path}")
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_a_page_of_another_site_may_send_what_the_api_hears(site: Site) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    for path in ("daily_papers", "papers/search", "papers/2608.12313"):
        answer = site.options(f"/api/{path}", headers=asked)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "GET" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("day", ["2026-08-09", "2023-04-28", "0001-01-01"])
def test_a_weekend_and_a_day_before_the_first_list_have_none_and_that_is_no_error(
    site: Site, day: str
) -> None:
    answer = site.get(f"/api/daily_papers?date={day}")
    assert (answer.status_code, answer.json()) == (200, [])


def test_the_page_of_a_paper_shows_what_grew_out_of_it(site: Site) -> None:
    paper_id, said = max(LINKED.items(), key=lambda known: known[1]["numTotalModels"])
    page = site.get(f"/papers/{paper_id}").text
    assert "<h2>What grew out of it</h2>" in page
    assert f"{said['numTotalModels']} models" in page
    for repository in said["linkedModels"]:
        assert f'<a href="https://huggingface.co/{repository["id"]}">{repository["id"]}</a>' in page
    assert "Asked 1 time, the last time on " in page
    bare = site.get(f"/papers/{BARE}").text
    assert "No model, dataset or Space on the Hub names it yet." in bare
    never = odd_items()[0]["paper"]["id"]
    assert "grew out of it" not in site.get(f"/papers/{never}").text


class TestTheHubsOwnClient:
    """Each kind of call that its papers have."""

    def test_lists(self, client: HfApi) -> None:
        papers = list(client.list_daily_papers(date=str(DAY)))
        expected = items_at(DAY, TIMES[1], 8)
        assert [paper.id for paper in papers] == _ids(expected)
        assert papers[0].title == expected[0]["title"]
        assert papers[0].submitted_by is not None
        assert len(list(client.list_daily_papers())) == 45
        assert len(list(client.list_daily_papers(week="2026-W33", limit=100))) == 40
        assert len(list(client.list_daily_papers(month="2026-08", limit=7))) == 7
        assert list(client.list_daily_papers(sort="trending"))
        assert list(client.list_daily_papers(date=str(DAY), p=100)) == []
        with pytest.raises(BadRequestError):
            list(client.list_daily_papers(date="2025-13-40"))

    def test_of_a_submitter(self, client: HfApi, site: Site) -> None:
        who = site.get(f"/api/daily_papers?date={DAY}").json()[0]["submittedBy"]
        papers = list(client.list_daily_papers(submitter=who["name"]))
        assert papers
        assert {getattr(each.submitted_by, "fullname", None) for each in papers} == {
            who["fullname"]
        }

    def test_one_paper(self, client: HfApi) -> None:
        item = items_at(DAY, TIMES[1], 8)[0]
        paper = client.paper_info(item["paper"]["id"])
        assert (paper.title, paper.upvotes) == (item["title"], item["paper"]["upvotes"])
        assert client.paper_info(item["paper"]["id"] + "v1").id == paper.id
        with pytest.raises(HfHubHTTPError, match="404"):
            client.paper_info("1234.56789")

    def test_what_is_linked_with_a_paper(self, client: HfApi, site: Site) -> None:
        assert sum(answer["numTotalModels"] for answer in LINKED.values()) > 5
        for paper_id, said in LINKED.items():
            answer = site.get(f"/api/papers/{paper_id}").json()
            assert {name: answer[name] for name in FIELDS} == {name: said[name] for name in FIELDS}
            paper = client.paper_info(paper_id)
            assert [model.id for model in paper.linked_models or ()] == [
                model["id"] for model in said["linkedModels"]
            ]
            assert paper.num_total_models == said["numTotalModels"]
            assert paper.linked_datasets is not None
            assert paper.linked_spaces is not None
        never_asked = items_at(ODD_DAY, datetime(2026, 8, 18, 2, 31, tzinfo=UTC), 5)[0]
        answer = site.get(f"/api/papers/{never_asked['paper']['id']}").json()
        assert not answer.keys() & set(FIELDS)

    def test_search(self, client: HfApi) -> None:
        item = items_at(DAY, TIMES[1], 8)[0]
        papers = list(client.list_papers(query=item["title"]))
        assert papers[0].id == item["paper"]["id"]
        assert len(list(client.list_papers(query=item["title"], limit=1))) == 1

    def test_the_text_of_a_paper(self, client: HfApi) -> None:
        item = items_at(DAY, TIMES[1], 8)[0]
        assert client.read_paper(item["paper"]["id"]).startswith(f"# {item['title']}\n")

    def test_its_command(self, site: Site, tmp_path: Path) -> None:
        said = subprocess.run(
            [
                str(Path(sys.executable).with_name("hf")),
                *("papers", "ls", "--date", str(DAY), "--format", "json"),
            ],
            env=os.environ | {"HF_ENDPOINT": site.url, "HF_HOME": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        )
        papers = json.loads(said.stdout)
        assert [paper["id"] for paper in papers] == _ids(items_at(DAY, TIMES[1], 8))


@pytest.fixture(scope="module")
def corpus_site(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = published_home(tmp_path_factory.mktemp("corpus"), recorded_history(corpus))
    with serving(Settings(home=home)) as running:
        yield running


def _kept(items: Sequence[Any]) -> list[Any]:
    """Without what breaks the contract, and what stood there before."""
    good = [item for n, item in enumerate(items) if read_item(n, item).contract_error is None]
    return list({item["paper"]["id"]: item for item in reversed(good)}.values())[::-1]


def test_every_recorded_response_is_answered_again_field_by_field(
    corpus: Path, corpus_site: Site
) -> None:
    responses = recorded_history(corpus)
    assert len(responses) == 96
    for day, read_at, items in responses:
        asked = {"date": str(day), "as_of": read_at.isoformat(), "limit": "all"}
        answer = corpus_site.get("/api/daily_papers", params=asked)
        assert answer.json() == _kept(items), f"{day} at {read_at}"


@pytest.mark.parametrize(("unit", "edition"), [("week", "weekly"), ("month", "monthly")])
def test_a_period_is_the_same_now_as_known_now_and_from_the_api(
    corpus: Path, corpus_site: Site, unit: str, edition: Edition
) -> None:
    periods = {period_name(edition, day) for day, _, items in recorded_history(corpus) if items}
    assert len(periods) > 10
    for period in periods:
        address = f"/papers/{unit}/{period}.json"
        now = corpus_site.get(address).json()
        known = corpus_site.get(address, params={"as_of": "2026-11-30"}).json()
        api = corpus_site.get(f"/api/daily_papers?{unit}={period}&limit=all").json()
        shown, then = (
            [(item["url"].rpartition("/")[2], item["_paper"]["upvotes"]) for item in feed["items"]]
            for feed in (now, known)
        )
        assert shown, period
        assert then == shown, period
        assert [(i["paper"]["id"], i["paper"]["upvotes"]) for i in api] == shown, period


def test_the_hubs_client_gets_the_same_from_us_and_from_the_sample_hub(
    corpus: Path, corpus_site: Site
) -> None:
    days = sorted({day for day, _, _ in recorded_history(corpus)})
    ours = HfApi(endpoint=corpus_site.url, token=False)
    with SampleHub(now=datetime(2026, 11, 1, tzinfo=UTC), folder=corpus) as hub:
        theirs = HfApi(endpoint=hub.url, token=False)
        for day in days:
            both = [
                [(paper.id, paper.upvotes, paper.comments) for paper in found]
                for api in (ours, theirs)
                for found in [list(api.list_daily_papers(date=str(day), limit=100))]
            ]
            assert both[0] == list(dict.fromkeys(both[1])), str(day)
