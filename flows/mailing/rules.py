"""What a reader chose, and what a digest becomes by it: pure, no I/O.

A paper is chosen when it has **any** of the reader's topics, authors or organizations (all papers
where the reader named none), **none** of the excluded topics, and **all** of the limits: upvotes,
code. Topics are written as search is: `flows.topics`.
The first `papers_max` of them are sent, in the digest's order and with the digest's ranks. News of
earlier papers is chosen alike and takes what `papers_max` leaves; alone it is no reason to write.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from flows.errors import UsageError
from flows.mailing.tables import EDITIONS
from flows.newsletter.digest import Digest, DigestPaper
from flows.topics import Topic, TopicError, exactly, fold, parse_topic

PHRASES_MAX = 50
PHRASE_LENGTH_MAX = 100
UPVOTES_MAX = 1_000_000
PAPERS_MAX = 500


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

    def fields(self) -> dict[str, str]:
        """The rule as text fields, for a form or a CSV line; `parse_rule` reads them back."""
        return {
            "editions": "; ".join(self.editions),
            "include": "; ".join(self.include),
            "exclude": "; ".join(self.exclude),
            "authors": "; ".join(self.authors),
            "organizations": "; ".join(self.organizations),
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
    return Rule(
        editions=_editions(fields.get("editions", "")),
        include=_topics("words to include", fields.get("include", "")),
        exclude=_topics("words to exclude", fields.get("exclude", "")),
        authors=_phrases("authors", fields.get("authors", "")),
        organizations=_phrases("organizations", fields.get("organizations", "")),
        upvotes_min=_number("minimum upvotes", fields.get("upvotes_min", ""), UPVOTES_MAX) or 0,
        has_code=_yes("has code", fields.get("has_code", "")),
        papers_max=_number("how many papers", fields.get("papers_max", ""), PAPERS_MAX) or None,
    )


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


def choose(digest: Digest, rule: Rule) -> Digest:
    """The digest with only the papers that the rule chooses, each at its old rank; maybe none.

    A digest without papers is no mail, whatever its sections hold: news of old papers goes with an
    issue, and a reader whose rule is narrow would else be mailed on days that have nothing new.
    """
    papers = _chosen(digest.papers, rule, rule.papers_max)
    sections, seen = [], len(papers)
    for section in digest.sections:
        left = None if rule.papers_max is None else rule.papers_max - seen
        if news := _chosen(section.papers, rule, left):
            sections.append(replace(section, papers=news))
            seen += len(news)
    return replace(digest, papers=papers, sections=tuple(sections))


def _chosen(papers: Sequence[DigestPaper], rule: Rule, most: int | None) -> tuple[DigestPaper, ...]:
    return tuple([paper for paper in papers if _is_chosen(paper, rule)][:most])


def _is_chosen(paper: DigestPaper, rule: Rule) -> bool:
    if paper.upvotes_count < rule.upvotes_min or (rule.has_code and not paper.github_url):
        return False
    text = _text(paper)
    if any(_topic(phrase).covers(text) for phrase in rule.exclude):
        return False
    if not (rule.include or rule.authors or rule.organizations):
        return True
    return (
        any(_topic(phrase).covers(text) for phrase in rule.include)
        or any(_name(phrase).covers(_authors(paper)) for phrase in rule.authors)
        or any(_name(phrase).covers(_organizations(paper)) for phrase in rule.organizations)
    )


def _text(paper: DigestPaper) -> str:
    parts = (paper.title, paper.abstract, paper.ai_summary or "", *paper.ai_keywords)
    return fold(_BETWEEN.join(parts))


def _authors(paper: DigestPaper) -> str:
    return fold(_BETWEEN.join(paper.author_names))


def _organizations(paper: DigestPaper) -> str:
    return fold(_BETWEEN.join((paper.organization_name or "", *paper.organization_names)))


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


@dataclass(frozen=True)
class Rehearsal:
    """What a rule would have sent: days looked at, days with nothing, papers, the last list."""

    days_count: int
    silent_days_count: int
    papers_count: int
    latest: Digest | None

    @property
    def sentence(self) -> str:
        """The outcome in words: “3.1 papers a day; nothing on 4 of 22 days”."""
        if not self.days_count:
            return "There is no past issue to rehearse on yet."
        days = "1 day" if self.days_count == 1 else f"{self.days_count} days"
        mean = f"{self.papers_count / self.days_count:.1f}".removesuffix(".0")
        papers = "1 paper" if mean == "1" else f"{mean} papers"
        if not self.silent_days_count:
            return f"{papers} a day; something on each of {days}"
        return f"{papers} a day; nothing on {self.silent_days_count} of {days}"


def rehearse(rule: Rule, digests: Sequence[Digest]) -> Rehearsal:
    """What the rule would have sent of past digests; `latest` is the newest one's list."""
    chosen = [choose(digest, rule) for digest in sorted(digests, key=lambda d: d.issue_date)]
    return Rehearsal(
        days_count=len(chosen),
        silent_days_count=sum(not digest.papers for digest in chosen),
        papers_count=sum(len(digest.papers) for digest in chosen),
        latest=chosen[-1] if chosen else None,
    )
