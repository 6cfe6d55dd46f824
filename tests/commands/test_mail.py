"""The operator's words about the list and the ledger."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from flows.deliver import ledger_issue
from flows.mail_setup import open_mailing
from flows.mailing.dns_records import DnsFinding
from flows.mailing.subscribers import suppress
from flows.settings import load_settings
from tests.support.clock import CLOSED
from tests.support.console import Papers

pytestmark = pytest.mark.usefixtures("clock")


def test_a_person_is_added_listed_paused_and_removed(papers: Papers) -> None:
    added = papers("subscribers", "add", "Ann@Example.org", "--include", "agents", "--has-code")
    assert added == (0, "Ann@example.org is on the list, active since 2026-08-21.\n", "")
    code, _, err = papers("subscribers", "add", "ann@EXAMPLE.org")
    assert (code, "is on the list already" in err) == (1, True)
    _, out, _ = papers("subscribers", "list", "--format", "json")
    (person,) = json.loads(out)
    assert (person["state"], person["include"], person["has_code"]) == ("active", "agents", "yes")
    code, out, _ = papers("subscribers", "pause", "ann@example.org", "2026-09-01")
    assert (code, "paused until 2026-09-01" in out) == (0, True)
    with closing(open_mailing(load_settings())) as mailing:
        ledger_issue(mailing, date(2026, 8, 20), "daily", CLOSED)
    _, out, _ = papers("issue", "explain", "ann@example.org")
    assert out == "2026-08-20 daily: Not sent: paused until 2026-09-01.\n"
    assert papers("subscribers", "remove", "ann@example.org")[0] == 0
    code, _, err = papers("subscribers", "add", "ann@example.org")
    assert (code, "by the subscribe page only" in err) == (1, True)


def test_a_choice_changes_by_what_is_named_and_by_nothing_else(papers: Papers) -> None:
    papers("subscribers", "add", "ann@example.org", "--include", "agents", "--papers-max", "5")
    changed = papers("subscribers", "choose", "Ann@example.org", "--authors", "Ada L", "--has-code")
    words = "by your topics: agents; authors: Ada L; with code; at most 5"
    assert changed == (0, f"ann@example.org gets: daily, {words}.\n", "")
    back = ("--include", "", "--authors", "", "--no-has-code", "--papers-max", "0")
    changed = papers("subscribers", "choose", "ann@example.org", *back, "--editions", "weekly")
    assert changed == (0, "ann@example.org gets: weekly, every paper.\n", "")
    code, _, err = papers("subscribers", "choose", "ann@example.org", "--upvotes-min", "-3")
    assert (code, "minimum upvotes" in err) == (2, True)
    code, _, err = papers("subscribers", "choose", "ben@example.org", "--has-code")
    assert (code, err) == (1, "ben@example.org is not on the list.\n")
    (person,) = json.loads(papers("subscribers", "list", "--format", "json")[1])
    assert (person["editions"], person["include"], person["upvotes_min"]) == ("weekly", "", "")


def test_an_import_names_each_bad_line_and_adds_nothing_by_half(
    papers: Papers, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("address,include\na@example.org,agents\nnot an address,\n")
    code, out, err = papers("subscribers", "import", str(file))
    assert (code, out.startswith("Nothing imported: 1 bad line to mend")) == (2, True)
    assert err.startswith("line 3: ")
    assert papers("subscribers", "list", "--format", "json")[1] == "[]\n"
    file.write_text("address,include\na@example.org,agents\n")
    assert "1 would be added" in papers("subscribers", "import", str(file), "--dry-run")[1]
    assert "1 added" in papers("subscribers", "import", str(file))[1]
    code, out, _ = papers("subscribers", "export")
    assert (code, "a@example.org,active,daily,agents" in out) == (0, True)


def test_a_suppressed_address_comes_back_by_the_operators_word_only(papers: Papers) -> None:
    papers("subscribers", "add", "ann@example.org")
    with closing(open_mailing(load_settings())) as mailing:
        suppress(mailing, "ann@example.org", "hard: 550 5.1.1 no such user", now=CLOSED)
    code, _, err = papers("subscribers", "add", "Ann@example.org")
    assert (code, "is suppressed: hard: 550 5.1.1" in err) == (1, True)
    lifted = papers("subscribers", "lift", "Ann@example.org")
    assert lifted == (0, "Ann@example.org is active since 2026-08-21.\n", "")


def test_a_key_setting_without_a_key_is_named(
    papers: Papers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAPERS_SECRET_KEY", " , ")
    (tmp_path / "box").write_bytes(b"")
    code, _, err = papers("subscribers", "bounces", str(tmp_path / "box"))
    assert (code, err) == (2, "PAPERS_SECRET_KEY cannot be used: there is no key in it.\n")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["subscribers", "add", "nobody"], 2, "must have an @-sign"),
        (["subscribers", "add", "a@b.example", "--editions", "hourly"], 2, "hourly"),
        (["subscribers", "remove", "who@example.org"], 1, "is not on the list"),
        (["subscribers", "pause", "who@example.org"], 1, "is not on the list"),
        (["subscribers", "import", "nowhere.csv"], 2, "nowhere.csv cannot be read"),
        (["subscribers", "import", "."], 2, ". cannot be read: Is a directory."),
        (["subscribers", "import", "picture.png"], 2, "picture.png cannot be read: it is not UTF"),
        (["subscribers", "export", "nowhere/people.csv"], 2, "people.csv cannot be written: No"),
        (["subscribers", "list", "--state", "asleep"], 2, "asleep"),
        (["subscribers", "lift", "who@example.org"], 1, "is not suppressed"),
        (["subscribers", "bounces", "nowhere"], 2, "nowhere"),
        (["subscribers", "bounces", "picture.png"], 2, "is no mbox"),
        (["subscribers", "rehearse", "who@example.org"], 1, "is not on the list"),
        (["issue", "status"], 1, "There is no such issue"),
        (["issue", "resume", "2026-08-20"], 1, "There is no daily issue of 2026-08-20"),
        (["issue", "explain", "a@b.example"], 1, "There is no daily issue yet"),
        (["issue", "lint", "nowhere.eml"], 2, "nowhere.eml cannot be read"),
        (["issue", "lint", "picture.png"], 1, "There is no DKIM signature"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    papers: Papers, tmp_path: Path, words: list[str], code: int, sentence: str
) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended, out, err = papers(*words)
    assert (ended, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err


def test_the_doctor_looks_for_the_key_of_the_relays_selector(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def look(domain: str, *, selectors: list[str]) -> list[DnsFinding]:
        asked.append((domain, selectors))
        return [DnsFinding("ok", "DKIM: there is a key at selector s1.")]

    monkeypatch.setattr("flows.operations.doctor.dns_findings", look)
    monkeypatch.setenv("PAPERS_HUB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "Daily Papers <papers@example.org>")
    monkeypatch.setenv("PAPERS_DKIM_SELECTOR", "s1")
    assert "ok       dns        DKIM: there is a key at selector s1." in papers("doctor")[1]
    assert asked == [("example.org", ["s1"])]
