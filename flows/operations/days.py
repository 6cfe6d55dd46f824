"""What each list date came to, kept where every host finds it, also while the warehouse is busy."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, or_, select, update

from flows.mailing.database import Mailing, insert
from flows.mailing.tables import days
from flows.wording import FINAL_VERDICTS

# Between what a run said and what became of its mail after it.
_SINCE = " Since then: "


@dataclass(frozen=True)
class Day:
    """A list date as its last run left it.

    `sentence` is the run's own, as Prefect shows it. `stopped_by` is what a gate said where it
    stopped the newest reading; the verdict of a day that was complete before stays all the same.
    """

    list_date: date
    verdict: str
    sentence: str
    concluded_at: datetime
    stopped_by: str | None = None
    is_mail_blocked: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more has to be read of this day."""
        return self.verdict in FINAL_VERDICTS


def record_days(mailing: Mailing, of: Sequence[Day]) -> None:
    """Keep what runs of days came to; a day that was once read to its end stays so."""
    _record(mailing, of, lambda new: _is_final(days.c) & ~_is_final(new))


def record_read_again(mailing: Mailing, of: Sequence[Day]) -> None:
    """Keep what days came to when many were read at once; of a final one its run said more."""
    _record(mailing, of, lambda _: _is_final(days.c))


def _is_final(of: Any) -> ColumnElement[bool]:  # noqa: ANN401  columns of SQLAlchemy
    return or_(*(of.verdict == name for name in FINAL_VERDICTS))  # many rows at once know no IN


def _record(
    mailing: Mailing, of: Sequence[Day], is_kept: Callable[[Any], ColumnElement[bool]]
) -> None:
    """Keep these days but where one `is_kept` as it is known. A gate's word is always new."""
    if not of:
        return
    with mailing.write() as connection:
        new = insert(connection)(days)
        settled = {
            name: case((is_kept(new.excluded), days.c[name]), else_=new.excluded[name])
            for name in ("verdict", "sentence", "is_mail_blocked", "concluded_at")
        }
        connection.execute(
            new.on_conflict_do_update(
                index_elements=[days.c.list_date],
                set_=settled | {"stopped_by": new.excluded.stopped_by},
            ),
            [asdict(day) for day in of],
        )


def record_mail(mailing: Mailing, list_date: date, sentence: str, *, is_blocked: bool) -> None:
    """Keep what became of a day's mail after its run: deferred or resumed, it was sent on."""
    with mailing.write() as connection:
        of_day = days.c.list_date == list_date
        before = connection.scalar(select(days.c.sentence).where(of_day))
        if before is not None:
            said = before.partition(_SINCE)[0] + _SINCE + sentence
            connection.execute(
                update(days).where(of_day).values(sentence=said, is_mail_blocked=is_blocked)
            )


def known_days(mailing: Mailing, list_dates: Sequence[date] | None = None) -> dict[date, Day]:
    """Every day with a recorded verdict, or those of these dates, newest first."""
    query = select(days).order_by(days.c.list_date.desc())
    if list_dates is not None:
        query = query.where(days.c.list_date.in_(list_dates))
    with mailing.read() as connection:
        return {row.list_date: Day(**row._mapping) for row in connection.execute(query)}  # noqa: SLF001
