"""The list in and out of CSV: bad lines are named by number, and nothing is imported by half."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flows.mailing.addresses import Address, AddressError, parse_address
from flows.mailing.csv_files import rows, why_not_active
from flows.mailing.database import Mailing
from flows.mailing.rules import RULE_FIELDS, Rule, RuleError, parse_rule
from flows.mailing.subscribers import STATES, RefusedError, add_many, everyone
from flows.wording import counted

_BATCH = 500
COLUMNS = ("address", "state", *RULE_FIELDS)


@dataclass(frozen=True)
class Line:
    """A line that was not added: its number from 1, and one sentence why."""

    number: int
    sentence: str


@dataclass(frozen=True)
class Import:
    """What an import did, or (dry run, or a bad line) would have done."""

    added_count: int
    bad_lines: tuple[Line, ...]  # not readable: any one of them stops the whole import
    left_out: tuple[Line, ...]  # readable, and rightly not added: there already, left, suppressed
    is_done: bool
    notes: tuple[str, ...] = ()  # what else the operator should know of the file

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        out = f"{len(self.left_out)} left out"
        if self.bad_lines:
            bad = counted(len(self.bad_lines), "bad line")
            return f"Nothing imported: {bad} to mend; then import again."
        return f"{self.added_count} {'added' if self.is_done else 'would be added'}, {out}."


def import_csv(
    mailing: Mailing, lines: Iterable[str], *, now: datetime, dry_run: bool = False
) -> Import:
    """Add every address of a CSV file, or, if any line is bad or on a dry run, none.

    The first line names the columns: `COLUMNS`, or those of another mailer; a file of addresses
    alone needs none. Times are UTC.
    """
    added, bad, left_out, notes = 0, list[Line](), list[Line](), list[str]()
    entries = list[tuple[int, Address, Rule]]()
    for row in rows(lines, COLUMNS, notes):
        if row.trouble:
            bad.append(Line(row.number, row.trouble))
            continue
        try:
            entries.append((row.number, *_parse(row.cells)))
        except (AddressError, RuleError) as error:
            bad.append(Line(row.number, str(error)))
        except RefusedError as error:
            left_out.append(Line(row.number, str(error)))
    with mailing.write() as connection:
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            answers = add_many(connection, [entry[1:] for entry in batch], "import", now)
            for (number, *_), why_not in zip(batch, answers, strict=True):
                if why_not:
                    left_out.append(Line(number, why_not))
                else:
                    added += 1
        is_done = not (bad or dry_run)
        if not is_done:
            connection.rollback()
    left_out.sort(key=lambda line: line.number)
    return Import(added, tuple(bad), tuple(left_out), is_done, tuple(notes))


def _parse(cells: dict[str, str]) -> tuple[Address, Rule]:
    address = parse_address(cells["address"])
    if why_not := why_not_active(cells, STATES):
        raise RefusedError(f"{address.text} {why_not}; only active people are added.")
    return address, parse_rule(cells)


def export_csv(mailing: Mailing) -> Iterator[list[str]]:
    """The list as CSV rows, the first one naming the columns; erased people are not in it."""
    yield list(COLUMNS)
    for person in everyone(mailing):
        if person.address:
            choice = person.rule.fields()
            yield [person.address, person.state, *choice.values()]
