"""What a benchmark measured, as the one table of `make bench` shows it.

bench_*.py ──tell──▶ a line on the terminal, and one in the file that PAPERS_BENCH_FIGURES names
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

VARIABLE = "PAPERS_BENCH_FIGURES"


@dataclass(frozen=True)
class Figure:
    """A measure, each time it was taken, and the floor that was measured in the same run.

    `floor` has as many values as `taken`, or none where nothing was measured beside it. `most` is
    the goal: of the ratio to the floor, or of the measure itself where there is no floor.
    """

    name: str
    unit: str
    taken: tuple[float, ...]
    floor: tuple[float, ...] = ()
    floor_name: str = ""
    most: float | None = None

    @property
    def compared(self) -> tuple[float, ...]:
        """What the goal is about: the ratios, or the measure."""
        if not self.floor:
            return self.taken
        return tuple(one / other for one, other in zip(self.taken, self.floor, strict=True))

    @property
    def row(self) -> tuple[str, ...]:
        """Its line of the table: name, median, spread, floor, ratio with its spread, goal."""
        ratio = _spread(self.compared, "") if self.floor else ""
        floor = f"{median(self.floor):,.3g} {self.unit}, {self.floor_name}" if self.floor else ""
        goal = "" if self.most is None else f"at most {self.most:,g}"
        return (self.name, _spread(self.taken, f" {self.unit}"), floor, ratio, goal)


COLUMNS = ("", "median (least to most)", "floor", "times the floor", "goal")


def tell(figure: Figure) -> None:
    """Print the figure, and keep it for the table if one is being made."""
    named = zip(COLUMNS, figure.row, strict=True)
    said = (f"{name} {value}".strip() for name, value in named if value)
    Console(highlight=False, soft_wrap=True).print("; ".join(said), markup=False)
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def told(path: Path) -> list[Figure]:
    """The figures that were kept in this file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_read(json.loads(line)) for line in lines]


def _read(kept: dict[str, Any]) -> Figure:
    return Figure(**kept | {name: tuple(kept[name]) for name in ("taken", "floor")})


def _spread(values: Sequence[float], unit: str) -> str:
    middle = f"{median(values):,.3g}{unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.3g} to {max(values):,.3g})"
