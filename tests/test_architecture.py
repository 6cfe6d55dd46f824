"""Imports go one way, and each module fits on a page: read from the syntax of every file."""

import ast
from pathlib import Path

import pytest

from tests.support.rooms import (
    FILES,
    GROUPS,
    ROOT,
    imports,
    is_inside,
    lowest_first,
    modules,
    name,
    reaches,
    room,
)

# The rooms from the ground up: each may import the rooms it names, and the modules of the ground.
GROUND = {
    *("flows.settings", "flows.clock", "flows.wording", "flows.outcome", "flows.topics"),
    *("flows.errors", "flows.file_lock"),
}
ROOMS: dict[str, set[str]] = {
    "expectations": set(),
    "flows.sources": set(),
    "flows.newsletter": set(),
    "flows.mailing": {"flows.newsletter"},
    "flows.issues": {"flows.mail_setup", "flows.newsletter", "flows.sources"},
    "flows.gates": {"expectations"},
    "flows.warehouse": {
        "expectations", "flows.gates", "flows.issues", "flows.newsletter", "flows.sources",
    },
    "flows.publication": {"flows.issues", "flows.newsletter", "flows.warehouse"},
    "flows.search": {"flows.newsletter", "flows.publication", "flows.warehouse"},
    "flows.insights": {"flows.newsletter", "flows.publication", "flows.warehouse"},
    "flows.quality": {
        "flows.gates", "flows.insights", "flows.issues", "flows.mail_setup", "flows.mailing",
        "flows.newsletter", "flows.publication", "flows.warehouse",
    },
    "flows.operations": {
        "flows.issues", "flows.mail_setup", "flows.mailing", "flows.sources", "flows.warehouse",
    },
    "flows.web": {
        "flows.insights", "flows.issues", "flows.mail_setup", "flows.mailing", "flows.newsletter",
        "flows.publication", "flows.search", "flows.sources", "flows.warehouse",
    },
    "flows.site": {"flows.insights", "flows.newsletter", "flows.publication", "flows.web"},
    "flows.agents": {
        "flows.newsletter", "flows.publication", "flows.search", "flows.sources", "flows.warehouse",
    },
    "flows.state": {"flows.mailing"},
    "flows.runs": {
        "flows.gates", "flows.issues", "flows.newsletter", "flows.operations", "flows.sources",
        "flows.warehouse",
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
    "great_expectations": {"flows.gates.judging"},
}

MOST_LINES = 400


@pytest.mark.parametrize("folder", ROOMS)
def test_a_room_below_the_stages_imports_only_what_it_may(folder: str) -> None:
    allowed = ROOMS[folder] | GROUND | {folder}
    wrong = {
        (module, found)
        for module in modules()
        if is_inside(module, folder)
        for found in imports(module)
        if found in modules() and not any(is_inside(found, other) for other in allowed)
    }
    assert wrong == set()


@pytest.mark.parametrize(("folder", "library"), OUT_OF_REACH)
def test_a_room_cannot_reach_a_library_that_is_not_its_business(folder: str, library: str) -> None:
    ways = [
        way[library]
        for module in modules()
        if is_inside(module, folder) and library in (way := reaches(module))
    ]
    assert ways == []


@pytest.mark.parametrize("library", DOORS)
def test_each_heavy_library_has_its_doors(library: str) -> None:
    users = {
        module
        for module in modules()
        if library in imports(module) and not is_inside(module, "expectations")
    }
    assert users == DOORS[library]


def test_no_import_leads_back_to_where_it_came_from() -> None:
    for module in modules():
        for found in imports(module) & modules().keys():
            # A package and its modules are one place: `flows.web` holds `flows.web.app`.
            if not is_inside(module, found):
                assert module not in reaches(found), reaches(found).get(module)


def test_the_rooms_stand_on_one_another_without_a_circle() -> None:
    assert lowest_first()[-1] == "commands"


def test_every_module_lies_in_a_room_and_the_top_of_flows_fits_in_one_look() -> None:
    entry_points = {"flows.__main__"}
    named = [module for group in GROUPS.values() for module in group]

    assert {module for module in modules() if room(module) is None} == entry_points
    assert len(named) <= 23


def test_the_clock_is_asked_by_its_module() -> None:
    """A name taken from it would keep the clock that was set when it was first imported."""
    takers = {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "flows.clock"
    }
    assert takers == set()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_module_is_longer_than_one_reads_at_once() -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in FILES}

    assert {file: count for file, count in lines.items() if count > MOST_LINES} == {}


def test_helpers_of_tests_lie_in_support_and_no_test_takes_from_another() -> None:
    tests = ROOT / "tests"
    elsewhere = {
        str(path.relative_to(tests))
        for path in tests.rglob("*.py")
        if path.parent.name not in {"support", "benchmarks"}
        and not path.name.startswith("test_")
        and path.name != "conftest.py"
    }
    assert elsewhere == {"docs.py"}
    taken = {
        (path.name, node.module)
        for path in tests.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and ".test_" in node.module
    }
    assert taken == set()
