"""The rooms of `flows/` and the imports between them, read from the syntax of every file.

A room is a folder of `flows/`, `expectations/`, or one of three groups of modules that lie in
`flows/` itself: the flows, the stages and the ground.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for top in ("flows", "expectations") for path in (ROOT / top).rglob("*.py"))

GROUPS = {
    "flows": (
        "daily_papers",
        "backfill",
        "backfill_by_month",
        "editions",
        "as_of",
        "scheduled",
        "shards",
        "deployments",
    ),
    "stages": ("extract", "validate", "transform", "publish", "export", "deliver", "stage"),
    "mail_setup": ("mail_setup",),
    "ground": ("settings", "clock", "outcome", "wording", "topics", "errors", "file_lock"),
}


def name(path: Path) -> str:
    """The dotted name of the module in this file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax of every module of ours by its dotted name; `flows` itself holds nothing."""
    trees = {name(path): ast.parse(path.read_text(), str(path)) for path in FILES}
    return {module: tree for module, tree in trees.items() if module != "flows"}


def _imported(tree: ast.Module) -> Iterator[str]:
    """Everything imported, at the top or inside a function; of `from a import b` also a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports: our own modules by name, libraries by the first word of theirs."""
    return frozenset(
        found if found in modules() else found.partition(".")[0]
        for found in _imported(modules()[module])
        if found in modules() or found.partition(".")[0] not in ("flows", "expectations")
    )


def reaches(module: str) -> dict[str, str]:
    """What importing a module can bring in, and by which way."""
    ways = {module: module}
    todo = [module]
    while todo:
        here = todo.pop()
        for found in imports(here) - ways.keys():
            ways[found] = f"{ways[here]} -> {found}"
            if found in modules():
                todo.append(found)
    return ways


def is_inside(module: str, folder: str) -> bool:
    """Whether a module is this folder or lies in it."""
    return module == folder or module.startswith(f"{folder}.")


def room(module: str) -> str | None:
    """The room that a module lies in; None for the entry point, which lies in none."""
    top, _, rest = module.partition(".")
    if top == "expectations":
        return "expectations"
    first = rest.partition(".")[0]
    if (ROOT / "flows" / first).is_dir():
        return first
    return next((group for group, members in GROUPS.items() if first in members), None)


@cache
def arrows() -> dict[str, set[str]]:
    """Which rooms each room imports, itself left out."""
    found: dict[str, set[str]] = {}
    for module in modules():
        here = room(module)
        if here is None:
            continue
        there = {room(each) for each in imports(module) if each in modules()}
        found.setdefault(here, set()).update(each for each in there if each and each != here)
    return found


def lowest_first() -> list[str]:
    """The rooms, each after all that it imports. Raises ValueError where they form a circle."""
    left, ordered = dict(sorted(arrows().items())), list[str]()
    while left:
        free = [each for each, needs in left.items() if needs <= set(ordered)]
        if not free:
            raise ValueError(f"these rooms import each other in a circle: {sorted(left)}")
        ordered += free
        for each in free:
            del left[each]
    return ordered


def drawn_arrows() -> dict[str, set[str]]:
    """The arrows without those that a longer way says already, so that a drawing can be read."""
    below: dict[str, set[str]] = {}
    for each in lowest_first():
        below[each] = set().union(*({to} | below[to] for to in arrows()[each]), set())
    return {
        each: {to for to in needs if not any(to in below[other] for other in needs - {to})}
        for each, needs in arrows().items()
    }
