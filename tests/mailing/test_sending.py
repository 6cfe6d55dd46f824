from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.mailing import explained, leases, ledger, ledger_issues
from flows.mailing import subscribers as people
from flows.mailing.csv_lines import import_csv
from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.ledger_issues import Issue, open_issue
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule, parse_rule
from flows.mailing.sender import Letter, SendLimits
from flows.mailing.sending import SendReport, send_issue
from flows.mailing.transports import FileTransport
from tests.mailing.conftest import DAY, NOW
from tests.support.clock import Clock
from tests.support.relay import Relay
from tests.support.sender import letters

if TYPE_CHECKING:
    pass

ONE = SendLimits(connections_count=1, reconnect_pauses=())


@pytest.fixture
def issue(mailing: Mailing) -> Issue:
    return open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)


Send = Callable[..., SendReport]


@pytest.fixture
def send(mailing: Mailing, issue: Issue, relay: Relay, clock: Clock) -> Send:
    def run(**given: Any) -> SendReport:
        usual: dict[str, Any] = {"limits": ONE, "clock": clock}
        asked = given.pop("issue", issue)
        compose = given.pop("compose", letters)
        transport = given.pop("transport", None) or relay.transport()
        return send_issue(mailing, asked, compose, transport, **(usual | given))

    return run


def _join(mailing: Mailing, *names: str) -> None:
    done = import_csv(mailing, [f"{name}@example.org" for name in names], now=NOW)
    assert done.is_done


def _many(mailing: Mailing, count: int) -> list[str]:
    names = [f"reader{number}" for number in range(count)]
    _join(mailing, *names)
    return [f"{name}@example.org" for name in names]


def _why(mailing: Mailing, name: str, today: date = DAY) -> str:
    return explained.explain(mailing, "daily", DAY, f"{name}@example.org", today=today)


def test_an_issue_goes_to_each_once_and_a_second_run_says_so(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _join(mailing, "ada", "bo")
    first, second = send(), send()
    assert first.sentence == "Sent to 2."
    assert second.sentence == "Already sent to 2."
    assert not second.is_blocked
    assert first.issue.state == "done"
    assert relay.counts == {"ada@example.org": 1, "bo@example.org": 1}
    assert _why(mailing, "ada") == "Sent at 2026-08-14 02:00 UTC."


def test_nobody_to_send_to_opens_no_connection(send: Send, relay: Relay) -> None:
    assert send().sentence == "There is nobody to send to."
    assert relay.sessions == 0


def test_only_who_is_subscribed_now_gets_it(mailing: Mailing, send: Send, relay: Relay) -> None:
    _join(mailing, "ada", "left", "bounced", "paused", "back")
    people.subscribe(mailing, "new@example.org", rule=Rule(), now=NOW)
    people.unsubscribe(mailing, _id(mailing, "left"), now=NOW)
    people.suppress(mailing, "bounced@example.org", "bounced", now=NOW)
    people.pause(mailing, _id(mailing, "paused"), date(2026, 9, 1), now=NOW)
    people.pause(mailing, _id(mailing, "back"), DAY, now=NOW - timedelta(days=9))
    assert send().sentence == "Sent to 2, 1 skipped."
    assert set(relay.counts) == {"ada@example.org", "back@example.org"}
    assert _why(mailing, "paused") == "Not sent: paused until 2026-09-01."
    _join(mailing, "late")
    people.pause(mailing, _id(mailing, "late"), date(2026, 9, 1), now=NOW)
    assert _why(mailing, "late") == "Not sent: paused until 2026-09-01."
    assert _why(mailing, "late", date(2026, 9, 1)).startswith("Not sent yet: ")
    assert _why(mailing, "left") == "Not sent: unsubscribed since 2026-08-14."
    assert _why(mailing, "bounced") == "Not sent: suppressed since 2026-08-14, bounced."
    assert _why(mailing, "new") == "Not sent: unconfirmed since 2026-08-14."
    assert _why(mailing, "nobody") == "Not sent: this address is not on the list."


def test_an_edition_goes_to_who_chose_it(mailing: Mailing, send: Send, relay: Relay) -> None:
    _join(mailing, "ada")
    people.add(mailing, "bo@example.org", rule=parse_rule({"editions": "weekly"}), now=NOW)
    weekly = open_issue(mailing, "weekly", DAY, due_at=NOW, now=NOW)
    assert send(issue=weekly).sentence == "Sent to 1."
    assert set(relay.counts) == {"bo@example.org"}
    assert _why(mailing, "bo") == "Not sent: chose weekly, not daily."


def test_equal_rules_share_a_rendering_and_no_match_sends_nothing(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    for number in range(30):
        rule = parse_rule({"include": ["robots", "Robots ", "rare", "ai"][number % 4]})
        people.add(mailing, f"reader{number}@example.org", rule=rule, now=NOW)
    asked: list[str] = []

    def compose(rule: Rule) -> Letter | None:
        asked.append(rule.key)
        return None if "rare" in rule.include else letters(rule)

    assert send(compose=compose).sentence == "Sent to 23, 7 skipped."
    assert len(asked) == len(set(asked)) == 3
    assert _why(mailing, "reader2") == "Not sent: nothing matched their choice."
    assert send(compose=compose).sentence == "Already sent to 23, 7 skipped."


def test_where_nothing_matches_anybody_no_connection_opens_and_nothing_is_wrong(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _join(mailing, "ada", "bo")
    report = send(compose=lambda _rule: None)
    assert report.sentence == "Sent to 0, 2 skipped."
    assert not report.is_blocked
    assert relay.sessions == 0


def test_a_refusal_for_now_is_tried_again_after_growing_pauses(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _join(mailing, "ada", "bo")
    relay.says("RCPT", *["451 4.7.1 greylisted"] * 3, to="ada@example.org")
    report = send()
    assert report.sentence == "Sent to 1, 1 deferred."
    assert report.issue.state == "sending"
    assert report.next_attempt_at == NOW + timedelta(minutes=30)
    assert _why(mailing, "ada") == (
        "Not sent yet: 451 4.7.1 greylisted; tried 1 time, again from 2026-08-14 02:30 UTC."
    )
    clock.pass_by(minutes=29)
    send()
    assert relay.seen["RCPT"] == 2
    waits = []
    while (report := send()).next_attempt_at:
        waits.append((report.next_attempt_at - clock.now).total_seconds() / 3600)
        clock.now = report.next_attempt_at
    assert waits[-2:] == [1, 2]
    assert report.sentence == "Sent to 2."
    assert relay.counts == {"ada@example.org": 1, "bo@example.org": 1}


def test_what_is_deferred_fails_when_the_issue_is_old(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _join(mailing, "ada")
    relay.says("RCPT", *["451 later"] * 99)
    send()
    clock.pass_by(hours=37)
    report = send()
    assert report.sentence.startswith("Not sent: it is 37 hours old")
    assert report.counts == {"failed": 1}
    assert _why(mailing, "ada") == "Not sent: not accepted within 36 hours."


def test_a_bad_address_is_suppressed_at_once_and_a_soft_refusal_after_three_issues(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _join(mailing, "ada", "bad", "full")
    relay.says("RCPT", "550 5.1.1 no such user", to="bad@example.org")
    relay.says("RCPT", *["552 5.2.2 mailbox full"] * 9, to="full@example.org")
    states = []
    for days in range(4):
        clock.now = NOW + timedelta(days=days)
        issue = open_issue(
            mailing, "daily", DAY + timedelta(days=days), due_at=clock.now, now=clock.now
        )
        send(issue=issue)
        states.append([_state(mailing, name) for name in ("ada", "bad", "full")])
    assert (
        states
        == [["active", "suppressed", "active"]] * 2 + [["active", "suppressed", "suppressed"]] * 2
    )
    done = import_csv(mailing, ["bad@example.org"], now=clock.now)
    assert "refused for good: 550 5.1.1 no such user" in done.left_out[0].sentence


def test_a_doubt_is_left_to_the_operator(mailing: Mailing, send: Send, relay: Relay) -> None:
    _join(mailing, "ada")
    relay.says("END", "take and drop")
    report = send()
    assert report.sentence == "Paused: nobody was reached. Sent to 0, 1 unknown."
    assert send().sentence == report.sentence
    assert len(relay.taken) == 1
    assert "again only if you say so" in _why(mailing, "ada")
    assert ledger_issues.requeue(mailing, report.issue, "unknown", now=NOW) == 1
    assert send(is_forced=True).sentence == "Sent to 1."


def test_a_relay_that_hangs_up_between_messages_costs_nobody_anything(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    addresses = _many(mailing, 6)
    relay.says("MAIL", "250 ok", "250 ok", "drop", "250 ok", "250 ok", "drop")
    assert send().sentence == "Sent to 6."
    assert relay.counts == dict.fromkeys(addresses, 1)
    assert relay.sessions == 3


def test_a_421_is_answered_by_a_new_connection(mailing: Mailing, send: Send, relay: Relay) -> None:
    _many(mailing, 5)
    relay.says("RCPT", "250 ok", "421 4.3.2 closing")
    assert send().sentence == "Sent to 4, 1 deferred."
    assert relay.sessions == 2


def test_who_leaves_while_the_issue_goes_out_does_not_get_it(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _many(mailing, 50)

    def leave_at_the_first() -> None:
        relay.meanwhile = None
        for number in range(13):
            people.unsubscribe(mailing, _id(mailing, f"reader{number}"), now=NOW)
        for number in range(13, 25):
            people.suppress(mailing, f"reader{number}@example.org", "it bounced", now=NOW)

    relay.meanwhile = leave_at_the_first
    assert send().sentence == "Sent to 25, 25 skipped."
    assert not {f"reader{number}@example.org" for number in range(25)} & set(relay.counts)
    assert _why(mailing, "reader3") == "Not sent: unsubscribed meanwhile."
    assert _why(mailing, "reader20") == "Not sent: suppressed meanwhile."


def test_too_many_errors_pause_the_issue_until_the_operator_goes_on(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    addresses = _many(mailing, 60)
    relay.says("RCPT", *["451 4.7.0 <reader1@example.org> slow down"] * 5)
    limits = SendLimits(connections_count=2, errors_max=5)
    report = send(limits=limits)
    assert report.is_blocked
    assert report.issue.state == "paused"
    assert report.sentence.startswith(
        "Paused: 5 of 5 messages went wrong, the last: 451 4.7.0 <…> slow down. Sent to 0"
    ) or report.sentence.startswith("Paused: 5 of ")
    assert "@" not in report.sentence
    assert send().sentence == report.sentence  # and by itself it stays paused
    clock.pass_by(hours=1)
    assert send(is_forced=True).sentence == "Sent to 60."
    assert relay.counts == dict.fromkeys(addresses, 1)


def test_a_paused_issue_can_be_sent_however_old_it_is_and_the_rest_stays_due(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    addresses = _many(mailing, 40)
    relay.says("RCPT", *["451 4.7.0 slow down"] * 5)
    assert send(limits=SendLimits(connections_count=1, errors_max=5)).is_blocked
    clock.pass_by(hours=40)
    tomorrow = open_issue(mailing, "daily", DAY + timedelta(days=1), due_at=clock(), now=clock())
    send(issue=tomorrow)  # and the next issue does not close it
    relay.says("RCPT", "451 not you", to="reader3@example.org")
    report = send(is_forced=True)
    assert (report.sentence, report.is_blocked) == ("Sent to 39, 1 deferred.", False)
    assert report.next_attempt_at
    clock.pass_by(hours=20)
    assert send().sentence.startswith("Sent to 40.")
    assert relay.counts == dict.fromkeys(addresses, 2), "once this issue, once the next"


def test_where_nobody_was_reached_a_paused_issue_stays_paused(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _many(mailing, 3)
    relay.says("RCPT", *["451 4.7.0 slow down"] * 6)
    assert send(limits=SendLimits(connections_count=1, errors_max=3)).issue.state == "paused"
    report = send(is_forced=True)
    assert (report.is_blocked, report.issue.state) == (True, "paused")
    assert report.sentence == "Paused: nobody was reached. Sent to 0, 3 deferred."
    assert send(is_forced=True).sentence == "Sent to 3."


def test_the_operators_word_does_not_pause_what_is_tried_again_by_itself(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _many(mailing, 3)
    relay.says("RCPT", *["451 4.7.1 greylisted"] * 6)
    send()
    report = send(is_forced=True)
    assert (report.is_blocked, report.issue.state) == (False, "sending")
    assert report.next_attempt_at
    clock.pass_by(hours=2)
    assert send().sentence == "Sent to 3."


def test_an_issue_that_nobody_is_sure_to_have_is_paused_for_somebody_to_look(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _many(mailing, 3)
    relay.says("END", *["take and drop"] * 3)
    report = send()
    assert (report.is_blocked, report.issue.state) == (True, "paused")
    assert report.sentence == "Paused: nobody was reached. Sent to 0, 3 unknown."
    assert send().is_blocked
    assert set(relay.counts.values()) == {1}, "and what is in doubt is not sent again"


def test_ctrl_c_does_not_wait_for_a_relay_that_is_silent_after_the_message(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _many(mailing, 1)
    relay.says("END", "hang")

    def interrupt(_tried: int, _total: int) -> None:
        if relay.seen["END"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(transport=relay.transport(final_timeout=60), on_progress=interrupt)
    (row,) = ledger_issues.delivery_counts(mailing)
    assert row.state == "unknown"
    assert _why(mailing, "reader0").startswith("Perhaps sent")
    assert "timed out" not in _why(mailing, "reader0")


def test_a_relay_that_is_away_stops_the_run_and_the_next_one_goes_on(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    addresses = _many(mailing, 9)
    away = relay.transport()
    object.__setattr__(away, "port", 1)
    report = send(transport=away, limits=SendLimits(connections_count=3, reconnect_pauses=(0.01,)))
    assert report.is_blocked
    assert report.sentence.startswith("Stopped: 127.0.0.1:1 cannot be used")
    assert report.issue.state == "sending"
    assert send().sentence == "Sent to 9."
    assert relay.counts == dict.fromkeys(addresses, 1)


def test_an_old_issue_goes_out_by_the_operators_word_only(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _join(mailing, "ada")
    clock.pass_by(hours=36.6)
    report = send()
    assert report.sentence == (
        "Not sent: it is 37 hours old, and after 36 hours no issue goes out by itself."
    )
    assert not report.is_blocked
    assert relay.sessions == 0
    assert send(is_forced=True).sentence == "Sent to 1."


def test_after_days_of_silence_one_current_issue_goes_out(
    mailing: Mailing, send: Send, relay: Relay, clock: Clock
) -> None:
    _join(mailing, "ada")
    days = [DAY + timedelta(days=number) for number in range(5)]
    issues = [
        open_issue(mailing, "daily", day, due_at=NOW + timedelta(days=n), now=NOW)
        for n, day in enumerate(days)
    ]
    clock.pass_by(days=4, hours=1)
    said = [send(issue=issue).sentence for issue in issues]
    assert relay.counts == {"ada@example.org": 1}
    assert said[0].startswith("Not sent: it is 97 hours old")
    assert said[3] == ("Not sent: a newer issue is due, and only the newest goes out by itself.")
    assert said[4] == "Sent to 1."
    assert send(issue=issues[4]).sentence == "Already sent to 1."


def test_who_joins_while_the_issue_is_young_gets_it(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    _join(mailing, "ada")
    send()
    _join(mailing, "bo")
    assert send().sentence == "Sent to 2."
    assert relay.counts == {"ada@example.org": 1, "bo@example.org": 1}


def test_files_are_a_way_out_too(mailing: Mailing, send: Send, tmp_path: Path) -> None:
    addresses = _many(mailing, 30)
    report = send(transport=FileTransport(tmp_path / "mail"), limits=SendLimits())
    assert report.sentence == "Sent to 30."
    files = list((tmp_path / "mail").iterdir())
    assert sorted(f.read_bytes().split(b"\r\n")[0].decode()[4:] for f in files) == sorted(addresses)
    assert not any("reader" in file.name for file in files)


def test_no_second_has_more_messages_than_allowed(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    import time

    _many(mailing, 10)
    began = time.monotonic()
    send(limits=SendLimits(connections_count=4, messages_per_second=50))
    assert time.monotonic() - began >= 9 / 50


def test_how_far_it_is_is_told_from_none_to_all(
    mailing: Mailing, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    _many(mailing, 60)
    monkeypatch.setattr("flows.mailing.sender._PROGRESS_SECONDS", 0.05)
    told: list[tuple[int, int]] = []
    send(
        limits=SendLimits(messages_per_second=100),
        on_progress=lambda tried, total: told.append((tried, total)),
    )
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == (60, 60)
    send(on_progress=lambda *counts: told.append(counts))
    assert told[-1] == (0, 0)


def test_a_failure_in_composing_sends_nobody_twice(
    mailing: Mailing, send: Send, relay: Relay
) -> None:
    addresses = _many(mailing, 20)
    calls = iter(range(100))

    def breaks(rule: Rule) -> Letter:
        def letter(reader: Reader) -> bytes:
            if next(calls) == 7:
                raise RuntimeError("a bug in the template")
            return letters(rule)(reader)

        return letter

    with pytest.raises(RuntimeError, match="a bug in the template"):
        send(compose=breaks)
    assert send().sentence == "Sent to 20."
    assert relay.counts == dict.fromkeys(addresses, 1)


def test_after_a_power_cut_nothing_that_was_claimed_goes_again_by_itself(
    tmp_path: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = open_mailing_database(tmp_path / "mailing.sqlite")
    addresses = _many(mailing, 300)
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    with leases.lease(mailing) as number:
        cut = ledger.Ledger(mailing, issue, number, lambda: NOW)
        claimed = {reader.address for reader in next(cut.claim_new(lambda _: True))}
    (tmp_path / "boot_id").write_text("another boot")
    monkeypatch.setattr(leases, "BOOT_ID_FILE", tmp_path / "boot_id")
    report = send_issue(mailing, issue, letters, relay.transport(), limits=ONE, clock=lambda: NOW)
    assert report.counts == {"sent": 300 - len(claimed), "unknown": len(claimed)}
    assert set(relay.counts) == set(addresses) - claimed
    mailing.close()


def test_analysts_get_counts_and_no_person(mailing: Mailing, send: Send, relay: Relay) -> None:
    _many(mailing, 3)
    relay.says("RCPT", "451 later")
    send()
    rows = ledger_issues.delivery_counts(mailing)
    assert [(r.issue_date, r.edition, r.state, r.count) for r in rows] == [
        (DAY, "daily", "deferred", 1),
        (DAY, "daily", "sent", 2),
    ]
    assert "@" not in repr(rows)


def _id(mailing: Mailing, name: str) -> str:
    person = people.find(mailing, f"{name}@example.org")
    assert person is not None
    return person.public_id


def _state(mailing: Mailing, name: str) -> str:
    person = people.find(mailing, f"{name}@example.org")
    assert person is not None
    return person.state
