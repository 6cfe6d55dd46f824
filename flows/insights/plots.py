"""Answers as plots: inline SVG that needs no script and no style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.insights.questions import Answer, Measure, written

# The drawing area of a line, as line_plot.html has it.
WIDTH, HEIGHT = 600, 100


@dataclass(frozen=True)
class Bar:
    """A row of a bar plot: from where to where its bar goes, in per cent of the width."""

    label: str
    number: str
    start: float
    length: float
    is_negative: bool


@dataclass(frozen=True)
class Line:
    """A small line plot in a box of 600 by 100, and what stands around it; "" for one value."""

    title: str
    path: str
    first_label: str
    last_label: str
    newest: str
    range: str
    words: str


@dataclass(frozen=True)
class Plot:
    """An answer, drawn: bars or lines; both empty where there is nothing to draw."""

    answer: Answer
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """Every number of the query as it is written on the page."""
        return tuple(
            tuple(written(row[column]) for column in self.answer.columns)
            for row in self.answer.rows
        )


def plot(answer: Answer) -> Plot:
    """The answer as its question says it is drawn."""
    question = answer.question
    if question.drawn_as == "bars":
        return Plot(answer, tuple(_bars(answer, question.measures[0])), ())
    lines = (_line(answer, measure) for measure in question.measures)
    return Plot(answer, (), tuple(line for line in lines if line))


def _bars(answer: Answer, measure: Measure) -> list[Bar]:
    values = [float(row[measure.column]) for row in answer.rows]
    most, least = max([*values, 0]), min([*values, 0])
    scale = 100 / (most - least or 1)
    label = answer.columns[0]
    return [
        Bar(
            label=written(row[label]),
            number=f"{written(row[measure.column])}{measure.unit}",
            start=round((min(value, 0) - least) * scale, 2),
            length=round(abs(value) * scale, 2),
            is_negative=value < 0,
        )
        for row, value in zip(answer.rows, values, strict=True)
    ]


def _line(answer: Answer, measure: Measure) -> Line | None:
    label = answer.columns[0]
    known = [
        (number, row) for number, row in enumerate(answer.rows) if row[measure.column] is not None
    ]
    if not known:
        return None
    values = [float(row[measure.column]) for _, row in known]
    numbers = [f"{written(row[measure.column])}{measure.unit}" for _, row in known]
    first, last = known[0][1], known[-1][1]
    lowest, highest = min(values), max(values)
    span = f"{numbers[values.index(lowest)]} to {numbers[values.index(highest)]}"
    axis = label.replace("_", " ")
    return Line(
        title=measure.words,
        path=_path(answer, [number for number, _ in known], values) if len(known) > 1 else "",
        first_label=f"{axis} {written(first[label])}",
        last_label=written(last[label]),
        newest=numbers[-1],
        range=span,
        words=f"{measure.words}: {numbers[0]} at {axis} {written(first[label])},"
        f" {numbers[-1]} at {written(last[label])}; {span}",
    )


def _path(answer: Answer, known: Sequence[int], values: Sequence[float]) -> str:
    """The line from zero to the highest value; a row without a value is a gap."""
    labels = [row[answer.columns[0]] for row in answer.rows]
    # Hours stand as far apart as they are; months are evenly spaced.
    places = labels if isinstance(labels[0], int) else list(range(len(labels)))
    width, top = places[-1] - places[0] or 1, max([*values, 0]) or 1
    points = [
        f"{WIDTH * (places[number] - places[0]) / width:.1f} {HEIGHT - HEIGHT * value / top:.1f}"
        for number, value in zip(known, values, strict=True)
    ]
    begins = [n == 0 or number != known[n - 1] + 1 for n, number in enumerate(known)]
    # A point alone is drawn as a short stroke: a path of one point is not seen.
    return " ".join(
        f"{'M' if begin else 'L'}{point}{' h0.1' if begin else ''}"
        for point, begin in zip(points, begins, strict=True)
    )
