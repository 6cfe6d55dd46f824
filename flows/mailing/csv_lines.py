"""The list in and out of CSV: bad lines are named by number, and nothing is imported by half."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flows.mailing.addresses import Address, AddressError, parse_address
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

    The first line names the columns (`address`, and any of `COLUMNS`); a file of addresses alone
    needs none. Times are UTC.
    """
    added, bad, left_out = 0, list[Line](), list[Line]()
    entries = list[tuple[int, Address, Rule]]()
    for number, cells in _rows(lines, bad):
        try:
            entries.append((number, *_parse(cells)))
        except (AddressError, RuleError) as error:
            bad.append(Line(number, str(error)))
        except RefusedError as error:
            left_out.append(Line(number, str(error)))
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
    return Import(added, tuple(bad), tuple(left_out), is_done)


def _rows(lines: Iterable[str], bad: list[Line]) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines as named cells; those that cannot be read go to `bad`."""
    reader = csv.reader(lines, strict=True)
    names: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeError) as error:
            bad.append(Line(reader.line_num, f"The line cannot be read as CSV: {error}."))
            return
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = [cell.strip().lower().lstrip("\ufeff") for cell in cells]
            if "address" in names:
                if strange := set(names) - set(COLUMNS):
                    shown = "".join(c for c in min(strange) if c.isprintable())[:40]
                    bad.append(Line(reader.line_num, f"There is no column “{shown}”."))
                    return
                continue
            names = ["address"]
        if len(cells) != len(names):
            found = counted(len(cells), "cell")
            bad.append(Line(reader.line_num, f"The line has {found}, not {len(names)}."))
            continue
        yield reader.line_num, dict(zip(names, cells, strict=True))


def _parse(cells: dict[str, str]) -> tuple[Address, Rule]:
    address = parse_address(cells["address"])
    if (state := cells.get("state", "").strip() or "active") not in STATES:
        raise RuleError(f"There is no such state; there are {', '.join(STATES)}.")
    if state != "active":
        raise RefusedError(f"{address.text} is {state} in the file; only active people are added.")
    return address, parse_rule(cells)


def export_csv(mailing: Mailing) -> Iterator[list[str]]:
    """The list as CSV rows, the first one naming the columns; erased people are not in it."""
    yield list(COLUMNS)
    for person in everyone(mailing):
        if person.address:
            choice = person.rule.fields()
            yield [person.address, person.state, *choice.values()]
