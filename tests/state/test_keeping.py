import subprocess
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.errors import OperationError, UsageError
from flows.mail_setup import open_mailing
from flows.mailing.ledger_issues import PAUSED, counts, find_issue, open_issue, requeue
from flows.mailing.sending import send_issue
from flows.mailing.sent_log import SentLog
from flows.mailing.subscribers import add, pause, unsubscribe
from flows.settings import Settings
from flows.state.branch import BranchError, BranchMovedError
from flows.state.keeping import CLAIM, claim, give_back, keep, keep_before_mail, take
from tests.state.conftest import Machine
from tests.support.clock import CLOSED, DAY, Clock
from tests.support.relay import Relay
from tests.support.sender import letters


def _begin(machine: Machine) -> Settings:
    settings = machine()
    take(settings)
    claim(settings)
    return settings


def _tip(remote: Path) -> str:
    return subprocess.check_output(["git", "-C", remote, "rev-parse", "state"], text=True)


def test_the_next_machine_goes_on_from_what_the_last_one_kept(
    machine: Machine, clock: Clock, remote: Path
) -> None:
    first = _begin(machine)
    with closing(open_mailing(first)) as mailing:
        add(mailing, "ana@example.org", now=CLOSED)
        give_back(first)
    second = machine()
    assert take(second).archive
    with closing(open_mailing(second)) as mailing:
        assert unsubscribe(
            mailing, add(mailing, "ben@example.org", now=CLOSED).public_id, now=CLOSED
        )
    claim(second)
    give_back(second)
    commits = subprocess.check_output(
        ["git", "-C", remote, "log", "--format=%s", "state"], text=True
    )
    assert commits == "kept\n", "a state has no past"
    text = subprocess.check_output(["git", "-C", remote, "archive", "state"])
    assert b"example.org" not in text


def test_of_two_that_take_the_same_state_one_claims_it(
    machine: Machine, clock: Clock, remote: Path
) -> None:
    give_back(_begin(machine))
    one, other, late = machine(), machine(), machine()
    take(one)
    take(other)
    claim(other)
    with pytest.raises(BranchMovedError, match="steps back") as moved:
        claim(one)
    take(late)
    with pytest.raises(OperationError, match=r"at a terminal goes on .* from 04:01 UTC on") as busy:
        claim(late)
    assert (moved.value.exit_code, busy.value.exit_code) == (75, 75)
    give_back(other)
    take(late)
    claim(late)


def test_a_killed_runs_claim_ends_and_who_took_over_is_not_overwritten(
    machine: Machine, clock: Clock
) -> None:
    slow = _begin(machine)
    clock.pass_by(seconds=CLAIM.total_seconds())
    second = _begin(machine)
    (second.home / "mailed.log").write_text("of the second")
    give_back(second)
    for late in (keep, give_back):
        with pytest.raises(BranchMovedError):
            late(slow)
    third = machine()
    take(third)
    assert "of the second" in (third.home / "mailed.log").read_text()


@pytest.mark.parametrize("key", ["another key of thirty-two characters", "short", None])
def test_a_wrong_or_lost_key_is_one_sentence_and_overwrites_nothing(
    machine: Machine, clock: Clock, remote: Path, key: str | None
) -> None:
    give_back(_begin(machine))
    before = _tip(remote)
    wrong = machine().model_copy(update={"state_key": key and SecretStr(key)})
    with pytest.raises(UsageError, match="PAPERS_STATE_KEY") as refused:
        take(wrong)
    assert refused.value.exit_code == 2
    assert _tip(remote) == before
    assert not (wrong.home / "secret.key").exists()


def test_a_home_of_its_own_is_never_replaced_by_a_state(machine: Machine, clock: Clock) -> None:
    give_back(_begin(machine))
    own = machine()
    own.home.mkdir()
    (own.home / "warehouse.duckdb").write_text("years of readings")
    with pytest.raises(UsageError, match="none of the state's; name an empty folder"):
        take(own)
    assert (own.home / "warehouse.duckdb").read_text() == "years of readings"


def test_a_repository_that_cannot_be_reached_is_no_empty_state(machine: Machine) -> None:
    gone = machine().model_copy(
        update={"state_url": SecretStr("http://ana:password@127.0.0.1:9/fork.git")}
    )
    with pytest.raises(BranchError, match="`git ls-remote` failed") as failed:
        take(gone)
    assert "password" not in str(failed.value)


def test_nobody_mails_from_a_state_that_was_not_claimed(machine: Machine, clock: Clock) -> None:
    settings = machine()
    take(settings)
    with closing(open_mailing(settings)) as mailing:
        issue = open_issue(mailing, "daily", DAY, due_at=CLOSED, now=CLOSED)
        with pytest.raises(OperationError, match="begin the command with `papers state run`"):
            keep_before_mail(settings, mailing, issue, is_new_begun=True, now=CLOSED)


READERS = ["ana@example.org", "ben@example.org", "cem@example.org"]


def _mail(
    settings: Settings, relay: Relay, *, killed: bool = False, is_forced: bool = False
) -> dict[str, int]:
    """Send the issue of the day as `deliver` does; a killed one ends where mail would begin."""

    class KilledError(Exception):
        pass

    with closing(open_mailing(settings)) as mailing:
        issue = open_issue(mailing, "daily", DAY, due_at=CLOSED, now=CLOSED)

        def on_begin(is_new_begun: bool) -> None:  # noqa: FBT001  as OnBegin has it
            keep_before_mail(settings, mailing, issue, is_new_begun=is_new_begun, now=CLOSED)
            if killed:
                raise KilledError

        with suppress(KilledError):
            send_issue(
                mailing,
                issue,
                letters,
                relay.transport(),
                clock=lambda: CLOSED,
                is_forced=is_forced,
                on_begin=on_begin,
            )
        return counts(mailing, issue)


def test_a_mailing_that_was_killed_is_the_operators_and_the_next_one_goes_on(
    machine: Machine, clock: Clock, relay: Relay
) -> None:
    first = _begin(machine)
    with closing(open_mailing(first)) as mailing:
        for address in READERS:
            add(mailing, address, now=CLOSED)
        away = add(mailing, "dev@example.org", now=CLOSED)
        pause(mailing, away.public_id, date(2026, 9, 1), now=CLOSED)
    SentLog(first.home / "mailed.log").begin(is_new=True)
    _mail(first, relay, killed=True)
    assert relay.counts == {}

    clock.pass_by(seconds=CLAIM.total_seconds())
    second = machine()
    found = take(second)
    claim(second)
    assert found.in_doubt
    assert "whether 3 readers have it, nobody knows" in found.in_doubt.sentence
    assert "`papers state run issue resume 2026-08-20 --again unknown`" in found.in_doubt.sentence
    assert _mail(second, relay) == {"unknown": 3, "skipped": 1}
    assert relay.counts == {}, "by itself nothing goes to them again"
    with closing(open_mailing(second)) as mailing:
        issue = find_issue(mailing, "daily", DAY)
        assert issue
        assert issue.state == PAUSED
        assert SentLog(second.home / "mailed.log").doubt(issue, lambda: 4) is None
        assert requeue(mailing, issue, "unknown", now=CLOSED) == 3
    assert _mail(second, relay, is_forced=True) == {"sent": 3, "skipped": 1}
    give_back(second)
    third = machine()
    assert take(third).in_doubt is None
    with closing(open_mailing(third)) as mailing:
        assert counts(mailing, issue) == {"sent": 3, "skipped": 1}
    assert set(relay.counts.values()) == {1}


def test_where_nothing_may_leave_nothing_is_kept_before(
    machine: Machine, clock: Clock, relay: Relay, remote: Path
) -> None:
    settings = _begin(machine)
    before = _tip(remote)
    assert _mail(settings, relay) == {}
    assert _tip(remote) == before


def test_a_state_of_a_newer_version_is_refused(
    machine: Machine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.state.archive._FORMAT", 2)
    give_back(_begin(machine))
    monkeypatch.undo()
    with pytest.raises(OperationError, match="newer version"):
        take(machine())
