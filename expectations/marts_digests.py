"""Suite marts_digests: would I send this issue? Grain: one row a digest date.

Any failure stops the reading that the digest shows, and so its publication and its mail.
"""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations as gx
import great_expectations.expectations as gxe

from expectations.shared import CRITICAL, every_row

suite = gx.ExpectationSuite(
    name="marts_digests",
    expectations=[
        every_row(
            "every day has one digest",
            "the day has {rows} digests where it should have {given}",
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="last_read_at",
            column_B="read_at",
            ignore_row_if="neither",
            severity=CRITICAL,
            description="the digest was made from the newest reading",
            notes="Marts that were not rebuilt would send an earlier state of the day.",
            meta={"otherwise": "the digest is of {last_read_at}, the newest reading of {read_at}"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="sendable_count",
            min_value=1,
            severity=CRITICAL,
            description="the digest of a day with papers is not empty",
            notes="An empty mail tells readers that the service is dead; an empty day sends none.",
            meta={"otherwise": "the digest is empty, but the verdict is {verdict}"},
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="digest_count",
            column_B="reading_count",
            ignore_row_if="neither",
            severity=CRITICAL,
            description="the digest has as many papers as the reading",
            notes="A join that loses or doubles papers shows here, whatever it was.",
            meta={"otherwise": "the digest has {digest_count} papers, the reading {reading_count}"},
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="paper_count",
            column_B="digest_count",
            ignore_row_if="neither",
            severity=CRITICAL,
            description="the digest has as many papers as it says",
            notes="The footer proves the data with this number.",
            meta={"otherwise": "the digest says {paper_count} papers and has {digest_count}"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="misplaced_ranks",
            severity=CRITICAL,
            description="the ranks are 1 to n, each once",
            notes="A gap or a tie in the ranks is a lost or a doubled paper.",
            meta={"otherwise": "the ranks are not 1 to n: {misplaced_ranks} stand out of line"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="unknown_papers",
            severity=CRITICAL,
            description="every listed paper is known",
            notes="A listing whose paper is missing has no title and no link.",
            meta={"otherwise": "listed, but not among the papers: {unknown_papers}"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="omitted_papers",
            severity=CRITICAL,
            description="every listed paper is in the digest",
            notes="The promise of the digest is the whole day.",
            meta={"otherwise": "listed, but not in the digest: {omitted_papers}"},
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="same_as_date",
            severity=CRITICAL,
            description="the issue is not an earlier one again",
            notes="After a failed day, a digest maker once mailed yesterday's papers as today's.",
            meta={"otherwise": "these are the papers of {same_as_date} again, all of them"},
        ),
    ],
)
