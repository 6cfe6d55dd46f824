"""What is written about the project is so: generated parts, links, commands, version, paths."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from flows import outcome
from flows.commands.cli import app
from flows.settings import Settings
from tests import docs
from tests.support import folders, pictures, prefect_pictures, quality_pictures

ROOT = docs.ROOT
README = docs.README.read_text()
# The pages that people type from.
TYPED = [
    docs.README,
    ROOT / "infra" / "README.md",
    ROOT / "flows" / "mailing" / "README.md",
    ROOT / "infra" / "without_a_server" / "README.md",
]
MOST_BYTES = 200_000  # a picture that loads before one scrolls past it
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src|srcset)=\"([^\"]+)\"")
_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# Not after a letter, so that https://example.org/home/… passes.
_PATH_OF_A_MACHINE = re.compile(r"(?<![\w.~}>])/(?:root|work|(?:home|Users)/\w+)/")


def _committed(*patterns: str) -> list[Path]:
    """The files that git knows; without git, nothing can be said about them."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git working copy")
    names = subprocess.check_output(["git", "ls-files", "-z", *patterns], cwd=ROOT, text=True)
    return [path for name in names.split("\0") if name and (path := ROOT / name).exists()]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _broken_links(page: Path) -> Iterator[str]:
    for found in _LINK.finditer(page.read_text()):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists():
            yield link
        elif anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            if anchor not in map(_slug, headings):
                yield link


@pytest.mark.parametrize("page", docs.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_generated_parts_of_a_page_say_what_the_code_says(page: Path) -> None:
    assert docs.filled(page) == page.read_text(), "run `make docs`"


def test_the_example_of_an_env_file_says_what_the_code_says() -> None:
    assert docs.ENV_EXAMPLE.read_text() == docs.env_example(), "run `make docs`"


def test_the_example_of_an_env_file_uncommented_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAPERS_HOME")
    filled = tmp_path / ".env"
    filled.write_text(re.sub("^#PAPERS", "PAPERS", docs.env_example(), flags=re.MULTILINE))

    assert Settings(_env_file=filled) == Settings(_env_file=None)


@pytest.mark.parametrize("page", docs.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_each_of_its_generated_parts_once(page: Path) -> None:
    found = re.findall(r"<!-- generated: ([a-z ]+) -->\n", page.read_text())

    assert sorted(found) == sorted(docs.PAGES[page])


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_command_stands_in_one_of_the_two_tables() -> None:
    tables = docs.commands() + docs.commands(mail=True)
    names = [name for name in app if not name.startswith("-")]

    assert [name for name in names if not re.search(rf"\| `papers {name}[ `]", tables)] == []
    assert "|  |" not in tables, "a command does not say what it does"


def test_every_mart_stands_among_the_tables() -> None:
    marts = {path.stem for path in (docs.MODELS / "marts").rglob("*.sql")}

    assert marts == set(docs.published())


def test_every_folder_of_tests_says_what_it_pins_down() -> None:
    assert folders.FOLDERS.keys() == folders.found().keys()


def test_every_helper_of_tests_says_what_it_is_for() -> None:
    assert [link for link, what in folders.helper_rows() if not what] == []


def test_every_exit_code_is_explained() -> None:
    codes = {value for name, value in vars(outcome).items() if name.startswith("EXIT_")}
    page = (ROOT / "flows" / "commands" / "README.md").read_text()

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes


@pytest.mark.parametrize(
    "page", [docs.README, *TYPED], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_line_of_a_page_can_be_typed(page: Path) -> None:
    text = page.read_text()
    shell = "".join(_SHELL.findall(text))
    lines = re.findall(r"(?:^|&& |\s)(?:\.venv/bin/)?papers ((?:\"[^\"]*\"|[^\"\n])+)", shell)
    lines += re.findall(r"`(?:\.venv/bin/)?papers ([a-z][^`<…\[]*)`", text)
    assert len(lines) > 2
    for line in lines:
        words = shlex.split(line.replace("DAY", "2026-08-20"), comments=True)
        command = app
        while words and words[0] in command:
            command = command[words.pop(0)]
        assert command is not app, f"papers {line}"
        if command.default_command and words:
            command.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_of_a_page_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / page).read_text()
    shell = "".join(_SHELL.findall(text)) + "\n".join(re.findall(r"`(make [^`]+)`", text))
    named = {word for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)", shell) for word in line.split()}
    assert named <= targets


def test_every_relative_link_leads_somewhere() -> None:
    broken = {
        str(page.relative_to(ROOT)): links
        for page in _committed("*.md")
        if (links := list(_broken_links(page)))
    }
    assert broken == {}


def test_the_newest_version_of_the_changelog_is_that_of_the_package() -> None:
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert newest
    assert newest[1] == project["version"]


def test_no_committed_text_names_a_path_of_somebodys_machine() -> None:
    found = [
        (str(path.relative_to(ROOT)), line.strip())
        for path in _committed()
        if path.suffix != ".png"
        for line in path.read_text(errors="replace").splitlines()
        if _PATH_OF_A_MACHINE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("scheme", get_args(pictures.Scheme))
def test_the_picture_of_the_digest_is_sharp_and_small(scheme: pictures.Scheme) -> None:
    picture = pictures.picture(scheme).read_bytes()

    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == pictures.WIDTH * pictures.SCALE
    assert len(picture) < MOST_BYTES


@pytest.mark.parametrize("path", [quality_pictures.FRONT, quality_pictures.DATA_DOCS])
def test_the_pictures_of_the_quality_reports_are_sharp_and_small(path: Path) -> None:
    picture = path.read_bytes()

    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == quality_pictures.WIDTH * quality_pictures.SCALE
    assert len(picture) < MOST_BYTES


def test_the_picture_of_a_run_is_sharp_and_small() -> None:
    picture = prefect_pictures.PICTURE.read_bytes()

    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == prefect_pictures.WIDTH * prefect_pictures.SCALE
    assert len(picture) < MOST_BYTES
