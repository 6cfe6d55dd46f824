"""What a reading means: one verdict and one plain sentence, from evidence alone. No I/O.

Answer + History + clock -> Verdict
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flows.sources.feed_day import closes_at, is_weekend, opens_at
from flows.sources.hub import Answer

NOT_OPEN = "must be less than or equal to"
# A second reading this much later that says the same is taken as the truth.
CONFIRMS_AFTER = timedelta(hours=1)
# Papers are withdrawn from a list now and then: 6 of 2,836 changes in 849 pairs of readings.
FEW = 3
FEW_SHARE = 0.10
# Same weekdays differ by a factor of two either way; a third of what is usual is no list yet.
FAR_BELOW = 1 / 3
# The API's page when no `limit` is asked for: a recorded list of this length may be cut.
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class EarlierReading:
    """An earlier reading of the same list date."""

    read_at: datetime
    item_count: int
    is_whole: bool


@dataclass(frozen=True)
class History:
    """What the warehouse knew before this reading. `usual_count`: of papers on such a weekday."""

    earlier: tuple[EarlierReading, ...] = ()
    usual_count: float | None = None
    later_list_is_open: bool = False


@dataclass(frozen=True)
class Verdict:
    """A verdict's name and sentence, and whether the reading may become the list of its day."""

    name: str
    reason: str
    is_whole: bool


def judge_trending(answer: Answer, usable_count: int) -> Verdict:
    """The verdict of a reading of what is trending; it is never whole, since it is no day's list.

    `usable_count`: how many of its items keep the contract.
    """
    count = len(answer.items)
    if not answer.is_list:
        reason = f"The Hub gave no trending list: {answer.trouble}."
        return Verdict("failed", reason, is_whole=False)
    if not usable_count:
        why = "is empty" if not count else f"has no usable paper among its {count}"
        return Verdict("failed", f"The Hub's trending list {why}.", is_whole=False)
    return Verdict(
        "complete", f"Read {_papers(count)} that the Hub calls trending.", is_whole=False
    )


def judge_linked(answer: Answer, usable_count: int) -> Verdict:
    """The verdict of a reading of single papers; it is never whole, since it is no day's list.

    `usable_count`: how many of the answers keep the contract.
    """
    count = len(answer.items)
    if not usable_count:
        why = answer.trouble or f"none of {count} answers can be used"
        return Verdict("failed", f"The Hub told nothing of single papers: {why}.", is_whole=False)
    rest = f"; the others are for another night, since {answer.trouble}" if answer.trouble else ""
    reason = f"Read what grew out of {usable_count} of {_papers(count)} asked about{rest}."
    return Verdict("complete", reason, is_whole=False)


def judge(answer: Answer, history: History) -> Verdict:
    """The one verdict of a live reading."""
    day, count, papers = answer.list_date, len(answer.items), _papers(answer.paper_count)
    if not answer.is_list:
        return _not_a_list(answer)
    if answer.trouble:
        return Verdict("partial", f"Read {papers}, but {answer.trouble}.", is_whole=False)
    most = max((r.item_count for r in history.earlier if r.is_whole), default=0)
    if most - count > max(FEW, most * FEW_SHARE):
        reason = f"Read {papers}, but an earlier reading had {most}."
        return Verdict("partial", reason, is_whole=False)
    if count == 0:
        return _nothing(answer, history)
    if answer.first_page_agrees is not True:
        what = "moved while it was read" if answer.first_page_agrees is False else "was not proven"
        return Verdict("partial", f"Read {papers}, but the list {what}.", is_whole=True)
    if not _is_closed(answer, history):
        closing = f"{closes_at(day):%H:%M} UTC on {_day(closes_at(day).date())}"
        by = f"{answer.read_at:%H:%M} UTC on {answer.read_at:%A}"
        reason = f"{papers} by {by}; the list grows until {closing}."
        return Verdict("partial", reason, is_whole=True)
    if _is_far_below(count, history) and not _is_confirmed(answer, history):
        usual = f"{history.usual_count:.0f}"
        reason = f"Only {papers}, where {day:%A}s usually have {usual}; a second reading "
        return Verdict("partial", reason + "an hour or more later must agree.", is_whole=True)
    pages = "1 page" if answer.page_count == 1 else f"{answer.page_count} pages"
    reason = f"All {papers} read, on {pages}, and a second look agreed."
    return Verdict("complete", reason, is_whole=True)


def judge_recorded(answer: Answer, history: History) -> Verdict:
    """The verdict of a recorded response: a list, but never with proof of its end."""
    count, papers = len(answer.items), _papers(answer.paper_count)
    recorded_at = f"{answer.read_at:%Y-%m-%d %H:%M} UTC"
    most = max((r.item_count for r in history.earlier if r.is_whole), default=0)
    if count == 0 and is_weekend(answer.list_date):
        return Verdict("empty", f"Recorded as empty: {answer.list_date:%A}.", is_whole=True)
    if most - count > max(FEW, most * FEW_SHARE):
        reason = f"Recorded {papers}, but an earlier reading had {most}."
        return Verdict("partial", reason, is_whole=False)
    if answer.read_at < closes_at(answer.list_date):
        why = "while the list was still growing"
    elif count == DEFAULT_PAGE:
        why = f"where the API cuts a list at {DEFAULT_PAGE}"
    else:
        why = "with no proof that it was the whole list"
    reason = f"{papers} recorded at {recorded_at}, {why}."
    return Verdict("partial", reason, is_whole=True)


def _not_a_list(answer: Answer) -> Verdict:
    if answer.status == 400 and NOT_OPEN in (answer.first_bytes or ""):
        reason = f"The Hub has not opened the list of {_day(answer.list_date)} yet."
        return Verdict("not_open", reason, is_whole=False)
    reason = f"The Hub gave no list for {_day(answer.list_date)}: {answer.trouble}."
    return Verdict("failed", reason, is_whole=False)


def _nothing(answer: Answer, history: History) -> Verdict:
    day = answer.list_date
    if answer.read_at < opens_at(day):
        reason = f"The list of {_day(day)} opens at {opens_at(day):%H:%M} UTC."
        return Verdict("not_open", reason, is_whole=False)
    if is_weekend(day):
        return Verdict("empty", f"No papers: the Hub makes no list on {day:%A}s.", is_whole=True)
    if not _is_closed(answer, history):
        return Verdict("partial", f"Nothing is listed for {_day(day)} yet.", is_whole=True)
    if _is_confirmed(answer, history):
        reason = f"No papers on a {day:%A}, and two readings agree: probably a holiday."
        return Verdict("empty", reason, is_whole=True)
    reason = f"No papers on a {day:%A}; a second reading an hour or more later must agree."
    return Verdict("partial", reason, is_whole=True)


def _is_closed(answer: Answer, history: History) -> bool:
    return history.later_list_is_open or answer.read_at >= closes_at(answer.list_date)


def _is_far_below(count: int, history: History) -> bool:
    return history.usual_count is not None and count < history.usual_count * FAR_BELOW


def _is_confirmed(answer: Answer, history: History) -> bool:
    """Whether an earlier reading, made after the day closed and long enough ago, said the same."""
    return any(
        earlier.item_count == len(answer.items)
        and earlier.is_whole
        and earlier.read_at >= closes_at(answer.list_date)
        and answer.read_at - earlier.read_at >= CONFIRMS_AFTER
        for earlier in history.earlier
    )


def _papers(count: int) -> str:
    return "1 paper" if count == 1 else f"{count} papers"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"
