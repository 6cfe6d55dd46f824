"""`papers search`: the published papers about something, as a list to read or as JSON."""

from datetime import date
from typing import Annotated, Literal

from cyclopts import Parameter, validators

from flows.commands.brought import published_path
from flows.commands.console import console
from flows.outcome import EXIT_OK
from flows.settings import load_settings


def search(
    *words: str,
    since: date | None = None,
    until: date | None = None,
    organization: str | None = None,
    keyword: str | None = None,
    has_code: bool | None = None,
    upvotes_min: int | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1000))] = 10,
    format: Literal["table", "json"] = "table",
) -> int:
    """The papers about something, the best first: words, "a phrase", atten*, names, arXiv ids.

    Args:
        words: what to look for in titles, abstracts, AI summaries, keywords and authors.
        since: only papers on a list of this date or later, YYYY-MM-DD.
        until: only papers on a list of this date or earlier, YYYY-MM-DD.
        organization: only papers submitted for an organization with this in its name.
        keyword: only papers with this AI keyword, as its page has it.
        has_code: only papers with a code repository, or only those without.
        upvotes_min: only papers with as many votes.
        limit: how many, 1 to 1,000.
        format: a list to read, or JSON for a script.
    """
    from flows.publication.published import opened
    from flows.search.find import Question, corrections, find
    from flows.search.meaning import quick_sentence_model
    from flows.search.show import show_json, show_list

    question = Question(
        " ".join(words), since, until, organization, keyword, has_code, upvotes_min, most=limit
    )
    settings = load_settings()
    with opened(published_path(settings)) as published:
        hits = find(published, question, quick_sentence_model(settings))
        meant = () if format == "json" else corrections(published, question)
    if format == "json":
        show_json(hits, console)
    else:
        show_list(hits, meant, console)
    return EXIT_OK
