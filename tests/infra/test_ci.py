"""The checks of the repository's users: what they call is there, and what they use is pinned."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # dbt brings it, without types

from flows.settings import Settings
from flows.state.keeping import CLAIM

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CANARY, CI, NIGHTLY, WITHOUT_A_SERVER = WORKFLOWS
HOOKS = ROOT / ".pre-commit-config.yaml"
PROGRAMS = Path(sys.executable).parent


def _steps(path: Path) -> list[dict[str, Any]]:
    loaded = yaml.safe_load(path.read_text())
    return [step for job in loaded["jobs"].values() for step in job["steps"]]


def _targets() -> set[str]:
    return set(re.findall(r"^([\w./]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _called(text: str) -> set[str]:
    """The make targets that a text calls."""
    return {word for line in re.findall(r"\bmake ([\w./ -]+)", text) for word in line.split()}


def test_there_are_the_four_workflows() -> None:
    names = ["canary.yml", "ci.yml", "nightly.yml", "without_a_server.yml"]
    assert [path.name for path in WORKFLOWS] == names


def test_the_canary_lets_go_of_every_pin(tmp_path: Path) -> None:
    (script,) = [step["run"] for step in _steps(CANARY) if step["name"] == "Let go of every pin"]
    (sed,) = [line for line in script.splitlines() if line.startswith("sed ")]
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["bash", "-c", sed], cwd=tmp_path, check=True)
    before, after = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
        for folder in (ROOT, tmp_path)
    )
    assert after == [re.split("[<>=]", name)[0] for name in before]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_only_what_a_job_asks_for_and_does_not_run_twice(path: Path) -> None:
    loaded = yaml.safe_load(path.read_text())
    assert loaded["permissions"] == {}
    assert loaded["concurrency"]["group"]
    for job in loaded["jobs"].values():
        keeps_the_state = path == WITHOUT_A_SERVER and "outputs" in job
        assert job["permissions"]["contents"] == ("write" if keeps_the_state else "read")
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert [line for line in used if not re.fullmatch(r"\S+@[0-9a-f]{40}  # v[\d.]+", line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_says_what_it_does_and_calls_make_targets_that_exist(path: Path) -> None:
    steps = _steps(path)
    assert [step for step in steps if not step.get("name")] == []
    scripts = "\n".join(step.get("run", "") for step in steps)
    assert _called(scripts)
    assert _called(scripts) <= _targets()
    for step in steps:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_steps_of_ci_follow_the_path() -> None:
    calls = [step["run"] for step in _steps(CI) if step.get("run", "").startswith("make")]
    assert calls == [
        "make lock",
        "make lint",
        "make types",
        "make test",
        "make torture",
        "make demo",
    ]


@pytest.mark.parametrize("path", [CANARY, NIGHTLY], ids=lambda path: path.name)
def test_a_run_by_the_clock_opens_one_issue_and_closes_it(path: Path) -> None:
    scripts = {step["if"]: step["run"] for step in _steps(path) if "if" in step}
    for verb in ("list", "comment", "create"):
        assert f"gh issue {verb}" in scripts["failure()"]
    assert "gh issue close" in scripts["success()"]


def test_the_hooks_are_local_and_their_programs_are_installed() -> None:
    subprocess.run([PROGRAMS / "pre-commit", "validate-config", HOOKS], check=True)
    repositories = yaml.safe_load(HOOKS.read_text())["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["id"] for hook in hooks} == {
        "uv-lock", "ruff", "ruff-format", "sqlfluff", "mypy", "codespell",
    }  # fmt: skip
    for hook in hooks:
        program, *words = hook["entry"].split()
        if program == "make":
            assert shutil.which("make")
            assert set(words) <= _targets()
        else:
            assert (PROGRAMS / Path(program).name).exists(), program


def test_what_the_hooks_call_is_what_make_lint_and_types_call() -> None:
    recipes = (ROOT / "Makefile").read_text()
    for hook in yaml.safe_load(HOOKS.read_text())["repos"][0]["hooks"]:
        program, *words = hook["entry"].split()
        if program == "make":
            assert words
            assert set(words) <= _targets()
        else:
            assert " ".join([Path(program).name, *words[:1]]) in recipes


def _papers_job() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(WITHOUT_A_SERVER.read_text())["jobs"]["papers"]
    return job


def test_the_fork_that_did_not_ask_for_it_runs_nothing() -> None:
    assert _papers_job()["if"] == "vars.PAPERS_WITHOUT_A_SERVER == 'yes'"


def test_a_job_is_over_before_its_claim_is() -> None:
    assert timedelta(minutes=_papers_job()["timeout-minutes"]) < CLAIM


def test_the_settings_of_the_job_are_settings_and_each_stands_in_the_four_steps() -> None:
    (day,) = [step for step in _papers_job()["steps"] if step.get("id") == "day"]
    given = {name for name in day["env"] if name.startswith("PAPERS_")}
    assert given <= {f"PAPERS_{name.upper()}" for name in Settings.model_fields}
    page = (ROOT / "infra" / "without_a_server" / "README.md").read_text()
    asked = set(re.findall(r"(?:secrets|vars)\.(PAPERS_\w+)", WITHOUT_A_SERVER.read_text()))
    assert asked - {"PAPERS_HUB_TOKEN", "PAPERS_OPERATOR_WEBHOOK"} == set(
        re.findall(r"^\| `(PAPERS_\w+)` \|", page, re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("code", "ends", "has_pages"), [(0, 0, True), (75, 0, True), (1, 1, True), (2, 2, False)]
)
def test_the_days_script_makes_the_pages_whatever_came_of_the_day(
    tmp_path: Path,
    code: int,
    ends: int,
    has_pages: bool,  # noqa: FBT001
) -> None:
    home = tmp_path / "home"
    if has_pages:
        (home / "published").mkdir(parents=True)
        (home / "published" / "papers.duckdb").touch()
    papers = tmp_path / "papers"
    papers.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nenv > {tmp_path}/env-$1\n'
        f'[ "$1" = site ] || exit {code}\n'
    )
    papers.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "PAPERS": str(papers),
        "PAPERS_HOME": str(home),
        "PAPERS_STATE_URL": "https://github.com/ana/papers",
        "COMMAND": "issue resume 2026-08-20 --again unknown; echo *",
        "TOKEN": "a token",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    script = ROOT / "infra" / "without_a_server" / "day.sh"
    ended = subprocess.run([script], cwd=tmp_path, env=environment, check=False)
    assert ended.returncode == ends
    called = (tmp_path / "called").read_text().splitlines()
    words = "state run issue resume 2026-08-20 --again unknown; echo *"
    assert called == [words, "site _site"][: 1 + has_pages]
    assert (tmp_path / "output").exists() is has_pages
    seen = (tmp_path / "env-state").read_text()
    assert "GIT_CONFIG_KEY_0=http.https://github.com/ana/papers.extraheader\n" in seen
