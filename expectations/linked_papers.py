"""Suite linked_papers: can each answer about a paper be used? Grain: one row a paper asked about.

A row that fails a critical expectation is quarantined and the others go on; a wrong row count
stops the load. A row's reason is its first failure in this order, said by `meta["otherwise"]`.
"""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations as gx
import great_expectations.expectations as gxe

from expectations.shared import CRITICAL, WARNING, every_row

suite = gx.ExpectationSuite(
    name="linked_papers",
    meta={"rows": "papers", "quarantines": True},
    expectations=[
        every_row(
            "what came of every question has arrived",
            "{rows} papers arrived where {given} were asked about",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="contract_error",
            severity=CRITICAL,
            description="every answer came, about the paper that was asked for, in its shape",
            notes="No answer is not the same as no models; the paper is asked about again.",
            meta={"otherwise": "{contract_error}"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="odd_ids",
            value_set=[""],
            severity=CRITICAL,
            description="every repository has an id that an address can be made of",
            notes="Links are made from it: `owner/name`, or a name alone for the oldest ones.",
            meta={"otherwise": "{paper_id} is linked with what is no repository: {odd_ids}"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="repeat_number",
            value_set=[1],
            severity=CRITICAL,
            description="every paper was asked about once",
            notes="One row a paper is the grain of a reading.",
            meta={"otherwise": "{paper_id} at position {position} was asked about before"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="short_totals",
            value_set=[""],
            severity=WARNING,
            description="no answer lists more repositories than it says there are",
            notes="The total tells whether the list is whole, and so whether a repository is gone.",
            meta={"otherwise": "{paper_id} lists more than its total: {short_totals}"},
        ),
    ],
)
