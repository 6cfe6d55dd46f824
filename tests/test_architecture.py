"""Imports go one way, and each module fits on a page: read from the syntax of every file."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for top in ("flows", "expectations") for path in (ROOT / top).rglob("*.py"))

# The rooms from the ground up: each may import the rooms it names, and the modules of the ground.
GROUND = {"flows.settings", "flows.clock", "flows.wording", "flows.outcome"}
ROOMS: dict[str, set[str]] = {
    "expectations": set(),
    "flows.sources": set(),
    "flows.newsletter": set(),
    "flows.mailing": {"flows.newsletter"},
    "flows.issues": {"flows.mail_setup", "flows.newsletter", "flows.sources"},
    "flows.gates": {"expectations"},
    "flows.warehouse": {"flows.gates", "flows.issues", "flows.newsletter"},
    "flows.publication": {"flows.issues", "flows.newsletter", "flows.warehouse"},
    "flows.search": {"flows.publication", "flows.warehouse"},
    "flows.quality": {
        "flows.gates", "flows.issues", "flows.mail_setup", "flows.mailing", "flows.newsletter",
        "flows.publication", "flows.warehouse",
    },
    "flows.operations": {
        "flows.issues", "flows.mail_setup", "flows.mailing", "flows.sources", "flows.warehouse",
    },
    "flows.web": {
        "flows.mail_setup", "flows.mailing", "flows.newsletter", "flows.publication",
        "flows.warehouse",
    },
    "flows.runs": {
        "flows.gates", "flows.issues", "flows.newsletter", "flows.operations", "flows.warehouse",
    },
}  # fmt: skip

# The orchestrator is the business of the flows, the stages and `runs`; no other room reaches it.
ORCHESTRATED = {"flows.runs"}
# What none of a room's modules may reach, by however many steps.
OUT_OF_REACH = [(room, "prefect") for room in ROOMS if room not in ORCHESTRATED] + [
    ("flows.newsletter", "duckdb"),
    ("flows.newsletter", "pandas"),
    ("flows.mailing", "duckdb"),
    ("flows.mailing", "pandas"),
]

# Each heavy library has one home; these are all the doors to it.
DOORS = {
    "dlt": {"flows.sources.hub", "flows.sources.pipeline"},
    "dbt": {"flows.transform", "flows.runs.terminal"},
    "great_expectations": {"flows.gates.gate"},
}

MOST_LINES = 400
LONGER = {
    "flows/gates/gate.py": "one verdict over four suites; the parts share every name",
    "flows/mailing/ledger.py": "the claims and their states, proven together by kills",
}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def _modules() -> dict[str, ast.Module]:
    trees = {_name(path): ast.parse(path.read_text(), str(path)) for path in FILES}
    return {name: tree for name, tree in trees.items() if name != "flows"}


def _imported(tree: ast.Module) -> Iterator[str]:
    """Everything imported, at the top or inside a function; of `from a import b` also a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _imports(module: str) -> frozenset[str]:
    """Our own modules by their names (`flows` itself holds nothing), others by their first word."""
    return frozenset(
        name if name in _modules() else name.partition(".")[0]
        for name in _imported(_modules()[module])
        if name in _modules() or name.partition(".")[0] not in ("flows", "expectations")
    )


def _reaches(module: str) -> dict[str, str]:
    """What importing a module can bring in, and by which way."""
    ways = {module: module}
    todo = [module]
    while todo:
        here = todo.pop()
        for name in _imports(here) - ways.keys():
            ways[name] = f"{ways[here]} -> {name}"
            if name in _modules():
                todo.append(name)
    return ways


def _inside(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_below_the_stages_imports_only_what_it_may(room: str) -> None:
    allowed = ROOMS[room] | GROUND | {room}
    wrong = {
        (module, name)
        for module in _modules()
        if _inside(module, room)
        for name in _imports(module)
        if name in _modules() and not any(_inside(name, other) for other in allowed)
    }
    assert wrong == set()


@pytest.mark.parametrize(("room", "library"), OUT_OF_REACH)
def test_a_room_cannot_reach_a_library_that_is_not_its_business(room: str, library: str) -> None:
    ways = [
        way[library]
        for module in _modules()
        if _inside(module, room) and library in (way := _reaches(module))
    ]
    assert ways == []


@pytest.mark.parametrize("library", DOORS)
def test_each_heavy_library_has_its_doors(library: str) -> None:
    users = {
        module
        for module in _modules()
        if library in _imports(module) and not _inside(module, "expectations")
    }
    assert users == DOORS[library]


def test_no_import_leads_back_to_where_it_came_from() -> None:
    for module in _modules():
        for name in _imports(module) & _modules().keys():
            # A package and its modules are one place: `flows.web` holds `flows.web.app`.
            if not _inside(module, name):
                assert module not in _reaches(name), _reaches(name).get(module)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_module_fits_on_a_page_but_those_that_say_why_not() -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in FILES}

    assert {name for name, count in lines.items() if count > MOST_LINES} == set(LONGER)
