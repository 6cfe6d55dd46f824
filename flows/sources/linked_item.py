"""The shape of what the Hub says of one paper: the contract of the readings of linked repositories.

Only what is used has a type here: the repositories with their counts, and the venue. The paper's
own fields are those of a list's item (`hub_item.py`), and are taken from the lists alone.
"""

import json
from typing import Annotated, Any

from pydantic import Field, StrictInt, StrictStr, ValidationError

from flows.sources.hub_item import (
    NOT_TEXT,
    Item,
    Shape,
    canonical_id,
    complaint,
    is_not_text,
    paper_fields,
)

# More downloads than this are another field.
_Count = Annotated[StrictInt, Field(ge=0, le=10**12)]


class _Repository(Shape):
    id: StrictStr
    likes: _Count | None = None
    downloads: _Count | None = None


class _LinkedPaper(Shape):
    id: StrictStr
    linked_models: list[_Repository] | None = Field(None, alias="linkedModels")
    linked_datasets: list[_Repository] | None = Field(None, alias="linkedDatasets")
    linked_spaces: list[_Repository] | None = Field(None, alias="linkedSpaces")
    num_total_models: _Count | None = Field(None, alias="numTotalModels")
    num_total_datasets: _Count | None = Field(None, alias="numTotalDatasets")
    num_total_spaces: _Count | None = Field(None, alias="numTotalSpaces")
    # No answer that is known has it; where the Hub says where a paper appeared, it is kept.
    venue: StrictStr | None = None


# Beside the paper itself, an answer may say what a list says outside of the paper.
_KNOWN = paper_fields() | {"numComments", "submittedBy"}


def read_linked_item(position: int, raw: Any) -> Item:  # noqa: ANN401  what `linked.py` made of JSON
    """What came of asking about one paper; one without a usable answer has `contract_error`."""
    paper_id = canonical_id(raw["paper_id"])
    text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
    error: str | None
    new_fields: tuple[str, ...] = ()
    if is_not_text(text):
        # Neither Arrow nor DuckDB's JSON takes such a string: one would stop the whole load.
        error, text = "it holds a NUL or half a character", NOT_TEXT.sub("?", text)
    elif raw["status"] == 404:
        error = "the Hub has no page of it (404)"
    elif raw["trouble"]:
        error = raw["trouble"]
    else:
        error, new_fields = _judged(paper_id, raw["answer"])
    return Item(
        position=position,
        paper_id=paper_id,
        title=None,
        upvotes_count=None,
        comments_count=None,
        published_at=None,
        listed_on=None,
        contract_error=error and f"{paper_id}: {error}",
        new_fields=new_fields,
        item=text,
    )


def _judged(paper_id: str, answer: object) -> tuple[str | None, tuple[str, ...]]:
    """What is wrong with an answer, and its fields that none had before."""
    try:
        known = _LinkedPaper.model_validate(answer)
    except ValidationError as error:
        found = error.errors()[:3]
        return "; ".join(complaint(e["loc"], e["type"], e["msg"]) for e in found), ()
    if canonical_id(known.id) != paper_id:
        return f"the answer is about {known.id[:40]!r}", ()
    return None, tuple(sorted(set(known.model_extra or {}) - _KNOWN))
