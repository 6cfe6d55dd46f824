"""The suites themselves: order, reasons, names; and what no frame may get away with."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pandas as pd
import pytest

from expectations import __main__ as command
from expectations.validation import Run, columns, validate

SUITES = {suite.name: suite for suite in command.SUITES}
README = Path(command.__file__).with_name("README.md")
RUN = Run("a-run", datetime(2026, 8, 14, tzinfo=UTC), None)


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_starts_with_a_row_count_because_all_else_passes_on_nothing(name: str) -> None:
    first = SUITES[name].expectations[0]
    assert first.configuration.type == "expect_table_row_count_to_equal"
    assert first.severity.value == "critical"


@pytest.mark.parametrize("name", SUITES)
def test_each_expectation_says_what_why_and_what_otherwise(name: str) -> None:
    for expectation in SUITES[name].expectations:
        assert expectation.description
        assert str(expectation.notes).endswith((".", "'."))
        assert list(Formatter().parse(str((expectation.meta or {})["otherwise"])))


@pytest.mark.parametrize("name", SUITES)
def test_no_two_expectations_of_a_suite_share_a_name_and_columns(name: str) -> None:
    keys = Counter(
        (each.configuration.type, columns(each.configuration.kwargs))
        for each in SUITES[name].expectations
    )
    assert max(keys.values()) == 1


@pytest.mark.parametrize("name", SUITES)
def test_no_expectation_passes_on_a_frame_without_its_columns(name: str) -> None:
    frame = pd.DataFrame({"reading_id": ["a-reading"], "position": [0]})
    row_count, *others = validate(SUITES[name], frame, row_count=1, run=RUN)
    assert row_count.is_success
    for finding in others:
        assert not finding.is_success
        assert finding.fault is not None
        assert any(column in finding.fault for column in finding.columns)


@pytest.mark.parametrize("name", SUITES)
def test_only_the_row_count_notices_that_there_are_no_rows(name: str) -> None:
    suite = SUITES[name]
    names = {column for each in suite.expectations for column in columns(each.configuration.kwargs)}
    frame = pd.DataFrame({column: [] for column in ("reading_id", "position", *sorted(names))})
    row_count, *others = validate(suite, frame, row_count=1, run=RUN)
    assert not row_count.is_success
    assert [other.columns for other in others if not other.is_success] == []


def test_the_readme_has_the_table_of_the_code() -> None:
    assert command.table() in README.read_text(), "paste what `python -m expectations` prints"
