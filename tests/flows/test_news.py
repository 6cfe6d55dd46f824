"""From one issue to the news of its papers in the next, and a past issue again from readings."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect import flow

from flows.newsletter.lint import lint
from flows.outcome import Outcome
from flows.settings import load_settings
from flows.sources.sample.faults import Fault
from flows.sources.sample_hub import SampleHub
from flows.transform import transform
from tests.support.clock import DAY
from tests.support.dbt_build import MARTS

Run = Callable[..., Outcome]
Item = dict[str, Any]
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 8, 19), DAY, date(2026, 8, 21)
SENT = [*MARTS, "daily_digest_updates", "issue_as_sent", "issue_as_known_now"]


def closed(day: date) -> datetime:
    """An hour after the list of this day has closed."""
    return datetime(day.year, day.month, day.day, 2, 31, tzinfo=UTC) + timedelta(days=1)


def changed(changes: dict[str, Item]) -> Fault:
    """A Hub on which these papers, by their ids, have other fields than when they were listed."""

    def change(items: Any) -> list[Item]:
        return [
            {**item, "paper": {**item["paper"], **changes.get(item["paper"]["id"], {})}}
            for item in items
        ]

    return Fault(change=change)


def issue(home: Path, day: date) -> Any:
    return json.loads((home / "issues" / f"{day}-daily" / "issue.json").read_text())


def told(home: Path, day: date) -> dict[str, dict[str, str]]:
    """What an issue says in its sections: section, paper, why."""
    return {
        section["name"]: {paper["paper_id"]: paper["why_here"] for paper in section["papers"]}
        for section in issue(home, day)["sections"]
    }


def tables(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        return {t: connection.execute(f"from marts.{t} order by all").fetchall() for t in SENT}


@flow
def rebuild() -> None:
    transform(load_settings())


@pytest.mark.torture
def test_news_of_an_issue_comes_once_and_the_issue_again_from_readings(
    run: Run, hub: SampleHub, own_home: Path
) -> None:
    from flows.as_of import as_of_papers

    run(WEDNESDAY, closed(WEDNESDAY))
    listed = [p for p in issue(own_home, WEDNESDAY)["papers"] if not p["is_withdrawn"]]
    assert issue(own_home, WEDNESDAY)["sections"] == []
    bloom, titled, withdrawn = (paper["paper_id"] for paper in listed[:3])
    coded = next(p["paper_id"] for p in listed[3:] if not p["github_url"] and not p["project_url"])
    changes: dict[str, Item] = {
        bloom: {"upvotes": listed[0]["upvotes_count"] * 2 + 20},
        titled: {"title": "Another title <script>"},
        withdrawn: {"withdrawnAt": "2026-08-20T12:00:00.000Z"},
        coded: {"githubRepo": "https://github.com/late/code"},
    }
    hub.fail(changed(changes))
    run(WEDNESDAY, closed(WEDNESDAY) + timedelta(hours=20))
    assert run(THURSDAY, closed(THURSDAY)).exit_code == 0

    news = told(own_home, THURSDAY)
    assert news["late_bloomers"][bloom].endswith("votes since our issue of 19 Aug")
    assert news["now_has_code"][coded] == "repository added since our issue of 19 Aug"
    assert news["corrections"] == {
        withdrawn: "since our issue of 19 Aug: withdrawn",
        titled: f"since our issue of 19 Aug: the title was “{listed[1]['title']}”",
    }
    folder = own_home / "issues" / f"{THURSDAY}-daily"
    page = (folder / "digest.html").read_text()
    assert "Took off since we listed them" in page
    assert "Another title &lt;script" in page
    assert "https://github.com/late/code" in (folder / "digest.txt").read_text()
    assert lint((folder / "digest.eml").read_bytes()) == []

    # The old day once more, and the next issue: nothing is told twice, and new news is told.
    sent = (folder / "issue.json").read_bytes()
    other = listed[4]["paper_id"]
    hub.heal()
    hub.fail(changed(changes | {other: {"title": "A third title"}}))
    run(WEDNESDAY, closed(THURSDAY) + timedelta(hours=18))
    run(FRIDAY, closed(FRIDAY))
    assert (folder / "issue.json").read_bytes() == sent
    assert other in told(own_home, FRIDAY)["corrections"]
    for section, papers in told(own_home, FRIDAY).items():
        assert not news.get(section, {}).keys() & papers.keys()

    # A warehouse without its marts and without what it had recorded knows it all again.
    rebuild()
    before = tables(own_home)
    with duckdb.connect(str(own_home / "warehouse.duckdb")) as connection:
        for schema in ("marts", "mailing"):
            connection.execute(f"drop schema {schema} cascade")
        connection.execute("drop table staging.built_with")
    rebuild()
    assert tables(own_home) == before

    # From readings alone, and from no Hub: the issue byte for byte.
    files = {path: path.read_bytes() for path in own_home.glob("issues/*/*")}
    published = (own_home / "published" / "papers.duckdb").read_bytes()
    hub.close()
    read_at = datetime.fromisoformat(issue(own_home, THURSDAY)["proof"]["read_at"])
    outcome: Any = as_of_papers(THURSDAY, read_at, return_state=True).result()
    assert outcome.exit_code == 0
    assert outcome.sentence.startswith("It was complete, with ")
    for name in ("digest.html", "digest.txt", "digest.eml", "issue.json"):
        assert (outcome.issue / name).read_bytes() == (folder / name).read_bytes(), name
    assert {path: path.read_bytes() for path in own_home.glob("issues/*/*")} == files
    assert (own_home / "published" / "papers.duckdb").read_bytes() == published
