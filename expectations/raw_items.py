"""Suite raw_items: can each item of a reading be used? Grain: one row an item of a reading.

A row that fails a critical expectation is quarantined and the others go on; a wrong row count
stops the load. A row's reason is its first failure in this order, said by `meta["otherwise"]`.
"""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations as gx
import great_expectations.expectations as gxe

from expectations import VISIBLE
from expectations.shared import CRITICAL, WARNING, every_row

suite = gx.ExpectationSuite(
    name="raw_items",
    meta={"rows": "items", "quarantines": True},
    expectations=[
        every_row(
            "every item the Hub gave has arrived",
            "{rows} items arrived where the Hub gave {given}",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="contract_error",
            severity=CRITICAL,
            description="every item has the fields we use, in their types",
            notes="A field renamed, removed or retyped upstream would become a silent null.",
            meta={"otherwise": "{contract_error}"},
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="paper_id",
            severity=CRITICAL,
            description="every item has a paper id",
            notes="It is the key of every table; the checks of its form skip nulls.",
            meta={"otherwise": "the item at position {position} has no paper id"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="missing_fields",
            severity=CRITICAL,
            description="every item has its title, its votes, its comments and its date",
            notes="Unknown is not zero; and the checks of the values skip nulls.",
            meta={"otherwise": "{paper_id} has no {missing_fields}"},
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="paper_id",
            regex=r"^\d{4}\.\d{4,5}$",
            severity=CRITICAL,
            description="every paper id looks like an arXiv id",
            notes="Links are made from it; all 12,868 recorded ids look like this.",
            meta={"otherwise": "{paper_id!r} does not look like an arXiv id"},
        ),
        gxe.ExpectColumnValuesToMatchRegexList(
            column="paper_id",
            regex_list=[
                r"^(?:0[7-9]|1[0-4])(?:0[1-9]|1[0-2])\.[0-9]{4}$",
                r"^(?:1[5-9]|[2-9][0-9])(?:0[1-9]|1[0-2])\.[0-9]{5}$",
            ],
            match_on="any",
            severity=CRITICAL,
            description="every paper id is as wide as ids of its year are",
            notes="Read as a number, 2503.02130 becomes 2503.0213: another paper, or none.",
            meta={"otherwise": "{paper_id!r} is not as wide as ids of its year: a lost zero?"},
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="title",
            regex=VISIBLE,
            severity=CRITICAL,
            description="no title is blank",
            notes="A blank title is a link that nobody can see.",
            meta={"otherwise": "the title of {paper_id} is blank"},
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="title",
            max_value=500,
            severity=CRITICAL,
            description="no title is longer than 500 characters",
            notes="The longest of 12,876 recorded titles has 206; more is another field.",
            meta={"otherwise": "the title of {paper_id} is far too long"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="upvotes_count",
            min_value=0,
            severity=CRITICAL,
            description="no number of upvotes is negative",
            notes="Upvotes are counted; a negative one means another field, or a broken one.",
            meta={"otherwise": "{paper_id} has {upvotes_count:.0f} upvotes"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="comments_count",
            min_value=0,
            severity=CRITICAL,
            description="no number of comments is negative",
            notes="Comments are counted; a negative one means another field, or a broken one.",
            meta={"otherwise": "{paper_id} has {comments_count:.0f} comments"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="published_year",
            min_value=1991,
            severity=CRITICAL,
            description="no paper is older than arXiv",
            notes="arXiv began in 1991; an earlier date is a time stamp read in a wrong unit.",
            meta={"otherwise": "{paper_id} was published in {published_year:.0f}, before arXiv"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="published_days_after_reading",
            max_value=1,
            severity=CRITICAL,
            description="no paper is published after it was read",
            notes="A date in the future is a wrong field or unit; one day is left for time zones.",
            meta={
                "otherwise": "{paper_id} was published {published_days_after_reading:.0f} days "
                "after it was read"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="published_days_after_listing",
            max_value=2,
            severity=CRITICAL,
            description="no paper is published after the day that lists it",
            notes="The Hub lists what is on arXiv; two days are left for time zones.",
            meta={
                "otherwise": "{paper_id} was published {published_days_after_listing:.0f} days "
                "after the day that lists it"
            },
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="listed_on",
            column_B="list_date",
            ignore_row_if="either_value_is_missing",
            severity=CRITICAL,
            description="every item belongs to the list date asked for",
            notes="Before 2025-03-14 no field says it; since then all recorded items agree.",
            meta={"otherwise": "{paper_id} is of the list of {listed_on}, not of {list_date}"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="repeat_number",
            value_set=[1],
            severity=CRITICAL,
            description="every paper stands once in a reading",
            notes="One row a paper is the grain of the list; on 2025-06-03 the Hub gave one twice.",
            meta={"otherwise": "{paper_id} at position {position} repeats an earlier item"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="author_count",
            min_value=1,
            severity=WARNING,
            description="every paper has an author",
            notes="No recorded list of authors is empty; the digest would say '0 authors'.",
            meta={"otherwise": "{paper_id} has no authors"},
        ),
    ],
)
