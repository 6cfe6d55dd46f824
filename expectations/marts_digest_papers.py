"""Suite marts_digest_papers: can each paper of an issue be sent? Grain: one row a digest paper."""

# GX re-exports its expectations without saying so.
# mypy: disable-error-code="attr-defined"

import great_expectations as gx
import great_expectations.expectations as gxe

from expectations import VISIBLE
from expectations.shared import CRITICAL, WARNING, every_row

suite = gx.ExpectationSuite(
    name="marts_digest_papers",
    meta={"rows": "papers"},
    expectations=[
        every_row(
            "every paper of the digest is judged",
            "{rows} papers are in the digest, which says it has {given}",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="title",
            severity=CRITICAL,
            description="every paper has a title",
            notes="The title is the link; the checks of its form skip nulls.",
            meta={"otherwise": "{paper_id} has no title"},
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="title",
            regex=VISIBLE,
            severity=CRITICAL,
            description="no title is blank",
            notes="A blank title is a link that nobody can see.",
            meta={"otherwise": "the title of {paper_id} is blank"},
        ),
        gxe.ExpectColumnValuesToNotMatchRegex(
            column="title",
            regex=r"[\p{Cc}\p{Zl}\p{Zp}]",
            severity=CRITICAL,
            description="every title is one line without control characters",
            notes="Titles go into subjects and headers, where a line break forges a header.",
            meta={"otherwise": "the title of {paper_id} has a line break or a control character"},
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="title",
            max_value=500,
            severity=CRITICAL,
            description="no title is longer than 500 characters",
            notes="The longest of 12,876 recorded titles has 206; more is another field.",
            meta={"otherwise": "the title of {paper_id} is far too long"},
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="paper_id",
            regex=r"^\d{4}\.\d{4,5}$",
            severity=CRITICAL,
            description="every paper id makes a link",
            notes="https://huggingface.co/papers/<id> is all that a reader can click.",
            meta={"otherwise": "{paper_id!r} makes no link"},
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="score",
            severity=CRITICAL,
            description="every paper has a score",
            notes="Without one its rank is chance.",
            meta={"otherwise": "{paper_id} has no score"},
        ),
        *(
            gxe.ExpectColumnValuesToMatchRegex(
                column=column,
                regex=r"^https?://[^\s/][^\s]*$",
                severity=WARNING,
                description=f"every `{column}` is a web link, or there is none",
                notes="Anything else (javascript:, a broken URL) is dropped from the digest.",
                meta={"otherwise": f"`{column}` of {{paper_id}} is no web link"},
            )
            for column in ("github_url", "project_url")
        ),
    ],
)
