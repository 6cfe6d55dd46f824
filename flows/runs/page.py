"""What the page of a day's run shows in Prefect's UI: tags, and artifacts that say why."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

from prefect import get_client
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.runtime import flow_run

from flows.issues.frozen import frozen_digest
from flows.newsletter.text import cut, one_line
from flows.operations.status import DayStatus, overview
from flows.outcome import Outcome
from flows.runs.names import artifact_key, run_name
from flows.settings import Settings
from flows.wording import long_date, verdict_words

_MARKUP = re.compile(r"([\\`*_\[\]<>|~])")
_NAME_LENGTH = 150  # two lines of the run's page
# What the operator can do, where it is not what the sentence says already.
_NEXT = {
    "not_open": "Nothing yet: the schedule asks again. By hand: `papers run {day}`, later.",
    "partial": "Nothing yet: the schedule asks again. By hand, when the day is closed: "
    "`papers run {day}`.",
    "failed": "Read the sentence above and the checks; then `papers run {day}`.",
}
_STATES = {
    "sent": "the other side took it",
    "deferred": "refused for now; it goes again by itself",
    "failed": "refused for good",
    "unknown": "the connection broke after the message had left; it is not sent again by itself",
    "skipped": "paused, or nothing matched their choice",
    "claimed": "being sent",
}


def show_day(list_date: date, outcome: Outcome, settings: Settings) -> None:
    """Name and tags that say how it ended; the verdict with its evidence, the mail, the digest."""
    days = overview(settings, list_date).days
    day = days[0] if days else DayStatus(list_date, outcome.verdict, outcome.sentence)
    _rename(day, outcome)
    create_markdown_artifact(
        key=artifact_key("verdict"),
        markdown="\n".join(_verdict(day, outcome, settings)),
        description=outcome.sentence,
    )
    if outcome.issue:
        create_markdown_artifact(
            key=artifact_key("digest"),
            markdown="\n".join(_digest(outcome.issue, settings)),
            description=_issue_links(outcome.issue, settings),
        )
    if day.mail:
        rows = [
            {"state": state, "readers": count, "meaning": _STATES.get(state, "")}
            for state, count in day.mail.items()
        ]
        create_table_artifact(key=artifact_key("mail"), table=rows, description=day.mailed)


def _verdict(day: DayStatus, outcome: Outcome, settings: Settings) -> Iterator[str]:
    newest = day.readings[0] if day.readings else None
    yield f"# {long_date(day.list_date)}: {_in_short(day, outcome)}\n"
    yield f"**{_plain(outcome.sentence)}**\n"
    yield from (f"* {_plain(detail)}" for detail in outcome.details)
    if outcome.verdict in _NEXT:
        yield f"\n**What to do:** {_NEXT[outcome.verdict].format(day=day.list_date)}"
    elif outcome.is_blocked:
        yield "\n**What to do:** `papers doctor` names what is wrong; "
        yield f"then `papers issue resume {day.list_date}`."
    yield "\n| what | how it is |\n| --- | --- |"
    yield f"| papers let through | {day.paper_count:,} |"
    if newest:
        looks = {True: "agreed", False: "differed", None: "none"}
        yield f"| pages read | {_number(newest.page_count)} |"
        yield f"| items on them | {_number(newest.item_count)} |"
        yield f"| second look at the first page | {looks[newest.second_look]} |"
    yield f"| checks | {day.checks} |"
    yield f"| mail | {day.mailed} |"
    if outcome.quality_page:
        yield f"| quality page | `{outcome.quality_page}` |"
    if outcome.issue:
        yield f"| issue | {_issue_links(outcome.issue, settings)} |"
    if len(day.readings) > 1:
        yield "\n## Earlier readings\n\n| read at (UTC) | verdict | items | why |"
        yield "| --- | --- | ---: | --- |"
        for reading in day.readings[1:]:
            yield (
                f"| {reading.read_at:%Y-%m-%d %H:%M} | {verdict_words(reading.verdict)} "
                f"| {_number(reading.item_count)} | {_plain(reading.reason)} |"
            )


def _in_short(day: DayStatus, outcome: Outcome) -> str:
    """The day at a glance: `complete, mailed to 412`, `partial, no mail`."""
    return f"{outcome.verdict.replace('_', ' ')}, {_mail_in_short(day, outcome)}"


def _mail_in_short(day: DayStatus, outcome: Outcome) -> str:
    if outcome.is_blocked:
        return "mail held"
    sent = (day.mail or {}).get("sent", 0)
    return f"mailed to {sent:,}" if sent else "no mail"


def _rename(day: DayStatus, outcome: Outcome) -> None:
    """Put the mail, the reason and the verdict where the list of runs shows them."""
    mail = _mail_in_short(day, outcome)
    tags = {str(day.list_date), outcome.verdict.replace("_", " "), mail}
    why = "" if mail.startswith("mailed") else f". {outcome.mail or outcome.sentence}"
    run_id = flow_run.get_id()
    if run_id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(
                UUID(run_id),
                name=cut(f"{run_name()}: {mail}{why}", _NAME_LENGTH),
                tags={*flow_run.get_tags(), *tags},
            )


def _digest(folder: Path, settings: Settings) -> Iterator[str]:
    """The digest as it was frozen, as Markdown; what strangers wrote stays text."""
    digest = frozen_digest(folder)
    yield f"# {long_date(digest.issue_date)}\n\n| | votes | paper |\n| ---: | ---: | --- |"
    for paper in digest.papers:
        url = f"{settings.hub_url}/papers/{paper.paper_id}"
        yield f"| {paper.rank} | {paper.upvotes_count:,} | [{_plain(paper.title)}]({url}) |"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", one_line(text, 500))


def _issue_links(folder: Path, settings: Settings) -> str:
    return f"[The issue]({settings.public_url}/issues/{folder.name}/) · `{folder}`"


def _number(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"
