"""The branch that keeps the state: one commit without a past, replaced by compare-and-swap.

A branch has what a release asset has not: the server takes a push only while the branch still is
where the pusher found it. So of two runs at once one goes on, and the other knows.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from flows.errors import OperationError
from flows.outcome import EXIT_LATER

NAME = "state"
_REF = f"refs/heads/{NAME}"
_REMOTE, _FOUND = "kept", "refs/kept/found"
_SECONDS = 900.0  # what a transfer may take
_TRIES = 3
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


class BranchError(OperationError):
    """The repository cannot be reached, or refuses; the message says why."""


class BranchMovedError(OperationError):
    """Somebody else has replaced the branch since; nothing of theirs was overwritten."""

    exit_code = EXIT_LATER


@dataclass(frozen=True)
class Branch:
    """The branch at a repository's address, and a working copy of it in a folder."""

    url: SecretStr
    folder: Path

    def fetch(self) -> str | None:
        """Bring the folder to where the branch is; its commit, or None where there is none yet.

        Raises BranchError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "--quiet")
        if self._tip() is None:
            self._git("update-ref", "-d", _FOUND)
            return None
        # Not --depth=1, though the branch has one commit: git notes it as cut off, and a server
        # then refuses a push now and then ("shallow update not allowed").
        self._git("fetch", "--quiet", "--no-tags", _REMOTE, _REF)
        commit = self._git("rev-parse", "FETCH_HEAD").strip()
        self._git("read-tree", "--reset", "-u", commit)
        self._git("clean", "--quiet", "--force", "-d", "-x")
        self._git("update-ref", _FOUND, commit)
        return commit

    def replace(self, what: str) -> None:
        """Make what is in the folder the branch, if it still is where this folder found it.

        Raises:
            BranchMovedError: it is not.
            BranchError: the repository cannot be reached, or refuses.
        """
        expected = self._git("for-each-ref", "--format=%(objectname)", _FOUND).strip() or None
        self._git("add", "--all", "--force")
        tree = self._git("write-tree").strip()
        commit = self._git("commit-tree", tree, "-m", what).strip()
        trouble = ""
        for _ in range(_TRIES):
            lease = f"--force-with-lease={_REF}:{expected or ''}"
            try:
                self._git("push", "--quiet", lease, _REMOTE, f"{commit}:{_REF}")
            except BranchError as error:
                trouble = str(error)
            now = self._tip()
            if now == commit:  # also where it arrived, and the answer did not
                self._git("update-ref", _FOUND, commit)
                return
            if now != expected:
                raise BranchMovedError(
                    "Another run has replaced the state meanwhile, and goes on from there; this one"
                    " steps back, and nothing of the other was overwritten."
                )
        raise BranchError(trouble)

    def _tip(self) -> str | None:
        """Where the branch is at the repository; None where it has no such branch."""
        return self._git("ls-remote", _REMOTE, _REF).partition("\t")[0].strip() or None

    def _git(self, *words: str) -> str:
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Daily Papers"), ("EMAIL", "papers@localhost"))
        }
        number = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        # The address may hold a password, and an argument is read by whoever lists processes.
        environment |= identity | {
            "GIT_CONFIG_COUNT": str(number + 1),
            f"GIT_CONFIG_KEY_{number}": f"remote.{_REMOTE}.url",
            f"GIT_CONFIG_VALUE_{number}": self.url.get_secret_value(),
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        try:
            done = subprocess.run(  # noqa: S603  # our own words, and no shell
                ("git", "-c", "core.autocrlf=false", "-c", "gc.auto=0", *words),  # noqa: S607
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise BranchError("The state cannot be kept: git is not installed.") from None
        except subprocess.TimeoutExpired:
            raise BranchError(f"The state's repository did not answer `git {words[0]}`.") from None
        if done.returncode:
            said = _CREDENTIALS.sub("", " ".join(done.stderr.split()))
            raise BranchError(f"`git {words[0]}` failed at the state's repository: {said}")
        return done.stdout
