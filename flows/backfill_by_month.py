"""History by many hands: each month is a run that any worker may take; one builds what all read.

months ──offered──▶ backfill_month, on any worker ──▶ raw ──▶ gated, built and published once

papers backfill 2024-01-01 2026-08-20 --by-month
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows.backfill import (
    Loaded,
    Turn,
    bring_days,
    built_in_bulk,
    judge_rest,
    turns_of_writer,
)
from flows.daily_papers import run_to_final_state
from flows.extract import newest_loaded
from flows.outcome import Outcome
from flows.runs.flow_runs import one_writer
from flows.runs.interruption import awaiting
from flows.runs.offers import offered
from flows.runs.terminal import SHOWN
from flows.settings import Settings, load_settings
from flows.transform import Refusal
from flows.warehouse.final_verdicts import last_read_at_by_date, undecided_days
from flows.warehouse.month_lock import month_lock
from flows.wording import counted

DEPLOYMENT = "backfill month/backfill-month"
LOOK_AGAIN_SECONDS = 2.0


@flow(name="backfill by month", flow_run_name="Backfill of {first} to {last}, by month")
def backfill_by_month(first: date, last: date) -> State:
    """Read every date of this range that has no final verdict yet, with whichever workers are free.

    Each month is offered as a run. What no worker is at is read here, newest months first, and so
    is what a worker left that died. Then all of it is gated, built and published, once.
    """
    settings = load_settings()
    turn = turns_of_writer(settings)

    def path() -> Outcome:
        with one_writer(settings):  # who finds a run at work is told so at once
            left = judge_rest(settings)
            days = undecided_days(settings, first, last)
            before = last_read_at_by_date(settings)
        brought = _brought_by_all(days, before, settings, turn)
        return built_in_bulk(left, brought, settings, turn)

    return run_to_final_state(path)


@flow(name="backfill month", flow_run_name="{first} to {last}, of a backfill")
def backfill_month(first: date, last: date) -> State:
    """Read the dates of this month that have no final verdict yet; whoever offered it builds."""
    settings = load_settings()
    turn = turns_of_writer(settings)

    def path() -> Outcome:
        with month_lock(settings, _month_of(first)) as is_ours:
            if not is_ours:
                return Outcome("complete", f"Another worker reads {first:%B %Y}.")
            with turn():
                judge_rest(settings)
                days = undecided_days(settings, first, last)
            brought = bring_days(days, settings, turn)
        return Outcome(brought.verdict, brought.sentence)

    return run_to_final_state(path)


def _brought_by_all(
    days: Sequence[date], before: Mapping[date, datetime], settings: Settings, turn: Turn
) -> Loaded:
    """The new readings of these dates, once each of them was read by a worker or here.

    `before` is when each date was last read until now: clocks of other hosts may differ.
    """

    def unread(dates: Sequence[date]) -> list[date]:
        with turn():
            now = last_read_at_by_date(settings)
        return [day for day in dates if now.get(day) == before.get(day)]

    months = {month: list(dates) for month, dates in groupby(days, key=_month_of)}
    with offered(DEPLOYMENT, {month: _range(dates) for month, dates in months.items()}) as offers:
        for month in _as_they_are_free(list(months), settings):
            offers.take_back(month)
            rest = unread(months[month])
            read = counted(len(months[month]) - len(rest), "date")
            line = f"month     {month}: {read} read by workers, {len(rest)} left"
            get_run_logger().info(line, extra={SHOWN: True})
            bring_days(rest, settings, turn)
    left = unread(days)
    with turn():
        found = newest_loaded([day for day in days if day not in left], settings)
    stopped = (Refusal(r.reading_id, r.list_date, said) for r, said in found if said)
    return Loaded(tuple(reading for reading, _ in found), tuple(stopped))


def _as_they_are_free(months: Sequence[str], settings: Settings) -> Iterator[str]:
    """Each month once, when nobody else is at it, and locked until the next one is asked for.

    Newest ones first, since workers begin with the oldest.
    """
    waiting = months[::-1]
    while waiting:
        held = list[str]()
        for month in waiting:
            with month_lock(settings, month) as is_ours:
                if is_ours:
                    yield month
                else:
                    held.append(month)
        if len(held) == len(waiting):
            with awaiting():
                time.sleep(LOOK_AGAIN_SECONDS)
        waiting = held


def _month_of(day: date) -> str:
    """The month that this date lies in: `2026-08`."""
    return f"{day:%Y-%m}"


def _range(dates: Sequence[date]) -> dict[str, str]:
    """What `backfill_month` is given; by Prefect's API it is text."""
    return {"first": str(dates[0]), "last": str(dates[-1])}
