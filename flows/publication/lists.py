"""The lists that a reader can open: a day as it is or was known, a week, a month, what trends.

published/papers.duckdb ──▶ DayList, PeriodList, PaperList
"""

from dataclasses import dataclass
from datetime import date, datetime

from duckdb import DuckDBPyConnection

from flows.issues.periods import first_day
from flows.newsletter.digest import Edition
from flows.publication.cards import PaperList, cards
from flows.warehouse.database import records
from flows.warehouse.day_facts import DayFacts, facts_of

NOTHING_TRENDS = (
    "Nothing trends yet: what a paper gained is measured from one reading of the newest lists to"
    " the next."
)


@dataclass(frozen=True)
class DayList:
    """The list of a date, with the readings it can be shown as of (the newest first, UTC).

    `known_at` is the reading that was asked for, None for the newest. `previous` and `next_` are
    the nearest list dates with papers.
    """

    list_date: date
    papers: PaperList
    readings: tuple[datetime, ...]
    known_at: datetime | None
    previous: date | None
    next_: date | None
    facts: DayFacts | None


# What a list as known at a time has of then; a paper's text is one, whatever list it stands in.
OF_NOW = "Papers, order, votes and comments are of then; text, code and withdrawals are of now."


@dataclass(frozen=True)
class Known:
    """What is known of a list date: its verdict with the reason, and its newest admitted reading.

    `read_at` (UTC) is None while no reading was admitted.
    """

    verdict: str
    reason: str
    read_at: datetime | None


@dataclass(frozen=True)
class PeriodList:
    """The papers of a week or month, and its days that were ever read with their verdicts.

    `previous` and `next_` are the last dates of the nearest periods with a day that was read. Of a
    period as known at a time, `known_at` is its last reading by then (UTC), and it has no verdict.
    """

    edition: Edition
    papers: PaperList
    days: tuple[tuple[date, str, int], ...]
    previous: date | None
    next_: date | None
    known_at: datetime | None = None


def newest_list_date(connection: DuckDBPyConnection, *, is_complete: bool = False) -> date | None:
    """The newest date that has papers, or that is complete and has some; None where none has."""
    row = connection.execute(_NEWEST, {"complete": is_complete}).fetchone()
    return row[0] if row else None


def newest_known_date(connection: DuckDBPyConnection, as_of: datetime) -> date | None:
    """The newest date that had papers in an admitted reading until then (UTC)."""
    row = connection.execute(_NEWEST_KNOWN, {"as_of": as_of}).fetchone()
    return row[0] if row else None


def day_list(
    connection: DuckDBPyConnection, day: date, as_of: datetime | None = None
) -> DayList | None:
    """The list of this date, or as the newest admitted reading until `as_of` (UTC) had it.

    None where nothing is known of the date, or was by then.
    """
    readings = tuple(row[0] for row in connection.execute(_ADMITTED, {"day": day}).fetchall())
    known = known_day(connection, day, as_of)
    if known is None:
        return None
    known_at = known.read_at if as_of else None
    found = (
        cards(connection, _AS_OF_CARDS, {"day": day, "at": known_at})
        if known_at
        else cards(connection, _DAY_CARDS, {"day": day})
    )
    previous, next_ = neighbours(connection, day)
    return DayList(
        day,
        PaperList(found, known.verdict, known.reason, known.read_at),
        readings,
        known_at,
        previous,
        next_,
        facts_of(connection, day),
    )


def neighbours(connection: DuckDBPyConnection, day: date) -> tuple[date | None, date | None]:
    """The nearest dates with papers before and after a date."""
    ((previous, next_),) = connection.execute(_NEIGHBOURS, {"day": day}).fetchall()
    return previous, next_


def known_day(
    connection: DuckDBPyConnection, day: date, as_of: datetime | None = None
) -> Known | None:
    """What is known of this date, or was known at `as_of` (UTC); None where nothing is."""
    values = {"day": day} | ({"as_of": as_of} if as_of else {})
    found = records(connection, _READING_VERDICT if as_of else _DAY_VERDICT, values)
    return Known(**found[0]) if found else None


def period_list(
    connection: DuckDBPyConnection, edition: Edition, last_date: date, as_of: datetime | None = None
) -> PeriodList | None:
    """The papers of the week or month that ends on this date; None where no day of it was read.

    As of a time (UTC) they are those that the newest readings of its days until then had.
    """
    within = {"first": first_day(edition, last_date), "day": last_date}
    beside = connection.execute(_PERIODS_BESIDE.format(edition=edition), {"day": last_date})
    (previous, next_) = beside.fetchall()[0]
    if as_of:
        readings = connection.execute(_PERIOD_READINGS, within | {"as_of": as_of}).fetchall()
        if not readings:
            return None
        days = tuple((day, verdict, count) for day, verdict, count, _ in readings)
        known_at = max(read_at for *_, read_at in readings)
        found = cards(connection, _PERIOD_AS_OF_CARDS, within | {"as_of": as_of})
        return PeriodList(edition, PaperList(found), days, previous, next_, known_at)
    verdicts = records(connection, _PERIOD.format(edition=edition), {"day": last_date})
    if not verdicts:
        return None
    found = cards(connection, _PERIOD_CARDS.format(edition=edition), {"day": last_date})
    days = tuple(connection.execute(_PERIOD_DAYS, within).fetchall())
    return PeriodList(edition, PaperList(found, **verdicts[0]), days, previous, next_)


def trending_list(
    connection: DuckDBPyConnection, as_of: datetime | None = None
) -> tuple[date, PaperList] | None:
    """What trends on the newest date there is, by our own rule; None before anything does.

    As of a time (UTC) it is the newest date that was over by then.
    """
    row = connection.execute(_TRENDING_DATE, {"as_of": as_of}).fetchone()
    if row is None or row[0] is None:
        return None
    return row[0], PaperList(cards(connection, _TRENDING_CARDS, {"day": row[0]}))


def calendar(connection: DuckDBPyConnection, first: date, last: date) -> dict[date, str]:
    """The verdict of each date of this range, both ends in it, that was ever read."""
    return dict(connection.execute(_CALENDAR, {"first": first, "last": last}).fetchall())


_NEWEST = """
    select max(digest_date)
    from marts.daily_digests
    where listed_count > 0 and (not $complete or verdict = 'complete')
"""
_NEWEST_KNOWN = """
    select max(list_date)
    from marts.list_readings
    where kind = 'daily' and is_admitted and item_count > 0 and read_at <= $as_of
"""
_TRENDING_DATE = """
    select max(as_of_date)
    from marts.trending_papers
    where $as_of::timestamptz is null or as_of_date < ($as_of at time zone 'UTC')::date
"""
_ADMITTED = """
    select read_at
    from marts.list_readings
    where list_date = $day and kind = 'daily' and is_admitted
    order by read_at desc
"""
_DAY_VERDICT = """
    select verdict, reason, last_read_at as read_at
    from marts.daily_digests
    where digest_date = $day
"""
_READING_VERDICT = """
    select verdict, reason, read_at
    from marts.list_readings
    where list_date = $day and read_at <= $as_of and kind = 'daily' and is_admitted
    order by read_at desc
    limit 1
"""
_DAY_CARDS = """
    select
        listings.paper_id,
        listings.list_rank as rank,
        listings.upvotes_count,
        listings.comments_count,
        listings.submitted_by,
        digest.why_here,
        readings.votes
    from marts.listings as listings
    left join marts.daily_digest_papers as digest
        on listings.list_date = digest.digest_date and listings.paper_id = digest.paper_id
    left join (
        select
            paper_id,
            list({'read_at': read_at, 'upvotes_count': upvotes_count} order by read_at) as votes
        from marts.paper_readings
        where list_date = $day
        group by paper_id
    ) as readings on listings.paper_id = readings.paper_id
    where listings.list_date = $day and not listings.is_removed
"""
_AS_OF_CARDS = """
    select
        readings.paper_id,
        any_value(readings.list_rank) filter (where readings.read_at = $at) as rank,
        any_value(readings.upvotes_count) filter (where readings.read_at = $at) as upvotes_count,
        any_value(readings.comments_count) filter (where readings.read_at = $at) as comments_count,
        list(
            {'read_at': readings.read_at, 'upvotes_count': readings.upvotes_count}
            order by readings.read_at
        ) as votes
    from marts.paper_readings as readings
    where readings.list_date = $day and readings.read_at <= $at
    group by readings.paper_id
    having bool_or(readings.read_at = $at)
"""
_NEIGHBOURS = """
    select
        max(digest_date) filter (where digest_date < $day),
        min(digest_date) filter (where digest_date > $day)
    from marts.daily_digests
    where listed_count > 0
"""
_PERIOD = """
    select verdict, reason, last_read_at as read_at
    from marts.{edition}_digests
    where digest_date = $day
"""
_PERIODS_BESIDE = """
    select
        max(digest_date) filter (where digest_date < $day),
        min(digest_date) filter (where digest_date > $day)
    from marts.{edition}_digests
"""
_PERIOD_CARDS = """
    select paper_id, digest_rank as rank, upvotes_count, comments_count, why_here
    from marts.{edition}_digest_papers
    where digest_date = $day
"""
# The newest reading of each day until then, and the papers in it.
_KNOWN_DAYS = """
    known_days as (
        select
            list_date,
            arg_max(verdict, read_at) as verdict,
            max(read_at) as read_at
        from marts.list_readings
        where
            list_date between $first and $day
            and read_at <= $as_of
            and kind = 'daily'
            and is_admitted
        group by list_date
    )
"""
_PERIOD_READINGS = f"""
    with {_KNOWN_DAYS}

    select
        known_days.list_date,
        any_value(known_days.verdict) as verdict,
        count(readings.paper_id) as paper_count,
        any_value(known_days.read_at) as read_at
    from known_days
    left join marts.paper_readings as readings using (list_date, read_at)
    group by known_days.list_date
    order by known_days.list_date
"""
# In the order of weekly_digest_papers and monthly_digest_papers.
_PERIOD_AS_OF_CARDS = f"""
    with

    {_KNOWN_DAYS},

    listed as (
        select
            *,
            row_number() over (
                partition by list_date
                order by upvotes_count desc nulls last, comments_count desc nulls last, list_rank
            ) as digest_rank
        from known_days
        inner join marts.paper_readings using (list_date, read_at)
    )

    select
        paper_id,
        last(upvotes_count order by read_at, list_date) as upvotes_count,
        last(comments_count order by read_at, list_date) as comments_count,
        row_number() over (
            order by
                last(upvotes_count order by read_at, list_date) desc nulls last,
                last(comments_count order by read_at, list_date) desc nulls last,
                min(list_date),
                min(digest_rank),
                paper_id
        ) as rank
    from listed
    group by paper_id
"""
_PERIOD_DAYS = """
    select digest_date, verdict, paper_count
    from marts.daily_digests
    where digest_date between $first and $day
    order by digest_date
"""
_TRENDING_CARDS = """
    select
        paper_id,
        trending_rank as rank,
        format(
            '{}: {:.1f} points = ({:.1f} for votes + {:.1f} for comments + {:.1f} for stars)'
            ', times {:.2f} for freshness',
            why_here, score, votes_score, comments_score, stars_score, freshness_share
        ) as why_here
    from marts.trending_papers
    where as_of_date = $day
"""
_CALENDAR = """
    select digest_date, verdict
    from marts.daily_digests
    where digest_date between $first and $last
"""
