"""From a complete day to the readers' mail, and why there is none."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.mail_setup import open_mailing
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add, find_public, unsubscribe
from flows.newsletter.lint import lint
from flows.outcome import Outcome
from flows.publication.lists import calendar
from flows.publication.published import opened
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from flows.web.mail_history import mail_history
from tests.support.clock import CLOSED, DAY
from tests.support.relay import Relay
from tests.support.whole_runs import subscribe

Run = Callable[..., Outcome]


def test_every_reader_gets_the_issue_once_and_by_choice(
    run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_PUBLIC_URL", "https://papers.example.org")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "Daily Papers <papers@example.org>")
    ids = subscribe(
        ("all@example.org", Rule()),
        ("few@example.org", Rule(papers_max=3)),
        ("none@example.org", Rule(include=("no paper says this",))),
        ("gone@example.org", Rule()),
    )
    with closing(open_mailing(load_settings())) as mailing:
        unsubscribe(mailing, ids["gone@example.org"], now=CLOSED)
    outcome = run()
    assert outcome.exit_code == 0
    assert "Sent to 2, 1 skipped" in outcome.sentence

    folder = own_home / "issues" / f"{DAY}-daily" / "mail"
    sent = {path.stem: path.read_bytes() for path in folder.iterdir()}
    assert sent.keys() == {ids["all@example.org"], ids["few@example.org"]}
    for raw in sent.values():
        assert lint(raw) == []
    few = message_from_bytes(sent[ids["few@example.org"]], policy=SMTP)
    assert few["To"] == "few@example.org"
    text = few.get_body(("plain",))
    assert text is not None
    assert text.get_content().count("/papers/2608.") == 3

    again = run(at=CLOSED + timedelta(minutes=1))
    assert "Already sent to 2" in again.sentence
    assert {path.stem: path.read_bytes() for path in folder.iterdir()} == sent
    with duckdb.connect(str(own_home / "published" / "papers.duckdb"), read_only=True) as marts:
        counted = marts.execute(
            "select state, delivery_count from marts.digest_deliveries order by all"
        ).fetchall()
    assert counted == [("sent", 2), ("skipped", 1)]
    for file in ("published/papers.duckdb", "warehouse.duckdb"):
        assert b"few@example.org" not in (own_home / file).read_bytes()


def test_each_reader_learns_why_nothing_came_and_what_became_of_the_rest(
    run: Run, hub: SampleHub, own_home: Path
) -> None:
    ids = subscribe(
        ("all@example.org", Rule()),
        ("none@example.org", Rule(include=("no paper says this",))),
        ("weekly@example.org", Rule(editions=("weekly",))),
    )
    monday, closed = DAY + timedelta(days=4), CLOSED + timedelta(days=4)
    assert run().exit_code == 0
    hub.now = closed
    assert run(monday, closed).exit_code == 0
    folder = own_home / "issues" / f"{monday}-daily"
    said = "No issue on 21 August: the list was not read; on 22 and 23 August: weekend."
    assert said in " ".join((folder / "digest.txt").read_text().split())
    assert f">{said}</p>" in (folder / "digest.html").read_text()
    [letter] = [file.read_bytes() for file in (folder / "mail").iterdir()]
    body = message_from_bytes(letter, policy=SMTP).get_body(("plain",))
    assert body is not None
    assert said in " ".join(body.get_content().split())

    with (
        closing(open_mailing(load_settings())) as mailing,
        opened(own_home / "published" / "papers.duckdb") as connection,
    ):
        verdicts = calendar(connection, DAY - timedelta(days=40), monday)

        def told(address: str) -> dict[date, str]:
            person = find_public(mailing, ids[address])
            assert person is not None
            history = mail_history(mailing, person, verdicts, closed)
            assert [each.day for each in history] == sorted(
                (each.day for each in history), reverse=True
            )
            return {each.day: each.sentence for each in history}

        everything, nothing = told("all@example.org"), told("none@example.org")
        assert len(everything) == len(nothing) == 30
        assert everything[monday] == "Sent 25 Aug 02:31 UTC."
        assert everything[DAY].startswith("Sent 21 Aug 02:31 UTC.")
        assert everything[date(2026, 8, 22)] == "No issue: weekend."
        assert everything[date(2026, 8, 19)] == "No issue: the list was not read."
        assert nothing[monday] == "Nothing to send: no paper fits your choice."
        assert told("weekly@example.org") == {}
        late = add(mailing, "late@example.org", now=closed + timedelta(hours=1), rule=Rule())
        ids["late@example.org"] = late.public_id
        assert told("late@example.org")[monday] == "Sent before you were on the list."

    from flows.as_of import as_of_papers

    read_at = datetime.fromisoformat(
        json.loads((folder / "issue.json").read_text())["proof"]["read_at"]
    )
    rebuilt: Any = as_of_papers(monday, read_at, return_state=True).result()
    for name in ("digest.html", "digest.txt", "digest.eml", "issue.json"):
        assert (rebuilt.issue / name).read_bytes() == (folder / name).read_bytes(), name


def test_an_issue_past_its_age_is_made_and_not_mailed(run: Run, own_home: Path) -> None:
    subscribe(("all@example.org", Rule()))
    outcome = run(at=CLOSED + timedelta(hours=40))
    assert "after 36 hours no issue goes out by itself" in outcome.sentence
    assert (own_home / "issues" / f"{DAY}-daily" / "digest.html").exists()
    assert not (own_home / "issues" / f"{DAY}-daily" / "mail").exists()


@pytest.mark.parametrize(
    ("day_shift", "fault"), [(2, None), (0, "503"), (0, "empty"), (0, "zero_votes")]
)
def test_a_day_without_an_issue_opens_no_connection(
    run: Run,
    hub: SampleHub,
    relay: Relay,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    day_shift: int,
    fault: str | None,
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_FROM", "papers@example.org")
    monkeypatch.setenv("PAPERS_MAIL_URL", f"smtp://127.0.0.1:{relay.port}?tls=none")
    subscribe(("all@example.org", Rule()))
    hub.fail(*[fault] if fault else [])
    outcome = run(DAY + timedelta(days=day_shift), CLOSED + timedelta(days=day_shift))
    assert outcome.verdict != "complete"
    assert outcome.sentence
    assert relay.sessions == 0
    assert not list(own_home.rglob("*.eml"))


def test_mail_that_cannot_leave_is_held_and_said(
    run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_URL", "smtp://me:hunter2@127.0.0.1:9?tls=none")
    subscribe(("all@example.org", Rule()))
    outcome = run()
    assert outcome.exit_code == 1
    assert "Mail is held" in outcome.sentence
    assert "hunter2" not in outcome.sentence
    assert (own_home / "published" / "papers.duckdb").exists()


def test_an_issue_made_again_from_its_frozen_digest_has_the_same_bytes(
    complete_day: Outcome, own_home: Path
) -> None:
    from flows.issues.frozen import frozen_digest, issue_files

    folder = own_home / "issues" / f"{DAY}-daily"
    again = issue_files(frozen_digest(folder), load_settings())
    assert set(again) == {"digest.html", "digest.txt", "digest.eml", "issue.json"}
    for name, content in again.items():
        assert (folder / name).read_bytes() == content, name
