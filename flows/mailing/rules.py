"""What a reader chose, and what a digest becomes by it: pure, no I/O.

A paper is chosen when it has **any** of the reader's topics, authors or organizations (all papers
where the reader named none) or is like a paper they named, **none** of the excluded topics, and
**all** of the limits: upvotes, code. A paper nearest to one they want less of is left out. Topics
are written as search is: `flows.topics`; what is alike is told by a `Likeness`.
The first `papers_max` of them are sent with the digest's ranks: first those that are like a named
paper, the nearest first, then the others in the digest's order. News of
earlier papers is chosen alike and comes on top; alone it is no reason to write.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from flows.errors import UsageError
from flows.mailing.tables import EDITIONS
from flows.newsletter.digest import PAPER_ID, Choice, Digest, DigestPaper
from flows.newsletter.likeness import Alike, Likeness
from flows.topics import Topic, TopicError, exactly, fold, parse_topic
from flows.wording import counted

PHRASES_MAX, PHRASES_SHOWN = 50, 5
PHRASE_LENGTH_MAX = 100
UPVOTES_MAX = 1_000_000
PAPERS_MAX = 500
NAMED_MAX = 20


class RuleError(UsageError):
    """A choice that cannot be kept; the message names the field and the way out."""


@dataclass(frozen=True)
class Rule:
    """A reader's choice. Build it with `parse_rule`; `Rule()` lets everything through."""

    editions: tuple[str, ...] = EDITIONS[:1]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    upvotes_min: int = 0
    has_code: bool = False
    papers_max: int | None = None

    @property
    def key(self) -> str:
        """The same for rules that choose alike of one digest, whatever their spelling and order."""
        alike = {
            name: sorted({fold(phrase) for phrase in value}) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name != "editions"
        }
        return hashlib.sha256(json.dumps(alike, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """What the rule lets through, after a count: “by your topics: agent; from 5 votes”."""
        named = {
            "topics": self.include, "authors": self.authors, "organizations": self.organizations
        }  # fmt: skip
        lists = [f"{name}: {_first(phrases)}" for name, phrases in named.items() if phrases]
        like = [f"likeness to {_first(self.like)}"] if self.like else []
        limits = [
            f"without: {_first(self.exclude)}" if self.exclude else "",
            f"less like: {_first(self.unlike)}" if self.unlike else "",
            f"from {counted(self.upvotes_min, 'vote')}" if self.upvotes_min else "",
            "with code" if self.has_code else "",
            f"at most {self.papers_max}" if self.papers_max else "",
        ]
        parts = [*lists, *like, *filter(None, limits)]
        begin = "by your " if lists else "by " if like else "by your choice: "
        return begin + "; ".join(parts) if parts else ""

    @property
    def query(self) -> str:
        """The rule as the end of an address, without what it does not ask for."""
        asked = {name: value for name, value in self.fields().items() if value}
        return urlencode({name: asked[name] for name in asked if name != "editions"})

    def fields(self, between: str = "; ") -> dict[str, str]:
        """The rule as text fields, for a form or a CSV line; `parse_rule` reads them back.

        `between` stands between the phrases of a field: a semicolon, or a comma.
        """
        return {
            "editions": between.join(self.editions),
            "include": between.join(self.include),
            "exclude": between.join(self.exclude),
            "authors": between.join(self.authors),
            "organizations": between.join(self.organizations),
            "like": between.join(self.like),
            "unlike": between.join(self.unlike),
            "upvotes_min": str(self.upvotes_min or ""),
            "has_code": "yes" if self.has_code else "",
            "papers_max": str(self.papers_max or ""),
        }

    def to_json(self) -> str:
        """The rule as the database keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Rule":
        """The rule that `to_json` wrote."""
        kept: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(text).items()
        }
        return cls(**kept)


RULE_FIELDS = tuple(Rule().fields())
# What stands between commas, semicolons and new lines; a quoted phrase may hold them.
_PIECE = re.compile(r'(?:"[^"\r\n]*"|[^,;\r\n])+')


def parse_rule(fields: Mapping[str, str]) -> Rule:
    """The rule in text fields as a form or a CSV line gives them; a missing field asks nothing.

    Phrases are separated by comma, semicolon or new line. Raises RuleError.
    """
    rule = Rule(
        editions=_editions(fields.get("editions", "")),
        include=_topics("words to include", fields.get("include", "")),
        exclude=_topics("words to exclude", fields.get("exclude", "")),
        authors=_phrases("authors", fields.get("authors", "")),
        organizations=_phrases("organizations", fields.get("organizations", "")),
        like=_papers("papers to like", fields.get("like", "")),
        unlike=_papers("papers to see less like", fields.get("unlike", "")),
        upvotes_min=_number("minimum upvotes", fields.get("upvotes_min", ""), UPVOTES_MAX) or 0,
        has_code=_yes("has code", fields.get("has_code", "")),
        papers_max=_number("how many papers", fields.get("papers_max", ""), PAPERS_MAX) or None,
    )
    if both := [paper_id for paper_id in rule.like if paper_id in rule.unlike]:
        raise RuleError(f"{both[0]} cannot be a paper to like and one to see less like; keep one.")
    return rule


def liking(rule: Rule, paper_id: str) -> Rule:
    """The rule of a reader who wants more like this paper too; the newest twenty are kept."""
    return replace(rule, like=_newest(rule.like, paper_id), unlike=_without(rule.unlike, paper_id))


def unliking(rule: Rule, paper_id: str) -> Rule:
    """The rule of a reader who wants less like this paper; the newest twenty are kept."""
    return replace(rule, like=_without(rule.like, paper_id), unlike=_newest(rule.unlike, paper_id))


def _newest(named: Sequence[str], paper_id: str) -> tuple[str, ...]:
    return (*_without(named, paper_id), paper_id)[-NAMED_MAX:]


def _without(named: Sequence[str], paper_id: str) -> tuple[str, ...]:
    return tuple(each for each in named if each != paper_id)


def _editions(text: str) -> tuple[str, ...]:
    asked = {name.strip().lower() for name in re.split(r"[,;\s]", text)} - {""}
    if strange := asked - set(EDITIONS):
        shown = "".join(c for c in min(strange) if c.isprintable())[:20]
        raise RuleError(f"There is no edition “{shown}”; there are {', '.join(EDITIONS)}.")
    return tuple(name for name in EDITIONS if name in asked) or EDITIONS[:1]


def _phrases(label: str, text: str) -> tuple[str, ...]:
    if len(text) > PHRASES_MAX * (PHRASE_LENGTH_MAX + 4):
        raise RuleError(
            f"The {label} are too long: {PHRASES_MAX} of {PHRASE_LENGTH_MAX} characters."
        )
    found: dict[str, str] = {}
    for piece in _PIECE.findall(text):
        phrase = " ".join(unicodedata.normalize("NFC", piece).split())
        if any(unicodedata.category(c) in {"Cc", "Cs", "Cn", "Co"} for c in phrase):
            raise RuleError(f"The {label} hold a character that is not text.")
        if len(phrase) > PHRASE_LENGTH_MAX:
            raise RuleError(f"One of the {label} is longer than {PHRASE_LENGTH_MAX} characters.")
        if phrase and not any(c.isalnum() for c in phrase):
            raise RuleError(f"One of the {label} has no letter or digit.")
        if phrase:
            found.setdefault(fold(phrase), phrase)
    if len(found) > PHRASES_MAX:
        raise RuleError(f"There are {len(found)} {label}; {PHRASES_MAX} is the most.")
    return tuple(found.values())


def _topics(label: str, text: str) -> tuple[str, ...]:
    phrases = _phrases(label, text)
    for phrase in phrases:
        try:
            parse_topic(phrase)
        except TopicError as error:
            raise RuleError(f"In the {label}: {error}") from None
    return phrases


def _papers(label: str, text: str) -> tuple[str, ...]:
    """ArXiv ids, alone or at the end of an address, each once and without its version."""
    found: dict[str, None] = {}
    for piece in filter(None, re.split(r"[,;\s]+", text[:_NAMED_LENGTH_MAX])):
        match = _WRITTEN_ID.fullmatch(piece)
        if match is None:
            shown = "".join(c for c in piece if c.isprintable())[:40]
            raise RuleError(
                f"In the {label}, “{shown}” is not an arXiv id; one looks like 2608.12313."
            )
        found[match["id"]] = None
    if len(found) > NAMED_MAX or len(text) > _NAMED_LENGTH_MAX:
        raise RuleError(f"There are too many {label}; {NAMED_MAX} is the most.")
    return tuple(found)


# As arXiv and the Hub write it: bare, or the end of an address, with a version or not.
_WRITTEN_ID = re.compile(
    r"(?:arxiv:|(?:https?://)?[\w.-]+/(?:abs|pdf|html|papers)/)?"
    rf"(?P<id>{PAPER_ID})(?:v[0-9]+)?(?:\.pdf)?",
    re.IGNORECASE | re.ASCII,
)
_NAMED_LENGTH_MAX = NAMED_MAX * 100


def _number(label: str, text: str, most: int) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", digits) or int(digits) > most:
        raise RuleError(f"The field “{label}” takes a whole number from 0 to {most:,}.")
    return int(digits)


def _yes(label: str, text: str) -> bool:
    answers = {"": False, "no": False, "false": False, "0": False, "off": False}
    answers |= {"yes": True, "true": True, "1": True, "on": True}
    if (answer := answers.get(text.strip().lower())) is None:
        raise RuleError(f"The field “{label}” takes yes or no.")
    return answer


def choose(digest: Digest, rule: Rule, likeness: Likeness) -> Digest:
    """The digest with only the papers that the rule chooses, each with its old rank; maybe none.

    A digest without papers is no mail, whatever its sections hold: news of old papers goes with an
    issue, and a reader whose rule is narrow would else be mailed on days that have nothing new.
    """
    if not (words := rule.words):
        return digest
    alike = _alike(digest, rule, likeness)
    papers = _chosen(digest.papers, rule, alike, rule.papers_max)
    news = [
        replace(each, papers=_chosen(each.papers, rule, alike, None)) for each in digest.sections
    ]
    sections = tuple(section for section in news if section.papers)
    choice = Choice(len(digest.papers), words, rule.query)
    return replace(digest, papers=papers, sections=sections, choice=choice)


def _alike(digest: Digest, rule: Rule, likeness: Likeness) -> Mapping[str, Alike]:
    if not (rule.like or rule.unlike):
        return {}
    sections = (section.papers for section in digest.sections)
    ids = [paper.paper_id for papers in (digest.papers, *sections) for paper in papers]
    return likeness.alike(ids, rule.like, rule.unlike)


def _chosen(
    papers: Sequence[DigestPaper], rule: Rule, alike: Mapping[str, Alike], most: int | None
) -> tuple[DigestPaper, ...]:
    def nearness(paper: DigestPaper) -> float:
        found = alike.get(paper.paper_id)
        return found.nearness if found else 0

    ordered = sorted(papers, key=nearness, reverse=True)  # equal ones stay in the digest's order
    reasons = ((paper, _reason(paper, rule, alike.get(paper.paper_id))) for paper in ordered)
    chosen = (replace(paper, chosen_by=why or None) for paper, why in reasons if why is not None)
    return tuple(islice(chosen, most))


def _reason(paper: DigestPaper, rule: Rule, alike: Alike | None) -> str | None:
    """What of the rule a paper fits, "" where the rule names nothing to fit; None if left out."""
    if alike and alike.reason is None:
        return None
    if paper.upvotes_count < rule.upvotes_min or (rule.has_code and not paper.github_url):
        return None
    text = _text(paper)
    if any(_topic(phrase).covers(text) for phrase in rule.exclude):
        return None
    if not (rule.include or rule.authors or rule.organizations or rule.like):
        return ""
    organizations = organizations_of(paper)
    fits = {
        "topic": [phrase for phrase in rule.include if _topic(phrase).covers(text)],
        "author": [
            phrase
            for phrase in rule.authors
            if any(is_named(phrase, n) for n in paper.author_names)
        ],
        "organization": [
            phrase
            for phrase in rule.organizations
            if any(is_named(phrase, n) for n in organizations)
        ],
    }
    named = [
        f"your {noun if len(found) == 1 else noun + 's'}: {_first(found)}"
        for noun, found in fits.items()
        if found
    ]
    like = [alike.reason] if alike and alike.reason else []
    return " · ".join([*like, *named]) or None


def _first(phrases: Sequence[str]) -> str:
    """The phrases, or the first of many: “agent, robot and 3 more”."""
    shown = ", ".join(phrases[:PHRASES_SHOWN])
    more = len(phrases) - PHRASES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _text(paper: DigestPaper) -> str:
    parts = (paper.title, paper.abstract, paper.ai_summary or "", *paper.ai_keywords)
    return fold(_BETWEEN.join(parts))


def organizations_of(paper: DigestPaper) -> set[str]:
    """All names of the paper's organization that are known."""
    return {name for name in (paper.organization_name, *paper.organization_names) if name}


def is_named(phrase: str, name: str) -> bool:
    """Whether a reader who wrote this phrase means this author or organization."""
    return _name(phrase).covers(fold(name))


@lru_cache(maxsize=4096)
def _topic(phrase: str) -> Topic:
    """The topic; one that was kept before there was a grammar is taken as it is written."""
    try:
        return parse_topic(phrase)
    except TopicError:
        return exactly(phrase)


@lru_cache(maxsize=4096)
def _name(phrase: str) -> Topic:
    return exactly(phrase.replace('"', " "))


_BETWEEN = " | "  # so that no phrase is found across two fields
