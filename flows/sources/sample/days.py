"""Sample days: the Hub's list of any date, invented, in the API's shape of August 2026.

    (list date, position) -> SamplePaper -> its item at a moment, with the votes it has by then

A date always gives the same papers, and a date and a moment always the same items. Papers arrive
over the feed day, so that nothing is added once the day has closed; votes and comments grow for
two weeks after that, and stars, code links and AI summaries fill in. The Hub's odd values
(`hidden` authors, `ai_keywords: [""]`, titles with `<think>` or a `/`, hundreds of authors) turn
up about as often as they do there, or a little more.
"""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from flows.sources.feed_day import FEED_ZONE, is_weekend, opens_at

_T = TypeVar("_T")
Item = dict[str, Any]

LARGEST_DAY = 1_000  # the numbers that a date has for itself in a month of five-digit arXiv ids
_DAYS_A_MONTH = 45  # at most so many list dates share the ids of a month
_WORDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
_ARRIVAL_HOURS = 23.0  # the shortest feed day (clocks go forward) has 23
_VOTING_HOURS = 14 * 24.0
_CDN = "https://cdn-uploads.huggingface.co/production/uploads"
_AVATARS = "https://cdn-avatars.huggingface.co/v1/production/uploads"
_STATUSES = ("admin_assigned", "claimed_verified", "admin_assigned", "claimed_verified") * 8 + (
    "extracted_pending", "extracted_confirmed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SamplePaper:
    """A paper and all that will ever be known of it; `item_at` gives what is known by then."""

    arrives_at: datetime
    first_votes: int
    last_votes: int
    last_comments: int
    last_stars: int
    repo_after_hours: float
    summary_after_hours: float
    facts: Item  # in the API's names, except those that start with _

    def item_at(self, now: datetime) -> Item:
        """The item as a list at `now` shows it; nothing in it is shared with another item."""
        age = (now - self.arrives_at).total_seconds() / 3600
        share = 1 - (1 - min(1.0, age / _VOTING_HOURS)) ** 6  # a third of the votes in a day
        facts = self.facts
        submitter = facts["_submitter"]
        paper = {
            "id": facts["id"],
            "authors": [
                {**author, "user": {**author["user"]}} if "user" in author else {**author}
                for author in facts["authors"]
            ],
            **({"mediaUrls": [*facts["mediaUrls"]]} if "mediaUrls" in facts else {}),
            "publishedAt": facts["publishedAt"],
            "submittedOnDailyAt": facts["submittedOnDailyAt"],
            "title": facts["title"],
            "submittedOnDailyBy": {
                **{key: submitter[key] for key in ("_id", "avatarUrl", "isPro", "fullname")},
                "user": submitter["name"],
                "type": "user",
                "name": submitter["name"],
            },
            "summary": facts["summary"],
            "upvotes": self.first_votes + int((self.last_votes - self.first_votes) * share),
        }
        if "withdrawnAt" in facts:
            paper["withdrawnAt"] = facts["withdrawnAt"]
        paper["discussionId"] = facts["discussionId"]
        if "projectPage" in facts:
            paper["projectPage"] = facts["projectPage"]
        if age >= self.repo_after_hours:
            paper |= {"githubRepo": facts["githubRepo"], "githubRepoAddedBy": "user"}
        if age >= self.summary_after_hours:
            paper["ai_summary"] = facts["ai_summary"]
            paper["ai_keywords"] = [*facts["ai_keywords"]]
            paper["ai_summary_model"] = "thinkingmachines/Inkling-Small"
        if age >= self.repo_after_hours:
            paper["githubStars"] = int(self.last_stars * share)
        if "organization" in facts:
            paper["organization"] = {**facts["organization"]}
        return {
            "paper": paper,
            "publishedAt": facts["_outer_published_at"],
            "title": facts["title"],
            "summary": facts["summary"],
            **({"mediaUrls": [*facts["mediaUrls"]]} if "mediaUrls" in facts else {}),
            "thumbnail": (
                f"https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/{facts['id']}.png"
            ),
            "numComments": int(self.last_comments * (0.5 + 0.5 * share)),
            "submittedBy": {**submitter},
            **({"organization": {**facts["organization"]}} if "organization" in facts else {}),
            "isAuthorParticipating": facts["_is_author_participating"],
        }


def size_of(list_date: date) -> int:
    """How many papers the list of this date ends with: 20 to 60, and 0 at weekends and New Year."""
    if is_weekend(list_date) or (list_date.month, list_date.day) == (1, 1):
        return 0
    return 20 + int(Random(list_date.toordinal()).random() * 41)  # noqa: S311 - a sample, no secret


@lru_cache(maxsize=64)
def papers_of(list_date: date, size: int | None = None) -> tuple[SamplePaper, ...]:
    """The papers of this date in no particular order, `size` of them or as many as it has.

    Raises ValueError above LARGEST_DAY. The first ones of a date are the same at every size.
    """
    size = size_of(list_date) if size is None else size
    if not 0 <= size <= LARGEST_DAY:
        raise ValueError(f"a sample day has 0 to {LARGEST_DAY} papers, not {size}")
    return tuple(_paper(list_date, position) for position in range(size))


def items_at(list_date: date, now: datetime, size: int | None = None) -> list[Item]:
    """The list of this date at this moment, most upvotes first, as the API would answer it."""
    items = [paper.item_at(now) for paper in papers_of(list_date, size) if paper.arrives_at <= now]
    return sorted(items, key=lambda item: -int(item["paper"]["upvotes"]))


def _paper(list_date: date, position: int) -> SamplePaper:
    rng = Random(list_date.toordinal() * LARGEST_DAY + position)  # noqa: S311 - a sample, no secret
    chance = rng.random
    published = list_date - timedelta(days=int(1 + 4 * chance() ** 2 + 9 * chance() ** 12))
    midnight = datetime.combine(published, time(), UTC)
    kind = ("method", "method", "method", "benchmark", "study")[int(chance() * 5)]
    authors, people = _authors(rng, midnight)
    is_author_participating = bool(people) and chance() < 0.5
    submitter = people[0] if is_author_participating else _person(rng, _name(rng))
    has_organization = chance() < 0.63
    number = int(chance() * len(_WORDS["organizations"]))
    account, fullname = _WORDS["organizations"][number]
    facts: Item = {
        "id": _arxiv_id(list_date, published, position),
        "authors": authors,
        "publishedAt": _stamp(midnight),
        "submittedOnDailyAt": f"{list_date}T00:00:00.000Z",
        "discussionId": _object_id(rng),
        "_outer_published_at": _stamp(midnight + (_new_york_offset(published))),
        "_is_author_participating": is_author_participating,
        "_submitter": {
            **{key: submitter[key] for key in ("_id", "avatarUrl", "fullname")},
            "name": submitter["user"],
            "type": "user",
            "isPro": submitter["isPro"],
            "isHf": chance() < 0.05,
            "isHfAdmin": False,
            "isMod": False,
            **({"followerCount": int(2000 * chance() ** 6)} if chance() < 0.75 else {}),
            "isUserFollowing": False,
        },
        **_text(rng, kind, account),
    }
    if has_organization:
        logo = {"avatar": f"{_AVATARS}/{_object_id(rng)}/logo.png"} if chance() < 0.97 else {}
        facts["organization"] = {
            "_id": f"{0x5A3E0DA9 + number:08x}{number:016x}",
            "name": account,
            "fullname": fullname,
            **logo,
        }
    if chance() < 0.19:
        ending = _pick(rng, ("png", "png", "mp4", "gif"))
        facts["mediaUrls"] = [
            f"{_CDN}/{submitter['_id']}/figure-{n}.{ending}"
            for n in range(1 + int(3 * chance() ** 3))
        ]
    if chance() > 0.46:
        del facts["projectPage"]
    if chance() < 0.002:
        facts["withdrawnAt"] = _stamp(midnight + timedelta(days=1))
    first_votes = 1 + int(4 * chance()) if chance() < 0.9 else 0
    fame = chance()
    return SamplePaper(
        arrives_at=opens_at(list_date) + timedelta(hours=_ARRIVAL_HOURS * chance() ** 2.2),
        first_votes=first_votes,
        last_votes=first_votes + int(400 * fame**5 + 45 * fame),
        last_comments=(2 if chance() < 0.94 else 0) + int(9 * fame**6),
        last_stars=int(6000 * (fame * chance()) ** 4),
        repo_after_hours=_later(rng, 0.68, 48),
        summary_after_hours=_later(rng, 0.94, 72),
        facts=facts,
    )


def _text(rng: Random, kind: str, account: str) -> Item:
    """Title, abstract, AI summary, keywords and links of one paper, about one thing."""
    chance = rng.random
    topic = _pick(rng, _WORDS["topics"])
    (technique, how), (other, _) = rng.sample(_WORDS["techniques"], 2)
    name = _pick(rng, _WORDS["name_starts"]) + _pick(rng, _WORDS["name_ends"][kind])
    label = topic["thing"] if kind == "study" else name.lower()
    slug = re.sub(r"[^a-z0-9]+", "-", label).strip("-")
    repo = f"https://github.com/sample-{account}/{slug}"
    page = f"https://{slug}.example.org/"
    low = 18 + 45 * chance()
    gain = 1 + 14 * chance() ** 2
    slots = {
        "name": name,
        "thing": topic["thing"],
        "Thing": _titled(topic["thing"]),
        "models": topic["models"],
        "Models": _titled(topic["models"]),
        "technique": technique,
        "Technique": _titled(technique),
        "other": other,
        "Other": _titled(other),
        "how": how,
        "bench": topic["benchmarks"][0],
        "bench2": topic["benchmarks"][1],
        "metric": topic["metric"],
        "low": f"{low:.1f}",
        "high": f"{low + gain:.1f}" if kind == "method" else f"{80 + gain:.1f}",
        "gain": f"{gain:.1f}",
        "small": f"{1 + 5 * chance():.1f}",
        "raters": f"{60 + 30 * chance():.1f}",
        "saving": str(int(12 + 50 * chance())),
        "count": f"{int(120 + 4000 * chance()):,}",
        "systems": str(int(9 + 30 * chance())),
        "gpus": str(2 ** int(2 + 5 * chance())),
        "size": str(int(1 + 8 * chance())),
        "big": str(int(12 + 60 * chance())),
        "repo": repo,
        "page": page,
    }
    titles = _WORDS["odd_titles"] if chance() < 0.04 else _WORDS["titles"][kind]
    sentences = [
        topic["problem"],
        _pick(rng, _WORDS["gaps"]),
        _pick(rng, _WORDS["presents"][kind]) % slots,
        *(text % slots for text in rng.sample(_WORDS["details"][kind], 3)),
        *(text % slots for text in rng.sample(_WORDS["results"][kind], 3)),
        _pick(rng, _WORDS["closings"]) % slots,
    ]
    paragraphs = (sentences[:2], sentences[2:6], sentences[6:])
    between = "\n" if chance() < 0.04 else " "
    keywords = [*topic["keywords"], technique, *rng.sample(_WORDS["general_keywords"], 3)]
    return {
        "title": _pick(rng, titles) % slots,
        "summary": between.join(" ".join(paragraph) for paragraph in paragraphs),
        "githubRepo": repo + _pick(rng, ("", "/", "/tree/main", ".git")) * (chance() < 0.04),
        "projectPage": page if chance() < 0.99 else f" http://{slug}.example.org",
        "ai_summary": _pick(rng, _WORDS["summaries"][kind]) % slots,
        "ai_keywords": keywords if chance() > 0.01 else [""],
    }


def _authors(rng: Random, published: datetime) -> tuple[list[Item], list[Item]]:
    """The authors of a paper, and those of them who have an account."""
    chance = rng.random
    u = chance()
    count = 2 + int(8 * u + 9 * u**5) if u > 0.03 else 1
    if chance() < 0.002:
        count = 200 + int(200 * chance())
    base = rng.getrandbits(64)
    claims = 0.3 if chance() < 0.7 else 0.0
    claimed_at = _stamp(published + timedelta(hours=20 * chance()))
    authors: list[Item] = []
    people = []
    for number in range(count):
        name = _name(rng)
        author: Item = {"_id": f"{base:016x}{number:08x}"}
        is_claimed = chance() < claims
        if is_claimed:
            people.append(_person(rng, name))
            author["user"] = people[-1]
        author["name"] = name
        if is_claimed or chance() < 0.0005:  # a status without a user has been seen
            author["status"] = _pick(rng, _STATUSES)
            author["statusLastChangedAt"] = claimed_at
        author["hidden"] = chance() < 0.002
        authors.append(author)
    return authors, people


def _person(rng: Random, name: str) -> Item:
    account = re.sub(r"[^A-Za-z]+", "", name)[:20] + f"{int(90 * rng.random()) + 10}"
    person_id = _object_id(rng)
    drawn, uploaded = f"/avatars/{rng.getrandbits(128):032x}.svg", f"{_AVATARS}/{person_id}/me.jpeg"
    return {
        "_id": person_id,
        "avatarUrl": drawn if rng.random() < 0.66 else uploaded,
        "isPro": rng.random() < 0.1,
        "fullname": name,
        "user": account,
        "type": "user",
        "name": account,
    }


def _name(rng: Random) -> str:
    odd: Sequence[str] = _WORDS["odd_names"]
    first, last = _pick(rng, _WORDS["first_names"]), _pick(rng, _WORDS["last_names"])
    return f"{first} {last}" if rng.random() > 0.001 else _pick(rng, odd)


def _arxiv_id(list_date: date, published: date, position: int) -> str:
    """An id that no other paper of any date has, nor any real one of these years.

    arXiv numbers a month from 1 and does not reach 50000, so a link of a sample leads nowhere
    rather than to a stranger's paper.
    """
    shuffled = (position * 379 + list_date.toordinal() * 89) % LARGEST_DAY
    return f"{published:%y%m}.{50_000 + shuffled * _DAYS_A_MONTH + _place_in_month(list_date)}"


def may_list(list_date: date, paper_id: str) -> bool:
    """Whether the list of this date may have the paper: by its id, which names its place."""
    number = paper_id.partition(".")[2]
    return number.isdecimal() and int(number) % _DAYS_A_MONTH == (
        (50_000 + _place_in_month(list_date)) % _DAYS_A_MONTH
    )


def _place_in_month(list_date: date) -> int:
    return list_date.toordinal() % _DAYS_A_MONTH


def _later(rng: Random, share: float, hours: float) -> float:
    """When something is filled in, in hours after arrival: half at once, some never (infinity)."""
    if rng.random() > share:
        return math.inf
    return max(0.0, hours * (2 * rng.random() - 1))


@cache
def _new_york_offset(day: date) -> timedelta:
    return FEED_ZONE.utcoffset(datetime.combine(day, time(12))) or timedelta()


@cache
def _titled(phrase: str) -> str:
    """The phrase as a title writes it: each word but "of" begins with a capital."""
    return re.sub(r"(^|[ -])(?!of\b)([a-z])", lambda found: found[1] + found[2].upper(), phrase)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _object_id(rng: Random) -> str:
    return f"{rng.getrandbits(96):024x}"


def _pick(rng: Random, of: Sequence[_T]) -> _T:
    return of[int(rng.random() * len(of))]
