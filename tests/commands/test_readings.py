"""`papers readings`: what it lists, sets aside and takes back, and what it says of nothing."""

from pathlib import Path

from flows.outcome import Outcome
from tests.support.console import Papers


def test_a_home_without_readings_is_told_so(papers: Papers, own_home: Path) -> None:
    assert papers("readings", "list")[::2] == (1, f"No reading is kept in {own_home}.\n")


def test_a_reading_is_listed_set_aside_and_taken_back(
    complete_day: Outcome, papers: Papers
) -> None:
    code, out, _ = papers("readings", "list", "2026-08-20")
    (line,) = out.splitlines()
    reading_id, verdict, papers_read, standing = line.split("  ")
    assert (code, verdict, standing) == (0, "complete", "admitted")
    assert int(papers_read.split()[0]) > 0

    code, out, _ = papers("readings", "quarantine", reading_id, "--reason", "A test list.")
    assert (code, out.split()[0]) == (0, reading_id)
    assert papers("readings", "list")[1].strip().endswith("  Set aside: A test list.")

    assert papers("readings", "take-back", reading_id)[0] == 0
    code, _, err = papers("readings", "take-back", reading_id)
    assert (code, err.startswith(f"Nothing refuses {reading_id}")) == (1, True)


def test_an_unknown_reading_is_one_sentence(complete_day: Outcome, papers: Papers) -> None:
    code, _, err = papers("readings", "quarantine", "nothing", "--reason", "why")
    assert (code, "No reading is called nothing" in err) == (2, True)
    assert papers("readings", "list", "2026-08-19")[0] == 1
