"""Print the table of everything that the gates expect: `python -m expectations`."""

import sys
from collections.abc import Iterator
from inspect import cleandoc

import great_expectations as gx

from expectations import (
    linked_papers,
    linked_readings,
    marts_digest_papers,
    marts_digests,
    raw_items,
    raw_readings,
)
from expectations.validation import columns

SUITES = (
    raw_items.suite,
    raw_readings.suite,
    marts_digests.suite,
    marts_digest_papers.suite,
    linked_papers.suite,
    linked_readings.suite,
)
HEAD = cleandoc(
    """
    | expectation | column | severity | what is expected | because |
    |---|---|---|---|---|
    """
)


def table() -> str:
    """Every expectation with its severity and its reason, a Markdown table a suite."""
    return "\n\n".join(
        "\n".join((f"### {suite.name}", "", HEAD, *_lines(suite))) for suite in SUITES
    )


def _lines(suite: gx.ExpectationSuite) -> Iterator[str]:
    for expectation in suite.expectations:
        configuration = expectation.configuration
        its_columns = columns(configuration.kwargs)
        severity = str(expectation.severity.value)
        if severity == "critical" and its_columns and suite.meta.get("quarantines"):
            severity = "critical for the row"
        yield (
            f"| `{configuration.type.removeprefix('expect_')}` "
            f"| {', '.join(f'`{column}`' for column in its_columns)} "
            f"| {severity} | {expectation.description} | {expectation.notes} |"
        )


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
