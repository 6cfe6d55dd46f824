"""Suite linked_readings: is what the Hub said of single papers plausible? Grain: one row a reading.

A reading that fails a critical expectation stops: the links of before stay published.
Columns that cannot be judged yet (too little history) are null, and so skipped.
"""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations as gx
import great_expectations.expectations as gxe

from expectations.shared import (
    CRITICAL,
    WARNING,
    as_many_rows_as_items,
    every_reading,
    no_new_fields,
)

suite = gx.ExpectationSuite(
    name="linked_readings",
    expectations=[
        every_reading(),
        as_many_rows_as_items(
            "as many answers arrived as questions were asked",
            "A load that breaks off half-way would leave papers out unseen.",
            "{row_count} answers arrived where {item_count} were asked for",
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="broken_limit",
            column_B="broken_count",
            or_equal=True,
            ignore_row_if="neither",
            severity=CRITICAL,
            description="at most 5 % of the answers are of another shape, or a single one",
            notes="More, and the Hub answers in a shape that we do not know.",
            meta={
                "otherwise": "{broken_count} of {answer_count} answers are of another shape, "
                "where at most {broken_limit} may be: {first_broken}"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="kept_ratio",
            min_value=0.5,
            severity=CRITICAL,
            description="the papers have at least half of the repositories they had",
            notes="Repositories are seldom deleted; most of them gone at once is a fault of the "
            "answer, and would be published as their end.",
            meta={
                "otherwise": "{repository_count} repositories, where the same papers had "
                "{known_count}"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="linking_count",
            min_value=1,
            severity=WARNING,
            description="some answer has a field of linked repositories",
            notes="Without any, the fields have probably moved.",
            meta={"otherwise": "no answer says anything of models, datasets or Spaces"},
        ),
        no_new_fields("the answers have no field that was never seen before"),
    ],
)
