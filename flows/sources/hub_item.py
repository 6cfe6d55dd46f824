"""The shape of one item of the Hub's daily list, as served since 2024-03: the extract's contract.

What is used is required and typed; what is merely known is named, so that a field never seen
before is noticed. A broken item is kept beside the good ones with the reason, never dropped.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

NOT_TEXT = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
_VERSION = re.compile(r"v\d+$")
# A number or a date out of these bounds is another field, and sums of it would stop the models of
# every day: the item is set aside instead. A negative count has a check of its own, in gate raw.
MOST = 10**9
FIRST_YEAR, LAST_YEAR = 1900, 2200


def _written(moment: object) -> object:
    if not isinstance(moment, str) or not _WRITTEN.match(moment):
        raise ValueError("is no date and time as 2026-08-20T16:05:44.000Z")
    return moment


def _utc(moment: datetime) -> datetime:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(f"{moment} is out of the years {FIRST_YEAR} to {LAST_YEAR}")
    return utc


Count = Annotated[StrictInt, Field(ge=-MOST, le=MOST)]
# Pydantic takes a number for seconds since 1970, which the models that read the JSON do not.
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]


class Shape(BaseModel):
    """Known fields; an unknown one is allowed and found in `model_extra`."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class _User(Shape):
    id_: str | None = Field(None, alias="_id")
    id: str | None = None
    avatar_url: Any = Field(None, alias="avatarUrl")
    fullname: str | None = None
    user: str | None = None
    name: str | None = None
    type: Any = None
    is_pro: Any = Field(None, alias="isPro")
    is_hf: Any = Field(None, alias="isHf")
    is_hf_admin: Any = Field(None, alias="isHfAdmin")
    is_mod: Any = Field(None, alias="isMod")
    follower_count: Any = Field(None, alias="followerCount")
    is_user_following: Any = Field(None, alias="isUserFollowing")


class _Organization(Shape):
    id_: Any = Field(None, alias="_id")
    name: str | None = None
    fullname: str | None = None
    avatar: Any = None


class _Author(Shape):
    id_: Any = Field(None, alias="_id")
    name: StrictStr
    hidden: bool = False
    user: _User | None = None
    status: Any = None
    status_last_changed_at: Any = Field(None, alias="statusLastChangedAt")


class _Paper(Shape):
    id: StrictStr
    authors: list[_Author]
    published_at: Moment = Field(alias="publishedAt")
    title: StrictStr
    summary: StrictStr
    upvotes: Count
    discussion_id: Any = Field(None, alias="discussionId")
    media_urls: list[str] | None = Field(None, alias="mediaUrls")
    submitted_on_daily_at: Moment | None = Field(None, alias="submittedOnDailyAt")
    submitted_on_daily_by: _User | None = Field(None, alias="submittedOnDailyBy")
    project_page: str | None = Field(None, alias="projectPage")
    github_repo: str | None = Field(None, alias="githubRepo")
    github_repo_added_by: Any = Field(None, alias="githubRepoAddedBy")
    github_stars: Annotated[Count, Field(ge=0)] | None = Field(None, alias="githubStars")
    ai_summary: str | None = None
    ai_summary_model: Any = None
    ai_keywords: list[str] | None = None
    organization: _Organization | None = None
    withdrawn_at: Moment | None = Field(None, alias="withdrawnAt")


class HubItem(Shape):
    """One paper of a list as the API gives it, in any shape served since 2024-03."""

    paper: _Paper
    comments: Count = Field(alias="numComments")
    published_at: Moment | None = Field(None, alias="publishedAt")
    title: str | None = None
    summary: str | None = None
    thumbnail: Any = None
    media_url: Any = Field(None, alias="mediaUrl")
    media_urls: list[str] | None = Field(None, alias="mediaUrls")
    submitted_by: _User | None = Field(None, alias="submittedBy")
    submitter_organization: _Organization | None = Field(None, alias="submitterOrganization")
    organization: _Organization | None = None
    is_author_participating: Any = Field(None, alias="isAuthorParticipating")


@dataclass(frozen=True)
class Item:
    """One item of a response: its keys where they could be read, and its JSON as it came."""

    position: int
    paper_id: str | None
    title: str | None
    upvotes_count: int | None
    comments_count: int | None
    published_at: datetime | None
    listed_on: date | None
    contract_error: str | None
    new_fields: tuple[str, ...]
    item: str


def read_item(position: int, raw: object) -> Item:
    """The item at this position (from 0) of a list; a broken one carries `contract_error`."""
    text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
    if is_not_text(text):
        # Neither Arrow nor DuckDB's JSON takes such a string: one would stop the whole load.
        return _broken(position, raw, "it holds a NUL or half a character", NOT_TEXT.sub("?", text))
    try:
        known = HubItem.model_validate(raw)
    except ValidationError as error:
        reason = "; ".join(complaint(e["loc"], e["type"], e["msg"]) for e in error.errors()[:3])
        return _broken(position, raw, reason, text)
    paper = known.paper
    return Item(
        position,
        canonical_id(paper.id),
        paper.title,
        paper.upvotes,
        known.comments,
        paper.published_at,
        _listed_on(paper),
        None,
        tuple(sorted(set(_unknown(known, "")))),
        text,
    )


def is_not_text(text: str) -> bool:
    """Whether this JSON holds a NUL or half a character.

    What is quick comes first: the pattern alone would take most of the time that an item takes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return "\\u0000" in text and NOT_TEXT.search(text) is not None


def canonical_id(paper_id: str) -> str:
    """The arXiv id without its version: v1 and v2 are one paper."""
    return _VERSION.sub("", paper_id.strip())


def _listed_on(paper: _Paper) -> date | None:
    """The list date as the item itself says it, or None before 2025-03-14, where no field does.

    Neither `publishedAt` can stand in: the paper's is arXiv's, and the outer one was a moment in
    UTC, then one in New York written as UTC, and is an arXiv date since 2025-03-10.
    """
    moment = paper.submitted_on_daily_at
    return moment.date() if moment else None


def _broken(position: int, raw: object, reason: str, text: str) -> Item:
    paper = raw.get("paper") if isinstance(raw, dict) else None
    paper_id = paper.get("id") if isinstance(paper, dict) else None
    known_id = canonical_id(paper_id) if isinstance(paper_id, str) else None
    if known_id and is_not_text(json.dumps(known_id, ensure_ascii=False)):
        known_id = None
    name = f"item {position + 1}" + (f" ({known_id})" if known_id else "")
    return Item(position, known_id, None, None, None, None, None, f"{name}: {reason}", (), text)


def paper_fields() -> frozenset[str]:
    """The names of the fields that a paper of a list may have."""
    fields = _Paper.model_fields
    return frozenset(field.alias or name for name, field in fields.items())


def complaint(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """What a contract says against a value: the field, and what is wrong with it."""
    path = ".".join(str(part) for part in location)
    if not path:
        return "is not an object"
    said = message.removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    return f"{path} is missing" if kind == "missing" else f"{path}: {said}"


def _unknown(shape: BaseModel, path: str) -> Iterator[str]:
    """The paths of fields that no recorded response had, lists marked by `[]`."""
    for name in shape.model_extra or {}:
        yield f"{path}{name}"
    for name, field in type(shape).model_fields.items():
        value = getattr(shape, name)
        label = f"{path}{field.alias or name}"
        if isinstance(value, BaseModel):
            yield from _unknown(value, f"{label}.")
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, BaseModel):
                    yield from _unknown(part, f"{label}[].")
