"""What `papers` says on the terminal, and the exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

Papers = Callable[..., tuple[int, str, str]]


@pytest.fixture
def papers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Papers:
    """Run `papers` with these words: exit code, standard output, standard error."""
    from flows.commands import cli, mail, readings, site
    from flows.commands.console import PipedConsole

    monkeypatch.chdir(tmp_path)

    def go(*words: str) -> tuple[int, str, str]:
        for module in (cli, mail, readings, site):
            monkeypatch.setattr(module, "console", PipedConsole(highlight=False, soft_wrap=True))
            monkeypatch.setattr(
                module, "errors", PipedConsole(stderr=True, highlight=False, soft_wrap=True)
            )
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return go
