"""What the marts of linked repositories should hold, by plain Python: from their descriptions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = tuple[Any, ...]

_FIELDS = {"model": "Models", "dataset": "Datasets", "space": "Spaces"}
_PATHS = {"model": "", "dataset": "datasets/", "space": "spaces/"}


@dataclass(frozen=True)
class Linked:
    """A reading of single papers that its gate let through: the answers by paper."""

    read_at: datetime
    answers: Mapping[str, Mapping[str, Any]]
    reading_id: str


def paper_links(readings: Sequence[Linked]) -> list[Row]:
    """marts.paper_links."""
    return [
        (
            paper_id,
            one.reading_id,
            said.get("venue"),
            *(_count(said, kind) for kind in _FIELDS),
            one.read_at.date(),
            one.read_at,
        )
        for one in readings
        for paper_id, said in one.answers.items()
    ]


def linked_repositories(readings: Sequence[Linked]) -> list[Row]:
    """marts.linked_repositories."""
    rows = []
    for paper_id in {paper_id for one in readings for paper_id in one.answers}:
        for kind, field in _FIELDS.items():
            told = [
                (one.read_at, one.answers[paper_id])
                for one in sorted(readings, key=lambda one: one.read_at)
                if one.answers.get(paper_id, {}).get(f"linked{field}") is not None
            ]
            rows += _of_paper(paper_id, kind, told)
    return rows


def _of_paper(
    paper_id: str, kind: str, told: Sequence[tuple[datetime, Mapping[str, Any]]]
) -> list[Row]:
    shown = {
        at: {each["id"]: (rank, each) for rank, each in enumerate(_listed(said, kind), 1)}
        for at, said in told
    }
    rows = []
    for name in {name for names in shown.values() for name in names}:
        times = [at for at in shown if name in shown[at]]
        rank, repository = shown[times[-1]][name]
        newest, said = told[-1]
        is_shown = times[-1] == newest
        is_whole = (_count(said, kind) or 0) <= len(_listed(said, kind))
        rows.append(
            (
                paper_id,
                kind,
                name,
                f"https://huggingface.co/{_PATHS[kind]}{name}",
                json.dumps(repository, separators=(",", ":")),
                rank if is_shown else None,
                repository.get("likes"),
                repository.get("downloads"),
                not is_shown and is_whole,
                times[0],
                times[-1],
            )
        )
    return rows


def _listed(said: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = said[f"linked{_FIELDS[kind]}"]
    return found


def _count(said: Mapping[str, Any], kind: str) -> int | None:
    field = _FIELDS[kind]
    total: int | None = said.get(f"numTotal{field}")
    if total is None and said.get(f"linked{field}") is not None:
        return len(_listed(said, kind))
    return total
