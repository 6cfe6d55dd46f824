import re
from datetime import date, timedelta

import pytest

from flows.mailing import subscribers as people
from flows.mailing.database import Mailing
from flows.mailing.rules import Rule, parse_rule
from flows.mailing.subscribers import RefusedError, Subscriber
from tests.mailing.conftest import NOW

LATER = NOW + timedelta(days=3)
ROBOTS = parse_rule({"include": "robots", "editions": "weekly"})


def _confirmed(mailing: Mailing, address: str) -> Subscriber:
    asked = people.subscribe(mailing, address, rule=Rule(), now=NOW)
    assert asked is not None
    assert asked.state == "unconfirmed"
    return people.confirm(mailing, asked.public_id, now=NOW)


def test_whom_the_operator_adds_is_active(mailing: Mailing) -> None:
    added = people.add(mailing, "Ada@Example.org", rule=ROBOTS, now=NOW)
    assert (added.state, added.address, added.rule) == ("active", "Ada@example.org", ROBOTS)
    assert people.find(mailing, "ADA@example.org") == added
    assert people.find_public(mailing, added.public_id) == added
    assert re.fullmatch("[0-9a-f]{20}", added.public_id)


def test_an_address_in_two_spellings_is_on_the_list_once(mailing: Mailing) -> None:
    people.add(mailing, "ada@example.org", now=NOW)
    with pytest.raises(RefusedError, match=r"Ada@example.org is on the list already, active since"):
        people.add(mailing, "Ada@EXAMPLE.org", now=NOW)
    assert len(list(people.everyone(mailing))) == 1


def test_who_asks_by_the_page_must_confirm_and_may_twice(mailing: Mailing) -> None:
    person = _confirmed(mailing, "ada@example.org")
    assert person.state == "active"
    assert people.confirm(mailing, person.public_id, now=LATER) == person


def test_asking_again_keeps_an_active_choice_and_renews_an_unconfirmed_one(
    mailing: Mailing,
) -> None:
    people.subscribe(mailing, "new@example.org", rule=Rule(), now=NOW)
    renewed = people.subscribe(mailing, "new@example.org", rule=ROBOTS, now=NOW)
    person = _confirmed(mailing, "ada@example.org")
    assert renewed is not None
    assert renewed.rule == ROBOTS
    assert people.subscribe(mailing, "ada@example.org", rule=ROBOTS, now=LATER) == person


def test_who_never_confirmed_is_forgotten_after_a_month(mailing: Mailing) -> None:
    people.subscribe(mailing, "old@example.org", rule=Rule(), now=NOW)
    people.subscribe(mailing, "new@example.org", rule=Rule(), now=NOW + timedelta(days=31))
    assert [p.address for p in people.everyone(mailing)] == ["new@example.org"]


def test_who_left_comes_back_by_confirming_only(mailing: Mailing) -> None:
    person = people.add(mailing, "ada@example.org", now=NOW)
    left = people.unsubscribe(mailing, person.public_id, now=LATER)
    assert left.state == "unsubscribed"
    assert people.unsubscribe(mailing, person.public_id, now=LATER + timedelta(1)) == left
    with pytest.raises(RefusedError, match="left on 2026-08-17; they can come back by the sub"):
        people.add(mailing, "ada@example.org", now=LATER)
    asked = people.subscribe(mailing, "ada@example.org", rule=ROBOTS, now=LATER)
    assert asked is not None
    assert asked.state == "unsubscribed"
    back = people.confirm(mailing, asked.public_id, now=LATER)
    assert (back.state, back.rule) == ("active", ROBOTS)


def _state(mailing: Mailing) -> str:
    found = people.find(mailing, "ada@example.org")
    assert found is not None
    return found.state


def test_a_suppressed_address_comes_back_by_the_operators_word_only(mailing: Mailing) -> None:
    person = people.add(mailing, "ada@example.org", now=NOW)
    assert people.suppress(mailing, "ADA@example.org", "complained", now=NOW)
    assert not people.suppress(mailing, "ada@example.org", "again", now=NOW)
    with pytest.raises(RefusedError, match="is suppressed: complained"):
        people.add(mailing, "ada@example.org", now=NOW)
    assert people.subscribe(mailing, "ada@example.org", rule=Rule(), now=NOW) is None
    with pytest.raises(RefusedError, match="can no longer be subscribed"):
        people.confirm(mailing, person.public_id, now=NOW)
    people.lift(mailing, "ada@example.org", now=NOW)
    assert _state(mailing) == "active"
    with pytest.raises(RefusedError, match="is not suppressed"):
        people.lift(mailing, "ada@example.org", now=NOW)


@pytest.mark.parametrize("leaves", ["before", "after"])
def test_lifting_a_suppression_subscribes_nobody_who_left(mailing: Mailing, leaves: str) -> None:
    person = people.add(mailing, "ada@example.org", now=NOW)
    if leaves == "before":
        people.unsubscribe(mailing, person.public_id, now=NOW)
    people.suppress(mailing, "ada@example.org", "its mailbox is gone", now=NOW)
    if leaves == "after":
        people.unsubscribe(mailing, person.public_id, now=NOW)
    with pytest.raises(RefusedError, match="can no longer be subscribed"):
        people.confirm(mailing, person.public_id, now=NOW)
    people.lift(mailing, "ada@example.org", now=NOW)
    assert _state(mailing) == "unsubscribed"
    assert people.confirm(mailing, person.public_id, now=NOW).state == "active", "their own wish"


def test_lifting_a_suppression_confirms_nobody(mailing: Mailing) -> None:
    asked = people.subscribe(mailing, "ada@example.org", rule=Rule(), now=NOW)
    assert asked is not None
    people.suppress(mailing, "ada@example.org", "it complained", now=NOW)
    people.lift(mailing, "ada@example.org", now=NOW)
    assert _state(mailing) == "unconfirmed"


def test_an_address_that_never_was_on_the_list_can_be_suppressed(mailing: Mailing) -> None:
    people.suppress(mailing, "eve@example.org", "asked by phone", now=NOW)
    with pytest.raises(RefusedError, match="asked by phone"):
        people.add(mailing, "eve@example.org", now=NOW)


def test_a_pause_has_an_end_and_can_be_ended(mailing: Mailing) -> None:
    person = people.add(mailing, "ada@example.org", now=NOW)
    paused = people.pause(mailing, person.public_id, date(2026, 9, 1), now=NOW)
    assert paused.standing == "paused until 2026-09-01"
    assert people.pause(mailing, person.public_id, None, now=NOW).state == "active"
    for bad in (NOW.date(), NOW.date() + timedelta(days=400)):
        with pytest.raises(RefusedError, match="after today, within a year"):
            people.pause(mailing, person.public_id, bad, now=NOW)
    people.unsubscribe(mailing, person.public_id, now=NOW)
    with pytest.raises(RefusedError, match="Only who is subscribed can pause"):
        people.pause(mailing, person.public_id, date(2026, 9, 1), now=NOW)


def test_a_new_choice_is_kept(mailing: Mailing) -> None:
    person = people.add(mailing, "ada@example.org", now=NOW)
    assert people.choose_for(mailing, person.public_id, rule=ROBOTS).rule == ROBOTS


def test_a_link_of_nobody_is_refused(mailing: Mailing) -> None:
    for act in (people.confirm, people.unsubscribe):
        with pytest.raises(RefusedError, match="Nobody on the list has this link"):
            act(mailing, "0" * 20, now=NOW)


def test_who_is_erased_leaves_no_address_and_is_not_imported_again(mailing: Mailing) -> None:
    person = people.add(mailing, "zoe@example.org", rule=ROBOTS, now=NOW)
    people.erase(mailing, "zoe@example.org", now=NOW)
    assert people.find(mailing, "zoe@example.org") is None
    (row,) = people.everyone(mailing)
    assert (row.address, row.state, row.rule) == (None, "unsubscribed", Rule())
    # A name that no random id can hold: ids are hexadecimal.
    with mailing.read() as connection:
        for table in ("subscribers", "suppressions"):
            kept = connection.exec_driver_sql(f"select * from {table}").all()
            assert "zoe" not in str(kept)
    with pytest.raises(RefusedError, match="erased at their wish"):
        people.add(mailing, "zoe@example.org", now=NOW)
    back = _confirmed(mailing, "zoe@example.org")
    assert back.public_id != person.public_id
    assert people.find(mailing, "zoe@example.org") == back
