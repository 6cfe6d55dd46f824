"""What dbt_project/ says of each mart, from the two files that stand side by side."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # dbt brings it, without types
from jinja2 import Environment, StrictUndefined

import dbt_project

PROJECT = Path(dbt_project.__file__).parent
_GRAIN = re.compile(r"-- .+ Grain: one row per (.+)\.")


@dataclass(frozen=True)
class Mart:
    """A published table: what it holds, what one row of it is, and what each column means."""

    name: str
    grain: str
    description: str
    columns: dict[str, str]
    source: Path

    @property
    def date_column(self) -> str | None:
        """The date that is part of its key, if one is."""
        keys = re.split(r", | and ", self.grain)
        return next((key for key in keys if key.endswith("_date")), None)


@cache
def marts() -> dict[str, Mart]:
    """Every mart by its name."""
    return {path.stem: _read(path) for path in sorted((PROJECT / "models/marts").rglob("*.sql"))}


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
