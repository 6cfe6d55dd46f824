"""What each folder of tests pins down: the tables of tests/README.md."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
Rows = list[tuple[str, ...]]

FOLDERS = {
    ".": "What holds for the whole repository: who may import whom, dbt's conventions, what the"
    " pages say, and the test that holds each rule of a mailing list.",
    "agents": "An agent's tools over stdio: what they answer, and what they refuse.",
    "commands": "What an operator types, what `papers` answers, and its exit code; `papers serve`"
    " with its real processes.",
    "dbt": "Every number of the marts: on small made-up readings, over the years of the Hub, and"
    " against plain Python from the JSON.",
    "expectations": "All gates: good data passes, and each expectation has data that fails it, by"
    " name.",
    "flows": "Whole runs through Prefect against a Hub that fails on demand: verdicts, mail, late"
    " runs, kills.",
    "infra": "The images, units, backup and workflows fit the project, and what they call exists.",
    "insights": "Each number of the insights page is that of its query, and by hand.",
    "issues": "Weeks and months as the weekly and monthly issue have them.",
    "mailing": "The mailing list on SQLite and PostgreSQL: rules, sending, refusals, and that"
    " nobody gets an issue twice.",
    "newsletter": "The text and the message of an issue: escaped, linted, and within the limits of"
    " mail clients.",
    "operations": "What the operator is told: status, deadlines, alerts, the dead man's check, the"
    " doctor.",
    "publication": "The published file explains itself, answers, and blocks no reader.",
    "quality": "The quality pages, and that every surface says the same of a day.",
    "runs": "How the end of a run shows in Prefect, in `papers status` and to the operator.",
    "search": "What a question finds, and that its scores are those of BM25F in plain Python.",
    "site": "The pages as files: each link leads somewhere, search finds what the server finds.",
    "sources": "What is read from the Hub, how its lists are judged, and loads that are cut short.",
    "state": "What a wiped machine goes on from: the seal, the archive, who claims it; and sixty"
    " days of it.",
    "warehouse": "The one writer of a file or a lake: locks, conflicts, a full disk, moving house,"
    " what was known when, and which past times can be rebuilt.",
    "web": "The reader pages over HTTP and in a browser: forms, feeds, guards, accessibility.",
}


def found() -> dict[str, list[Path]]:
    """The files of tests by their folder, seen from `tests/`."""
    files: dict[str, list[Path]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        files.setdefault(str(path.parent.relative_to(TESTS)), []).append(path)
    return files


def folder_rows() -> Rows:
    """Each folder, what it pins down, and its files. Raises KeyError where that is not said."""
    return [
        (f"`{folder}/`", FOLDERS[folder], ", ".join(_link(path) for path in files))
        for folder, files in sorted(found().items())
    ]


def torture_rows() -> Rows:
    """Each test that `make torture` runs, in words, and its file."""
    return [
        (test.name.removeprefix("test_").replace("_", " "), _link(path))
        for path in (path for files in found().values() for path in files)
        for test in _tortures(path)
    ]


def helper_rows() -> Rows:
    """Each module of `tests/support/`, and the first sentence of its docstring."""
    return [
        (_link(path), (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0])
        for path in sorted((TESTS / "support").glob("*.py"))
    ]


def _tortures(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and "pytest.mark.torture" in map(
            ast.unparse, node.decorator_list
        ):
            yield node


def _link(path: Path) -> str:
    return f"[{path.stem.removeprefix('test_')}]({os.path.relpath(path, TESTS)})"
