"""The checks of the repository's users: what they call is there, and what they use is pinned."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # dbt brings it, without types

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CANARY, CI, NIGHTLY = WORKFLOWS
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


def test_there_are_the_three_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["canary.yml", "ci.yml", "nightly.yml"]


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
        assert job["permissions"]["contents"] == "read"
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
        assert " ".join(hook["entry"].split()[:2]).removeprefix("make lock") in recipes
