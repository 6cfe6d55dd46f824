"""A CSV file as any mailer or spreadsheet writes it, as rows of the columns that we know.

bytes ──encoding──▶ text ──delimiter──▶ header ──our names──▶ rows
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches

from flows.wording import counted

# As they stand in the exports of listmonk, Mailchimp, Substack, Buttondown, Mailman and others.
_ADDRESS_NAMES = {
    "address",
    "email",
    "e-mail",
    "mail",
    "email address",
    "e-mail address",
    "email_address",
    "emailaddress",
    "subscriber",
    "subscriber email",
    "member",
}
_STATE_NAMES = {"state", "status", "subscription status", "subscriber status"}
# Of other mailers' words for a state, those that say that the reader wants mail and gets it.
_ACTIVE_WORDS = {"", "active", "enabled", "subscribed", "confirmed", "regular", "premium", "free"}
_LEFT_NAMES = {"email_disabled", "unsubscribed", "unsubscribed_at", "unsub_time", "opted out"}
_NO_WORDS = {"", "false", "no", "0", "null", "none"}


@dataclass(frozen=True)
class Row:
    """A line by its number (from 1): the cells of columns we know, or why it cannot be read."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 as spreadsheets write it, or Windows' own.

    Raises:
        UnicodeDecodeError: it is no text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if any(byte < 32 and byte not in b"\t\r\n" for byte in content):
            raise
        return content.decode("cp1252")


def rows(lines: Iterable[str], ours: Iterable[str], notes: list[str]) -> Iterator[Row]:
    """The lines by our own column names; what is left out is told in `notes`.

    A first line that names no column of addresses is a line like all others: addresses alone.
    """
    kept = list(lines)
    first = next((line for line in kept if line.strip()), "")
    reader = csv.reader(kept, delimiter=_delimiter(first), strict=True)
    header: list[str | None] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, trouble=f"The line cannot be read as CSV: {error}.")
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header, trouble = _header(cells, set(ours), notes)
            if trouble:
                yield Row(reader.line_num, trouble=trouble)
                return
            if header:
                continue
            header = ["address"]
        if len(cells) != len(header):
            found = counted(len(cells), "cell")
            trouble = f"The line has {found}, not {len(header)}."
            yield Row(reader.line_num, trouble=trouble)
            continue
        named = zip(header, cells, strict=True)
        yield Row(reader.line_num, {name: cell for name, cell in named if name})


def _delimiter(line: str) -> str:
    """What stands between the cells of the first line: a comma unless there is none."""
    return next((each for each in (",", ";", "\t", "|") if each in line), ",")


def _header(
    cells: list[str], ours: set[str], notes: list[str]
) -> tuple[list[str | None] | None, str]:
    """Our name of each column, None of one we have no use for; or why they cannot be used."""
    given = [" ".join(cell.lower().replace("\ufeff", "").split()) for cell in cells]
    if not set(given) & _ADDRESS_NAMES:
        if any("@" in cell for cell in cells):
            return None, ""
        return None, (
            "The first line names no column of addresses: call it “address”, or give addresses"
            " alone, one a line."
        )
    header = [_name(name, ours) for name in given]
    for name in ("address", "state"):
        for double in [n for n, each in enumerate(header) if each == name][1:]:
            header[double] = None
    unknown = [name for name, known in zip(given, header, strict=True) if known is None]
    if "address" in given:
        # In our own format an unknown name is a typing error, and its choices would be lost.
        for name in unknown:
            near = get_close_matches(name, ours, 1)
            meant = f"; did you mean {near[0]}?" if near else "."
            return None, f"There is no column “{_shown(name)}”{meant}"
    if unknown:
        shown = ", ".join(map(_shown, unknown))
        notes.append(f"Columns left out, since nothing here needs them: {shown}.")
    return header, ""


def _name(given: str, ours: set[str]) -> str | None:
    if given in _ADDRESS_NAMES:
        return "address"
    if given in _STATE_NAMES:
        return "state"
    if given in _LEFT_NAMES:
        return "left"
    return given if given in ours else None


def _shown(word: str) -> str:
    """What a stranger's file says, fit for a sentence: printable, and at most 40 characters."""
    return "".join(character for character in word if character.isprintable())[:40]


def why_not_active(cells: dict[str, str], states: Iterable[str]) -> str:
    """Why a line is no active reader, in our own words for it or another mailer's; or nothing."""
    state = cells.get("state", "").strip().lower()
    if state in states and state != "active":
        return f"is {state} in the file"
    if state not in _ACTIVE_WORDS:
        return f"is “{_shown(state)}” in the file"
    if cells.get("left", "").strip().lower() not in _NO_WORDS:
        return "has left, by the file"
    return ""
