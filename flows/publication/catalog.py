"""What dbt_project/ says of each mart, from the two files that stand side by side."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # dbt brings it, without types
from jinja2 import Environment, StrictUndefined

import dbt_project

PROJECT = Path(dbt_project.__file__).parent
_REFERENCE = re.compile(r"ref\('(\w+)'\)")
_GRAIN = re.compile(r"-- .+ Grain: one row per (.+)\.")


@dataclass(frozen=True)
class Mart:
    """A published table: what it holds, what one row of it is, and what each column means.

    `references` are the columns that hold the key of another mart, with that mart's name.
    """

    name: str
    grain: str
    description: str
    columns: dict[str, str]
    references: dict[str, str]
    source: Path

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of which no two rows have the same values."""
        return tuple(re.split(r", | and ", self.grain))

    @property
    def schema(self) -> str:
        """Where it is published."""
        return "quality" if self.source.parent.name == "quality" else "marts"

    @property
    def date_column(self) -> str | None:
        """The date that is part of its key, if one is."""
        return next((key for key in self.key if key.endswith("_date")), None)


@cache
def marts() -> dict[str, Mart]:
    """Every mart by its name."""
    read = {path.stem: _read(path) for path in sorted((PROJECT / "models/marts").rglob("*.sql"))}
    return {
        name: replace(
            mart,
            references={
                column: other
                for column, other in mart.references.items()
                if read[other].key == (column,)
            },
        )
        for name, mart in read.items()
    }


def in_order(tables: Iterable[str]) -> list[str]:
    """These tables, each after those that it references by a key."""
    names = set(tables)
    needed = {table: names & set(marts()[table].references.values()) for table in sorted(names)}
    return list(TopologicalSorter(needed).static_order())


def _read(path: Path) -> Mart:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    model = yaml.load(path.with_suffix(".yml").read_text(encoding="utf-8"), loader)["models"][0]  # noqa: S506  both are safe
    grain = _GRAIN.match(path.read_text(encoding="utf-8"))
    return Mart(
        name=path.stem,
        grain=grain[1] if grain else "",
        description=_words(model["description"]),
        columns={
            column["name"]: _words(column.get("description", "")) for column in model["columns"]
        },
        references={
            column["name"]: to[1]
            for column in model["columns"]
            for test in column.get("data_tests", [])
            if isinstance(test, dict)
            and (asked := test.get("relationships", {}).get("arguments"))
            and (to := _REFERENCE.match(asked["to"]))
            and asked["field"] == column["name"]
        },
        source=path,
    )


def _words(text: str) -> str:
    """A description in one line, with the numbers of the rules in it, as dbt renders it."""
    rendered = _environment().from_string(text).render(var=_variables().__getitem__)
    return " ".join(rendered.split())


@cache
def _environment() -> Environment:
    return Environment(undefined=StrictUndefined)  # noqa: S701  plain text, no page


@cache
def _variables() -> dict[str, object]:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    variables: dict[str, object] = project["vars"]
    return variables
