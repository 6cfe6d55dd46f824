"""What a rule would have sent of past digests: asked before anyone waits for a mail.

rule + digests ──▶ Rehearsal
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from flows.mailing.rules import Rule, choose, is_named, organizations_of
from flows.newsletter.digest import UNITS, Digest, Edition
from flows.newsletter.likeness import Likeness
from flows.topics import fold
from flows.wording import counted


@dataclass(frozen=True)
class Rehearsal:
    """What a rule would have sent: issues looked at, those with nothing, papers, the last list.

    `edition` is the most frequent that the rule takes, and all of these are of it. `unmet`: a
    sentence for each author and organization that no paper of these days has, and for each named
    paper that nothing is kept of.
    """

    issues_count: int
    silent_count: int
    papers_count: int
    latest: Digest | None
    unmet: tuple[str, ...] = ()
    edition: Edition = "daily"

    @property
    def sentence(self) -> str:
        """The outcome in words: “3.1 papers a day; nothing on 4 of 22 days”."""
        if not self.issues_count:
            return "There is no past issue to rehearse on yet"
        unit = UNITS[self.edition]
        on = "on" if unit == "day" else "in"
        issues = counted(self.issues_count, unit)
        mean = f"{self.papers_count / self.issues_count:.1f}".removesuffix(".0")
        papers = "1 paper" if mean == "1" else f"{mean} papers"
        if not self.silent_count:
            return f"{papers} a {unit}; something {on} each of {issues}"
        return f"{papers} a {unit}; nothing {on} {self.silent_count} of {issues}"


def edition_of(rule: Rule) -> Edition:
    """The most frequent edition that the rule takes: the one to rehearse it on."""
    return next(edition for edition in UNITS if edition in rule.editions)


def rehearse(rule: Rule, digests: Sequence[Digest], likeness: Likeness) -> Rehearsal:
    """What the rule would have sent of past digests, which are of `edition_of` the rule.

    `latest` is the newest one's list.
    """
    ordered = sorted(digests, key=lambda digest: digest.issue_date)
    chosen = [choose(digest, rule, likeness) for digest in ordered]
    return Rehearsal(
        issues_count=len(chosen),
        silent_count=sum(not digest.papers for digest in chosen),
        papers_count=sum(len(digest.papers) for digest in chosen),
        latest=chosen[-1] if chosen else None,
        unmet=(*_unmet(rule, digests), *unknown_papers(rule, likeness)),
        edition=edition_of(rule),
    )


def organizations_seen(digests: Sequence[Digest]) -> tuple[str, ...]:
    """The organizations of these digests by their full names, the most frequent first."""
    papers = (paper for digest in digests for paper in digest.papers)
    counts = Counter(paper.organization_name for paper in papers if paper.organization_name)
    return tuple(name for name, _ in counts.most_common())


def unknown_papers(rule: Rule, likeness: Likeness) -> Iterator[str]:
    """Which papers can have nothing like them, for nothing is kept of them."""
    if named := [*rule.like, *rule.unlike]:
        for paper_id in likeness.unknown(named):
            yield f"The paper {paper_id} was on no list that was read: nothing is like it."


def _unmet(rule: Rule, digests: Sequence[Digest]) -> Iterator[str]:
    """Which names no paper has, with the names seen that are most like them."""
    papers = [paper for digest in digests for paper in digest.papers]
    seen = {
        "organization": (
            {name for p in papers for name in organizations_of(p)},
            rule.organizations,
        ),
        "author": ({name for paper in papers for name in paper.author_names}, rule.authors),
    }
    for noun, (names, phrases) in seen.items():
        folded = {fold(name): name for name in names}
        for phrase in phrases:
            if names and not any(is_named(phrase, name) for name in names):
                close = get_close_matches(fold(phrase), folded, n=3, cutoff=0.6)
                like = f" Seen: {', '.join(folded[name] for name in close)}." if close else ""
                yield f"No paper of these days has the {noun} “{phrase}”.{like}"
