"""What several suites expect, each in its own words: every row is there, and no field is new."""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

CRITICAL, WARNING = FailureSeverity.CRITICAL, FailureSeverity.WARNING


def every_row(description: str, otherwise: str) -> Expectation:
    """As many rows as the gate says; `otherwise` may name `rows` and `given`. A suite begins so."""
    return gxe.ExpectTableRowCountToEqual(
        value={"$PARAMETER": "row_count"},
        severity=CRITICAL,
        description=description,
        notes="All other checks pass on a frame that lost its rows.",
        meta={"otherwise": otherwise},
    )


def every_reading() -> Expectation:
    """The same for the readings of a load."""
    return every_row(
        "every reading of the load is judged, once",
        "{rows} rows stand for this reading where 1 should",
    )


def as_many_rows_as_items(description: str, notes: str, otherwise: str) -> Expectation:
    """A reading's rows in the warehouse are as many as it says its source gave."""
    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A="row_count",
        column_B="item_count",
        ignore_row_if="neither",
        severity=CRITICAL,
        description=description,
        notes=notes,
        meta={"otherwise": otherwise},
    )


def no_new_fields(description: str) -> Expectation:
    """No field that no earlier answer had."""
    return gxe.ExpectColumnValuesToBeNull(
        column="new_fields",
        severity=WARNING,
        description=description,
        notes="A new field is harmless, and often the first sign of a change.",
        meta={"otherwise": "fields never seen before: {new_fields}"},
    )
