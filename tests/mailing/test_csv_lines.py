import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mailing import subscribers as people
from flows.mailing.csv_lines import COLUMNS, export_csv, import_csv
from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.rules import Rule, parse_rule
from tests.mailing.conftest import NOW
from tests.support.odd_input import odd_input


def _addresses(mailing: Mailing) -> list[str | None]:
    return [person.address for person in people.everyone(mailing)]


def _text(mailing: Mailing) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(export_csv(mailing))
    return out.getvalue()


def test_a_file_of_addresses_alone_needs_no_header(mailing: Mailing) -> None:
    done = import_csv(mailing, ["ada@example.org\n", "\n", "bo@example.org\n"], now=NOW)
    assert done.sentence == "2 added, 0 left out."
    assert _addresses(mailing) == ["ada@example.org", "bo@example.org"]


def test_a_file_may_bring_choices(mailing: Mailing) -> None:
    lines = [
        "\ufeffAddress,editions,include,has_code\r\n",
        'ada@example.org,weekly,"rl; ai",yes\r\n',
    ]
    import_csv(mailing, lines, now=NOW)
    (person,) = people.everyone(mailing)
    assert person.rule == Rule(editions=("weekly",), include=("rl", "ai"), has_code=True)


def test_one_bad_line_stops_the_import_and_every_bad_line_is_named(mailing: Mailing) -> None:
    lines = [
        "address,upvotes_min",
        "ada@example.org,5",
        "bo@,",
        "cy@example.org,-1",
        "di@example.org",
    ]
    done = import_csv(mailing, lines, now=NOW)
    assert [line.number for line in done.bad_lines] == [3, 4, 5]
    assert "minimum upvotes" in done.bad_lines[1].sentence
    assert done.bad_lines[2].sentence == "The line has 1 cell, not 2."
    assert done.sentence == "Nothing imported: 3 bad lines to mend; then import again."
    assert _addresses(mailing) == []


def test_a_dry_run_says_what_would_happen_and_does_nothing(mailing: Mailing) -> None:
    done = import_csv(mailing, ["ada@example.org", "ADA@example.org"], now=NOW, dry_run=True)
    assert done.sentence == "1 would be added, 1 left out."
    assert done.left_out[0].number == 2
    assert _addresses(mailing) == []


def test_who_left_or_is_suppressed_or_not_active_is_left_out_with_the_reason(
    mailing: Mailing,
) -> None:
    gone = people.add(mailing, "gone@example.org", now=NOW)
    people.unsubscribe(mailing, gone.public_id, now=NOW)
    people.suppress(mailing, "bad@example.org", "refused for good", now=NOW)
    lines = ["address,state", "gone@example.org,", "bad@example.org,", "old@example.org,paused"]
    done = import_csv(mailing, [*lines, "new@example.org,active"], now=NOW)
    assert (done.added_count, done.is_done) == (1, True)
    said = " ".join(line.sentence for line in done.left_out)
    assert "left on 2026-08-14" in said
    assert "suppressed: refused for good" in said
    assert "is paused in the file" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("address,shoe size\nada@example.org,43\n", "no column “shoe size”"),
        ('address\n"ada@example.org\n', "cannot be read as CSV"),
        ("address\nada\udcff@example.org\n", "not"),
        ("address\nada@exam\x00ple.org\n", ""),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_line(
    mailing: Mailing, text: str, said: str
) -> None:
    done = import_csv(mailing, text.splitlines(keepends=True), now=NOW)
    assert not done.is_done
    assert said in done.bad_lines[0].sentence
    assert _addresses(mailing) == []


def test_what_was_exported_can_be_imported(mailing: Mailing, tmp_path: Path) -> None:
    people.add(mailing, "ada@example.org", rule=parse_rule({"include": "a b, c"}), now=NOW)
    people.erase(mailing, people.add(mailing, "x@example.org", now=NOW).address or "", now=NOW)
    other = open_mailing_database(tmp_path / "other.sqlite")
    done = import_csv(other, io.StringIO(_text(mailing)), now=NOW)
    assert (done.added_count, done.left_out) == (1, ())
    assert _text(other) == _text(mailing)


@pytest.fixture(scope="module")
def one_list(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailing]:
    opened = open_mailing_database(tmp_path_factory.mktemp("list") / "mailing.sqlite")
    yield opened
    opened.close()


_PIECES = [
    "ada",
    "bo",
    "@example.org",
    ",",
    "\n",
    "\r\n",
    '"',
    ";",
    "7",
    "yes",
    "\x00",
    "é",
    "\u2028",
]
_ODD_TEXT = st.builds(
    lambda pieces, odd: "".join(pieces) + odd,
    st.lists(st.sampled_from([*_PIECES, "\n", "ada@example.org,,\n"]), min_size=80, max_size=80),
    st.text(max_size=20),
)


@odd_input(500)
@given(header=st.sampled_from(["address", ",".join(COLUMNS[:3]), "address,include"]), odd=_ODD_TEXT)
def test_ten_thousand_odd_lines_are_each_read_or_named_and_none_half_kept(
    one_list: Mailing, header: str, odd: str
) -> None:
    text = f"{header}\n{odd}"
    done = import_csv(one_list, io.StringIO(text, newline=""), now=NOW, dry_run=True)
    assert not done.is_done
    last = text.count("\n") + text.count("\r") + 1
    for line in (*done.bad_lines, *done.left_out):
        assert 1 <= line.number <= last
        assert line.sentence.isprintable()
    assert list(people.everyone(one_list)) == []
