"""Example questions to the published file: dbt_project/analyses/, one question a file."""

from dataclasses import dataclass

from flows.publication.catalog import PROJECT


@dataclass(frozen=True)
class Example:
    """A question, and the SQL that answers it."""

    name: str
    question: str
    query: str


def examples() -> tuple[Example, ...]:
    """All of them, in the order of their files' names."""
    return tuple(
        _read(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((PROJECT / "analyses").glob("*.sql"))
    )


def _read(name: str, text: str) -> Example:
    """The question is the comment that the file opens with."""
    lines = text.splitlines()
    comment = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    query = "\n".join(line for line in lines if not line.startswith("--"))
    return Example(name, " ".join(comment), query.strip())
