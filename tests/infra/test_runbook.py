"""The runbook's own lines, typed as root: install, back up, upgrade, restore.

Not on a bare machine: the paths lead into a folder, the user is one that every Debian has, and
`systemctl` and `useradd` only note what they were asked. The rest is what would run there.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "infra" / "README.md").read_text()
USER = "daemon"
# Debian's own where it is there: a Python in root's home is closed to the service's user.
PYTHON = {"UV_PYTHON": "/usr/bin/python3"} if Path("/usr/bin/python3.11").exists() else {}
FOLDERS = (
    "/opt/daily-papers",
    "/var/lib/daily-papers",
    "/var/backups/daily-papers",
    "/usr/local/bin",
    "/etc/systemd/system",
)


@dataclass(frozen=True)
class Machine:
    """A folder that stands for the root of a machine, and what its shell says."""

    root: Path

    def here(self, text: str) -> str:
        """The text with the machine's paths, and the user that there is."""
        for folder in FOLDERS:
            text = text.replace(folder, f"{self.root}{folder}")
        text = re.sub(r"(--(?:owner|group|user)[= ])papers\b", rf"\1{USER}", text)
        return text.replace("chown --recursive papers:", f"chown --recursive {USER}:")

    def shell(self, script: str, user: str = "root") -> "subprocess.CompletedProcess[str]":
        """What a shell of this user says to the script; it ends at the first line that fails."""
        own = f"{self.root}/stubs:{self.root}/usr/local/bin:{ROOT}/.uv/bin:{os.environ['PATH']}"
        command = ["/bin/sh", "-euc", script]
        if user != "root":
            command = ["runuser", "--user", user, "--", *command]
        settings = {name: v for name, v in os.environ.items() if not name.startswith("PAPERS_")}
        trusted = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": f"{ROOT}/.git",
        }
        return subprocess.run(
            command,
            env=settings | trusted | PYTHON | {"PATH": own, "HOME": str(self.root)},
            cwd=self.root,
            check=False,
            capture_output=True,
            text=True,
        )

    def section(self, heading: str, **words: str) -> "subprocess.CompletedProcess[str]":
        """What root's shell says to the first block of commands under this heading."""
        text = RUNBOOK.partition(f"\n## {heading}\n")[2]
        block = text.partition("```sh\n")[2].partition("```")[0]
        assert block, f"{heading} has no commands"
        block = self.here(block)
        for word, value in words.items():
            block = block.replace(word, value)
        return self.shell(block)


@pytest.fixture
def machine() -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root installs for another user")
    root = Path(tempfile.mkdtemp())
    try:
        root.chmod(0o755)
        for folder in ("opt", "var/lib", "var/backups", "usr/local/bin", "etc/systemd/system"):
            (root / folder).mkdir(parents=True)
        (root / "stubs").mkdir()
        for name in ("useradd", "systemctl"):
            stub = root / "stubs" / name
            stub.write_text(f'#!/bin/sh\necho {name} "$@" >> {root}/asked\n')
            stub.chmod(0o755)
        # the clone is made first, so that what it holds can be given this machine's paths
        clone = root / "opt" / "daily-papers"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        here = Machine(root)
        for file in (clone / "infra" / "papers", *(clone / "infra" / "systemd").iterdir()):
            file.write_text(here.here(file.read_text()))
        yield here
    finally:
        shutil.rmtree(root)


@pytest.mark.torture
def test_the_runbook_installs_backs_up_upgrades_and_restores(machine: Machine) -> None:
    home = machine.root / "var" / "lib" / "daily-papers"

    # git would refuse the folder that is there; all other lines run as they stand
    installed = machine.section("Install", **{"git clone": ": git clone"})
    assert (installed.returncode, installed.stderr) == (0, "")
    asked = (machine.root / "asked").read_text()
    assert "useradd --system --home-dir" in asked
    enabled = re.findall(r"papers-\S+", asked.partition("enable --now")[2].partition("\n")[0])
    assert {machine.root / "etc/systemd/system" / unit for unit in enabled} <= set(
        (machine.root / "etc/systemd/system").iterdir()
    )

    def doctor(user: str) -> str:
        said = machine.shell("papers doctor", user)
        assert "Traceback" not in said.stderr
        # two calls a second apart do not find the same disk: every other job writes to it
        return re.sub(r"[\d.]+ GB are free", "? GB are free", said.stdout)

    added = machine.shell("papers subscribers add ada@example.org")
    assert (added.returncode, added.stderr) == (0, ""), added.stdout
    assert doctor("root") == doctor(USER), "root and the user have the same settings"
    owners = {pwd.getpwuid(file.stat().st_uid).pw_name for file in home.rglob("*")}
    assert owners == {USER, "root"}, "only papers.env is root's"
    assert [f.name for f in home.iterdir() if f.stat().st_uid == 0] == ["papers.env"]

    unit = (machine.root / "etc/systemd/system/papers-backup.service").read_text()
    command = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)[0]
    backup = machine.shell(f"PAPERS_HOME={home} {command}", USER)
    assert (backup.returncode, backup.stderr) == (0, "")
    archive = backup.stdout.strip()

    upgraded = machine.section("Upgrade", **{"papers doctor": "papers status"})
    assert upgraded.returncode in {0, 1}, upgraded.stderr
    assert "dubious" not in upgraded.stderr

    restored = machine.section("Restore", ARCHIVE=archive)
    assert (restored.returncode, restored.stderr) == (0, "")
    people = machine.shell("papers subscribers list", USER)
    assert "ada@example.org" in people.stdout, people.stderr
    assert machine.shell(f"test -w {home}", USER).returncode == 0


def test_installing_trusts_the_authorities_that_the_machine_trusts() -> None:
    """Behind a company's proxy only the machine's own store knows who signed its certificates."""
    said = subprocess.run(
        ["make", "--eval", "shown: ; @env", "shown"],
        cwd=ROOT,
        env={name: v for name, v in os.environ.items() if name != "PIP_CERT"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "UV_SYSTEM_CERTS=true\n" in said
    if Path("/etc/ssl/certs/ca-certificates.crt").exists():
        assert "PIP_CERT=/etc/ssl/certs/ca-certificates.crt\n" in said
