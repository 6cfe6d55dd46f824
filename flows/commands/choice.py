"""What a reader gets, as options of a command: `--include agents --has-code`."""

from dataclasses import asdict, dataclass

from cyclopts import Parameter

from flows.mailing.rules import Rule, parse_rule


@Parameter(name="*")
@dataclass(frozen=True)
class Choice:
    """A choice in the words of the command line; None is not named.

    Attributes:
        editions: daily, weekly, monthly, by commas (of a new address: daily).
        include: words or phrases of which one must occur, by commas.
        exclude: words or phrases of which none may occur, by commas.
        authors: authors of whom one must have written it, by commas.
        organizations: organizations of which one must stand behind it, by commas.
        like: arXiv ids of papers that others shall be like, by commas.
        unlike: arXiv ids of papers that none shall be like, by commas.
        upvotes_min: the fewest upvotes.
        has_code: only papers with code.
        papers_max: the most papers a mail; 0 for all.
    """

    editions: str | None = None
    include: str | None = None
    exclude: str | None = None
    authors: str | None = None
    organizations: str | None = None
    like: str | None = None
    unlike: str | None = None
    upvotes_min: int | None = None
    has_code: bool | None = None
    papers_max: int | None = None

    def changed(self, rule: Rule) -> Rule:
        """The rule with what is named here in the place of what it had. Raises RuleError."""
        named = {name: _text(value) for name, value in asdict(self).items() if value is not None}
        return parse_rule(rule.fields() | named)


def _text(value: str | int) -> str:
    """As a form holds it: no is nothing, and so is 0."""
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value or "")
