"""The parts of our pages and `.env.example` that say what the code says, made from the code.

python -m tests.docs        rewrites them; tests/test_docs.py fails where they differ
"""

import ast
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml  # type: ignore[import-untyped]  # dbt brings it, without types
from cyclopts import App
from pydantic.fields import FieldInfo

from flows.commands.cli import app
from flows.deployments import deployments
from flows.outcome import Outcome
from flows.publication.catalog import marts
from flows.settings import Settings
from flows.wording import verdict_words
from tests.support import folders, rooms

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "dbt_project" / "models"
README, ENV_EXAMPLE = ROOT / "README.md", ROOT / ".env.example"
# The pages that hold generated parts, each in the folder that it is about.
PAGES = {
    ROOT / "dbt_project" / "README.md": ("tables",),
    ROOT / "flows" / "README.md": ("drawing", "rooms", "flows", "stages", "ground"),
    ROOT / "flows" / "commands" / "README.md": ("commands", "mail commands"),
    ROOT / "infra" / "README.md": ("settings", "verdicts", "deployments"),
    ROOT / "tests" / "README.md": ("folders of tests", "torture", "helpers of tests"),
}
_BLOCK = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

# The commands of the mailing list have a table of their own.
MAIL_COMMANDS = {"subscribers", "issue", "web", "doctor"}

# verdict: when, what becomes of it, what the operator does
VERDICTS = {
    "complete": (
        "closed, read to its end, and a second look agreed",
        "published, an issue is made and mailed",
        "nothing",
    ),
    "empty": (
        "closed, nothing listed; on a weekday two readings an hour apart must agree",
        "published, no issue",
        "nothing",
    ),
    "not_open": (
        "the Hub has not opened this list yet",
        "no issue",
        "run it again later",
    ),
    "partial": (
        "still growing, a page missing, or far fewer papers than before or than usual",
        "published if it was read to its end and is not shorter than before; no issue",
        "run it again when the day is closed, or an hour later; if it has shrunk: *a day is held*",
    ),
    "failed": (
        "no list came (5xx, 429, time-out, not the JSON we know), or a gate or a test refused it",
        "kept as evidence; the last good publication stays",
        "read the sentence and the quality page; if the Hub was at fault, run it again",
    ),
}


def filled(page: Path) -> str:
    """The text of a page with its generated parts as they should be."""
    made: dict[str, Callable[[], str]] = {
        "settings": settings,
        "commands": commands,
        "mail commands": lambda: commands(mail=True),
        "tables": lambda: tables(page.parent),
        "verdicts": verdicts,
        "deployments": scheduled,
        "drawing": drawing,
        "rooms": lambda: rooms_table(page.parent),
        "flows": lambda: modules_table("flows"),
        "stages": lambda: modules_table("stages"),
        "ground": lambda: modules_table("ground", "mail_setup"),
        "folders of tests": lambda: _table(
            ["folder", "what it pins down", "files"], folders.folder_rows()
        ),
        "torture": lambda: _table(["what is proved", "file"], folders.torture_rows()),
        "helpers of tests": lambda: _table(["module", "what it is for"], folders.helper_rows()),
    }
    return _BLOCK.sub(lambda found: found[1] + made[found[2]]() + found[3], page.read_text())


def drawing() -> str:
    """The rooms with their arrows as a Mermaid drawing, without those that a longer way says."""
    lines = ["```mermaid", "flowchart TD"]
    for room in reversed(rooms.lowest_first()):
        shape = f'{room}(["{room}"])' if room in rooms.GROUPS else f'{room}["{_folder(room)}"]'
        lines.append(f"    {shape}")
    for room in reversed(rooms.lowest_first()):
        lines += [f"    {room} --> {below}" for below in sorted(rooms.drawn_arrows()[room])]
    return "\n".join([*lines, "```", ""])


def rooms_table(at: Path) -> str:
    """Every folder, what lives there, and what of ours it imports; seen from the folder `at`."""
    rows = []
    for room in reversed(rooms.lowest_first()):
        if room in rooms.GROUPS:
            continue
        module = room if room == "expectations" else f"flows.{room}"
        link = os.path.relpath(ROOT / module.replace(".", "/"), at)
        needs = ", ".join(sorted(_folder(each) for each in rooms.arrows()[room])) or "nothing"
        rows.append((f"[`{_folder(room)}`]({link})", _about(module), needs))
    return _table(["folder", "what lives there", "imports"], rows)


def modules_table(*groups: str) -> str:
    """Every module of these groups, in their order, and its first sentence."""
    names = [f"flows.{name}" for group in groups for name in rooms.GROUPS[group]]
    rows = [
        (f"[`{name.partition('.')[2]}`]({name.partition('.')[2]}.py)", _about(name))
        for name in names
        if name in rooms.modules()
    ]
    return _table(["module", "what it is"], rows)


def _folder(room: str) -> str:
    return room if room in rooms.GROUPS else f"{room}/"


def _about(module: str) -> str:
    """The first line of a module's docstring."""
    words = ast.get_docstring(rooms.modules()[module])
    assert words, f"{module} does not say what it is"
    return words.partition("\n")[0]


def settings() -> str:
    """Every setting with its default and what it is."""
    return _table(
        ["setting", "default", "what it is"],
        [(f"`{name}`", _code(_default(field)), field.description) for name, field in _settings()],
    )


def env_example() -> str:
    """The whole of `.env.example`: every setting, commented out, at its default."""
    lines = ["# Copy to .env and uncomment what should differ. Made by `make docs`."]
    for name, field in _settings():
        lines += ["", *(f"# {line}" for line in wrap(str(field.description), 98))]
        lines += [f"#{name}={_default(field)}"]
    return "\n".join(lines) + "\n"


def commands(*, mail: bool = False) -> str:
    """Every command as it is typed, and what it does: of the mailing list, or all others."""
    rows = [
        (f"`{usage}`", summary)
        for usage, summary in _commands(app, "papers")
        if (usage.split()[1] in MAIL_COMMANDS) is mail
    ]
    return _table(["command", "does"], rows)


def tables(at: Path) -> str:
    """Every published table with its grain and what it holds, linked from the folder `at`."""
    rows = []
    for name in published():
        mart = marts()[name]
        assert mart.grain, f"{mart.source} does not name its grain"
        link = os.path.relpath(mart.source.with_suffix(".yml"), at)
        schema = "quality." if mart.source.parent.name == "quality" else ""
        rows.append((f"[`{schema}{name}`]({link})", mart.grain, _first_sentence(mart.description)))
    return _table(["table", "one row per", "holds"], rows)


def published() -> list[str]:
    """The tables that the exposure `analysts` promises."""
    loaded = yaml.safe_load(next(MODELS.rglob("_daily_digest__exposures.yml")).read_text())
    promised = next(each for each in loaded["exposures"] if each["name"] == "analysts")
    return [re.sub(r"ref\('(\w+)'\)", r"\1", ref) for ref in promised["depends_on"]]


def scheduled() -> str:
    """Every deployment: when it runs, and what it does."""
    rows = [
        (f"`{each.name}`", f"`{each.cron}`" if each.cron else "on demand", each.description)
        for each in deployments(Settings())
    ]
    return _table(["deployment", "runs at", "does"], rows)


def verdicts() -> str:
    """Every verdict that a reading can have, in the order of the contract of `list_readings`."""
    columns = _model(MODELS / "marts" / "papers" / "list_readings.sql")["columns"]
    verdict = next(column for column in columns if column["name"] == "verdict")
    names = verdict["data_tests"][0]["accepted_values"]["arguments"]["values"]
    return _table(
        ["verdict", "exit", "when", "what becomes of it", "what to do"],
        [
            (f"**{verdict_words(name).lower()}**", Outcome(name, "").exit_code, *VERDICTS[name])
            for name in names
        ],
    )


def _settings() -> Iterator[tuple[str, FieldInfo]]:
    prefix = Settings.model_config["env_prefix"]
    for name, field in Settings.model_fields.items():
        yield f"{prefix}{name.upper()}", field


def _default(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)


def _commands(parent: App, typed: str) -> Iterator[tuple[str, str]]:
    for name in parent:
        if name.startswith("-"):
            continue
        command = parent[name]
        if command.default_command:
            # a group of options stands there as its options, and once more as itself
            options = command.assemble_argument_collection()
            words = [_argument(each) for each in options if each.name != "*"]
            summary = str(command.help).strip().split("\n\n")[0]
            yield " ".join([f"{typed} {name}", *words]), " ".join(summary.split())
        yield from _commands(command, f"{typed} {name}")


def _argument(argument: Any) -> str:
    """An argument as a usage line shows it: `DAY`, `[DAY]`, `PATHS…`, `[--format table|json]`."""
    kind = argument.field_info.kind
    if kind is kind.VAR_POSITIONAL:
        return f"{argument.name}…"
    if kind is not kind.KEYWORD_ONLY:
        return str(argument.name if argument.required else f"[{argument.name}]")
    word = str(argument.name)
    if argument.hint in (bool, bool | None):
        word = argument.negatives[0] if argument.field_info.default is True else word
    elif choices := argument.get_choices():
        word += f" {'|'.join(choices)}"
    else:
        word += f" {word.strip('-').replace('-', '_').upper()}"
    return word if argument.required else f"[{word}]"


def _model(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.with_suffix(".yml").read_text())["models"][0]
    return loaded


def _first_sentence(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].rstrip(".")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: list[str], rows: Sequence[tuple[Any, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows] if rows else []
    # A bar would end the cell, even inside backticks.
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page))
    ENV_EXAMPLE.write_text(env_example())
