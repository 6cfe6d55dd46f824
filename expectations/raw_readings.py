"""Suite raw_readings: is each reading whole and plausible? Grain: one row a reading of a load.

A reading that fails a critical expectation stops; a warning travels with the issue.
Columns that cannot be judged yet (too few rows, too little history) are null, and so skipped.
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

# Fields that come and go by item, and what the digest loses without them.
OPTIONAL_FIELDS = {
    "ai_summary": "The digest falls back to the abstract; since July 2026 the Hub writes "
    "summaries later, at first for 47 % of the items.",
    "ai_keywords": "Topics are found by them.",
    "organization": "The digest names the organization of a paper.",
    "github_repo": "The digest links the code.",
    "submitter": "The digest names who submitted a paper; served since 2024-06-13.",
    "list_date": "Without it a server that ignores the date goes unnoticed.",
}

suite = gx.ExpectationSuite(
    name="raw_readings",
    expectations=[
        every_reading(),
        as_many_rows_as_items(
            "as many items arrived as the Hub gave",
            "A page or a load that breaks off half-way would become a short day.",
            "{row_count} items arrived where the Hub gave {item_count}",
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="answered_date",
            column_B="list_date",
            ignore_row_if="either_value_is_missing",
            severity=CRITICAL,
            description="the Hub answered with the list date asked for",
            notes="A server that ignores the parameter gives today's list for every day.",
            meta={
                "otherwise": "the Hub answered with the list of {answered_date} when asked for "
                "{list_date}: it seems to ignore the date"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="most_upvotes",
            min_value=1,
            severity=CRITICAL,
            description="a list of 10 papers or more has votes",
            notes="All zero means that the votes moved to another field; the rank would be chance.",
            meta={"otherwise": "none of the {row_count} papers has a single upvote"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="short_ids",
            severity=CRITICAL,
            description="no paper id lost its zeros on the way",
            notes="Ids that went through a number: those that end in other digits look right, and "
            "the list would silently lose a tenth of its papers.",
            meta={"otherwise": "ids were read as numbers and lost their zeros: {short_ids}"},
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="quarantine_limit",
            column_B="quarantined_count",
            or_equal=True,
            ignore_row_if="neither",
            severity=CRITICAL,
            description="at most 5 % of the items are quarantined, or a single one",
            notes="One bad item must not cost the day; many bad ones are a bad load.",
            meta={
                "otherwise": "{quarantined_count} of {row_count} items are bad, where at most "
                "{quarantine_limit} may be: {quarantine_reasons}"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="volume_ratio",
            min_value=0.5,
            max_value=2.5,
            severity=WARNING,
            description="a complete list is about as long as on the last same weekdays",
            notes="Half or 2.5 times the median of up to eight: a holiday, a deadline, or a fault.",
            meta={
                "otherwise": "{row_count} papers, where the same weekday usually has "
                "{usual_count:.0f}"
            },
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=f"{field}_ratio",
                min_value=0.25,
                severity=WARNING,
                description=f"`{field}` is filled about as often as in the last 30 days",
                notes=f"{reason} Below a quarter of the usual share it has probably moved.",
                meta={
                    "otherwise": f"only {{{field}_count:.0f}} of {{row_count}} items have "
                    f"`{field}`, where {{{field}_usual:.0f}} usually would"
                },
            )
            for field, reason in OPTIONAL_FIELDS.items()
        ),
        no_new_fields("the items have no field that was never seen before"),
        gxe.ExpectColumnValuesToBeBetween(
            column="weekday_item_count",
            min_value=1,
            severity=WARNING,
            description="a weekday has papers",
            notes="In 27 months the one empty weekday was 2025-01-01.",
            meta={"otherwise": "a weekday without papers: a holiday, or a throttled answer"},
        ),
    ],
)
