"""The front page of the quality reports: the last sixty days at a glance, a row a day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from flows.insights.plots import HEIGHT, WIDTH
from flows.newsletter.render import templates
from flows.quality.day import paper_url
from flows.warehouse.day_facts import DayFacts
from flows.wording import VERDICTS, counted, long_date, verdict_counts, verdict_words

DAYS_SHOWN = 60
_LETTERS = dict(zip(VERDICTS, "CENPF", strict=True))
_FIELDS = {
    "ai_summary": "Without AI summary",
    "ai_keywords": "Without AI keywords",
    "organization_name": "Without organization",
    "github_url": "Without code",
    "submitted_by": "Without submitter",
}


@dataclass(frozen=True)
class DayLine:
    """A list date with all that its row says. `null_pct` is the share without a field, by field."""

    facts: DayFacts
    new_fields: tuple[str, ...] = ()
    null_pct: dict[str, float] = field(default_factory=dict)
    mail: tuple[str, ...] = ()
    page_url: str | None = None
    issue_url: str | None = None
    validation_urls: dict[str, str] = field(default_factory=dict)

    @property
    def letter(self) -> str:
        """The verdict in one letter: C, E, N, P or F."""
        return _LETTERS[self.facts.verdict]

    @property
    def words(self) -> str:
        """The day in words, for a screen reader: `Thursday 20 August 2026: complete, 43 papers`."""
        facts = self.facts
        parts = [verdict_words(facts.verdict).lower(), counted(facts.paper_count, "paper")]
        parts += [counted(facts.warning_count, "warning")] if facts.warning_count else []
        return f"{long_date(facts.list_date)}: {', '.join(parts)}"


@dataclass(frozen=True)
class QuarantinedLine:
    """An item that was quarantined, however often it was read."""

    list_date: date
    paper_id: str | None
    reason: str
    reading_count: int


@dataclass(frozen=True)
class Front:
    """What the front page shows; `days` are the newest first, `notice` what stands above all."""

    written_at: datetime
    days: tuple[DayLine, ...]
    quarantined: tuple[QuarantinedLine, ...] = ()
    quarantined_more_count: int = 0
    notice: str | None = None
    has_insights: bool = False

    @property
    def sentence(self) -> str:
        """The days in one line: `42 complete, 17 empty and 1 failed of the last 60 days.`."""
        counts = verdict_counts(day.facts.verdict for day in self.days)
        return f"{counts} of the last {counted(len(self.calendar), 'day')}."

    @property
    def newest(self) -> DayLine:
        """The newest day that is done, which the page leads with; a list still grows after it."""
        done = (day for day in self.days if day.facts.verdict not in {"partial", "not_open"})
        return next(done, self.days[0])

    @property
    def calendar(self) -> tuple[date, ...]:
        """Every date from the first to the newest day that is shown."""
        if not self.days:
            return ()
        first, last = self.days[-1].facts.list_date, self.days[0].facts.list_date
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


@dataclass(frozen=True)
class Plot:
    """A small line plot: an SVG path in a box of 600 by 100, and what it shows in words."""

    title: str
    path: str
    newest: str
    range: str
    words: str


def render_front(front: Front, hub_url: str = "https://huggingface.co") -> str:
    """The front page as one self-contained HTML page: no script, nothing fetched."""
    return (
        templates()
        .get_template("quality_front.html")
        .render(
            front=front,
            weeks=_weeks(front),
            volume=_volume(front),
            null_rates=_null_rates(front),
            letters={letter: verdict_words(name) for name, letter in _LETTERS.items()},
            verdict_words=verdict_words,
            paper_url=lambda text: paper_url(text, hub_url),
        )
    )


def data_docs_style() -> str:
    """The style sheet of the Data Docs, in the dress of our own pages."""
    return templates().get_template("data_docs.css").render()


def _weeks(front: Front) -> list[tuple[str, list[tuple[date, DayLine | None]]]]:
    """The squares a week a row, newest first, each row under the date of its Monday."""
    lines = {line.facts.list_date: line for line in front.days}
    weeks = [
        [(day, lines.get(day)) for day in days]
        for _, days in groupby(front.calendar, lambda day: day.isocalendar()[:2])
    ]
    return [(_monday(week[0][0]), _padded(week)) for week in reversed(weeks)]


def _monday(day: date) -> str:
    monday = day - timedelta(days=day.weekday())
    return f"{monday.day} {monday:%b}"


def _padded(week: list[tuple[date, DayLine | None]]) -> list[tuple[date, DayLine | None]]:
    """A whole week, Monday first; the days outside of what is shown have no line either."""
    known, first = dict(week), week[0][0] - timedelta(days=week[0][0].weekday())
    return [(day, known.get(day)) for day in (first + timedelta(days=n) for n in range(7))]


def _volume(front: Front) -> Plot | None:
    facts = (day.facts for day in front.days)
    points = {each.list_date: float(each.paper_count) for each in facts if each.paper_count}
    return _plot(front, "Papers a day", points, lambda value: f"{value:,.0f}")


def _null_rates(front: Front) -> list[Plot]:
    plots = (
        _plot(
            front,
            title,
            {d.facts.list_date: d.null_pct[name] for d in front.days if name in d.null_pct},
            lambda value: f"{value:.0f} %",
            top=100,
        )
        for name, title in _FIELDS.items()
    )
    return [plot for plot in plots if plot]


def _plot(
    front: Front,
    title: str,
    points: dict[date, float],
    say: Callable[[float], str],
    top: float | None = None,
) -> Plot | None:
    """A plot over the calendar; days without a value are skipped, not drawn as zero."""
    if not points:
        return None
    highest = max(points, key=lambda day: (points[day], day))
    lowest = min(points, key=lambda day: (points[day], -day.toordinal()))
    newest = max(points)
    limit = top or points[highest] or 1
    least, most = say(points[lowest]), say(points[highest])
    return Plot(
        title,
        _path(front.calendar, points, limit),
        "" if least == most else say(points[newest]),
        f"always {least}" if least == most else f"{least} to {most}, now",
        f"{title}: {say(points[newest])} on {newest}, lowest {least} on {lowest}, "
        f"highest {most} on {highest}",
    )


def _path(calendar: Sequence[date], points: dict[date, float], limit: float) -> str:
    step = WIDTH / max(len(calendar) - 1, 1)
    places = [
        f"{step * n:.1f} {HEIGHT * (1 - points[day] / limit):.1f}"
        for n, day in enumerate(calendar)
        if day in points
    ]
    # A lone day is a line of no length; round line ends draw it as a dot.
    return "M" + " L".join(places if len(places) > 1 else places * 2)
