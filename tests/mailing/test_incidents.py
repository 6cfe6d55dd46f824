"""Incidents and days on both databases: claimed once, given back when the claimant died."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.leases import lease
from flows.operations.days import Day, known_days, record_days, record_read_again
from flows.operations.incidents import (
    DUE,
    OPENED,
    OVER,
    SENT,
    Incident,
    begin,
    claim_notices,
    close_incident,
    finish,
    open_incident,
    open_incidents,
)
from tests.mailing.conftest import DAY, NOW

FAILED = Incident("failed", str(DAY), "It has failed.", "No mail went out.", f"papers run {DAY}")
COMPLETE = Day(DAY, "complete", "Complete. Sent to 3.", NOW)


def test_an_incident_is_open_once_and_may_come_back(mailing: Mailing) -> None:
    for _ in range(2):
        open_incident(mailing, FAILED, now=NOW)
    (known,) = open_incidents(mailing)
    assert (known.incident, known.opened_at) == (FAILED, NOW)
    for ending in ("It is complete.", "Said later."):
        close_incident(mailing, known, ending, now=NOW + timedelta(hours=1))
    assert open_incidents(mailing) == []
    open_incident(mailing, FAILED, now=NOW)
    (again,) = open_incidents(mailing)
    assert again.id > known.id


def test_an_open_incident_says_what_is_wrong_now(mailing: Mailing) -> None:
    open_incident(mailing, FAILED, now=NOW)
    otherwise = replace(FAILED, cause="It has failed otherwise.")
    open_incident(mailing, otherwise, now=NOW + timedelta(hours=1))
    (known,) = open_incidents(mailing)
    assert (known.incident, known.opened_at) == (otherwise, NOW)


def test_each_notice_is_claimed_by_one_of_many(mailing: Mailing, list_url: str) -> None:
    for day in range(10):
        open_incident(mailing, replace(FAILED, subject=f"day {day}"), now=NOW)

    def claim(_: int) -> list[tuple[int, str]]:
        other = open_mailing_database(list_url)
        with lease(other) as number:
            notices = claim_notices(other, ["mail", "webhook"], number, now=NOW)
            for notice in notices:
                assert begin(other, notice, number, now=NOW)
                finish(other, notice, number, SENT, "", now=NOW)
        other.close()
        return [(notice.known.id, notice.channel) for notice in notices]

    with ThreadPoolExecutor(4) as pool:
        claimed = [notice for each in pool.map(claim, range(4)) for notice in each]
    assert len(claimed) == len(set(claimed)) == 20


def test_a_claim_is_given_back_when_its_claimant_is_gone(mailing: Mailing) -> None:
    open_incident(mailing, FAILED, now=NOW)
    with lease(mailing) as gone:
        (notice,) = claim_notices(mailing, ["mail"], gone, now=NOW)
        with lease(mailing) as other:
            assert claim_notices(mailing, ["mail"], other, now=NOW) == []
    with lease(mailing) as heir:
        (taken,) = claim_notices(mailing, ["mail"], heir, now=NOW)
        assert taken == notice
        assert not begin(mailing, notice, gone, now=NOW)
        assert begin(mailing, taken, heir, now=NOW)
    with lease(mailing) as late:
        assert claim_notices(mailing, ["mail"], late, now=NOW) == []


def test_the_end_is_told_where_the_beginning_was(mailing: Mailing) -> None:
    open_incident(mailing, FAILED, now=NOW)
    (known,) = open_incidents(mailing)
    with lease(mailing) as number:
        (opened,) = claim_notices(mailing, ["mail"], number, now=NOW)
        finish(mailing, opened, number, SENT, "", now=NOW)
        close_incident(mailing, known, "It is complete.", now=NOW)
        (over,) = claim_notices(mailing, ["mail", "webhook"], number, now=NOW)
        assert (opened.news, over.news, over.channel) == (OPENED, OVER, "mail")
        assert over.known.ending == "It is complete."
        finish(mailing, over, number, DUE, "the relay was away", now=NOW)
        assert claim_notices(mailing, ["mail"], number, now=NOW) == [over]


def test_a_final_verdict_gives_way_to_a_final_one_alone(mailing: Mailing) -> None:
    record_days(mailing, [replace(COMPLETE, verdict="partial", sentence="Partial.")])
    for kept in (COMPLETE, replace(COMPLETE, sentence="Complete. Already sent to 3.")):
        record_days(mailing, [kept])
        assert known_days(mailing) == {DAY: kept}
        failed = replace(COMPLETE, verdict="failed", stopped_by="A gate stopped it.")
        record_days(mailing, [failed])
        assert known_days(mailing) == {DAY: replace(kept, stopped_by="A gate stopped it.")}
        record_read_again(mailing, [replace(COMPLETE, sentence="Complete. All papers read.")])
        assert known_days(mailing, [DAY]) == {DAY: kept}
    assert known_days(mailing, [DAY + timedelta(days=1)]) == {}


def test_many_days_are_kept_at_once_each_by_its_own_verdict(mailing: Mailing) -> None:
    later = replace(COMPLETE, list_date=DAY + timedelta(days=1), verdict="partial")
    record_read_again(mailing, [COMPLETE, later])
    failed = [replace(day, verdict="failed", stopped_by="A gate.") for day in (COMPLETE, later)]
    record_read_again(mailing, failed)
    assert known_days(mailing) == {
        later.list_date: failed[1],
        DAY: replace(COMPLETE, stopped_by="A gate."),
    }
    record_read_again(mailing, [])
