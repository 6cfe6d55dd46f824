"""Weeks and months as the editions have them."""

from datetime import UTC, date, datetime

import pytest

from flows.issues.periods import (
    PeriodError,
    ends_at,
    first_day,
    last_day,
    newest_ended,
    parse_period,
    period_name,
)
from flows.newsletter.digest import Edition


@pytest.mark.parametrize(
    ("edition", "words", "first", "last"),
    [
        ("weekly", "2026-W33", date(2026, 8, 10), date(2026, 8, 16)),
        ("weekly", "2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("weekly", "2027-w01", date(2027, 1, 4), date(2027, 1, 10)),
        ("monthly", "2026-08", date(2026, 8, 1), date(2026, 8, 31)),
        ("monthly", "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("monthly", "2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_known_by_its_last_day(
    edition: Edition, words: str, first: date, last: date
) -> None:
    assert parse_period(edition, words) == last
    assert {first_day(edition, day) for day in (first, last)} == {first}
    assert {last_day(edition, day) for day in (first, last)} == {last}
    assert period_name(edition, last) == words.upper()


@pytest.mark.parametrize(
    ("edition", "words", "said"),
    [
        ("weekly", "2026-W54", "There is no week 2026-W54."),
        ("weekly", "2025-W53", "There is no week 2025-W53."),
        ("weekly", "2026-W00", "There is no week"),
        ("weekly", "2026-08", "write it as 2026-W33"),
        ("weekly", "2026-08-16", "write it as 2026-W33"),
        ("monthly", "2026-13", "There is no month 2026-13."),
        ("monthly", "2026-W33", "write it as 2026-08"),
        ("monthly", "٢٠٢٦-08", "names no month"),
        ("monthly", "", "names no month"),
    ],
)
def test_what_is_no_period_is_said_in_one_sentence(edition: Edition, words: str, said: str) -> None:
    with pytest.raises(PeriodError, match=said):
        parse_period(edition, words)


def test_the_newest_period_is_the_one_that_has_ended() -> None:
    # Sunday 16 August ends with the Hub's feed day, at 21:30 in New York.
    end = datetime(2026, 8, 17, 1, 30, tzinfo=UTC)
    assert ends_at("weekly", date(2026, 8, 16)) == end
    assert newest_ended("weekly", end) == date(2026, 8, 16)
    assert newest_ended("weekly", end.replace(minute=29)) == date(2026, 8, 9)
    assert newest_ended("monthly", datetime(2026, 9, 1, 1, 29, tzinfo=UTC)) == date(2026, 7, 31)
    assert newest_ended("monthly", datetime(2026, 9, 1, 1, 30, tzinfo=UTC)) == date(2026, 8, 31)
    # New York has left its summer time by then.
    assert ends_at("monthly", date(2026, 11, 30)) == datetime(2026, 12, 1, 2, 30, tzinfo=UTC)


def test_the_age_of_an_edition_counts_from_the_end_of_its_period() -> None:
    assert ends_at("daily", date(2026, 8, 13)) == datetime(2026, 8, 14, 1, 30, tzinfo=UTC)
    assert ends_at("weekly", date(2026, 8, 13)) == ends_at("weekly", date(2026, 8, 16))
    assert ends_at("monthly", date(2026, 8, 13)) == ends_at("monthly", date(2026, 8, 31))
