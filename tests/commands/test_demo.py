"""The demo is alone: what an operator has set for real readers is nothing to it."""

import os
from pathlib import Path

import pytest

from flows.commands import demo
from flows.settings import Settings, load_settings


def test_the_demo_knows_no_setting_of_its_surroundings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PAPERS_")]:
        monkeypatch.delenv(name)
    Path(".env").write_text(
        "PAPERS_WAREHOUSE=/srv/real.duckdb\nPAPERS_MAILING_URL=postgresql://real/list\n"
        "PAPERS_MAIL_URL=smtp://relay.example.org\nPAPERS_OPERATOR_EMAIL=op@example.org\n"
    )
    monkeypatch.setenv("PAPERS_STATE_URL", "https://example.org/state.git")
    assert load_settings().mail_url is not None
    home = tmp_path / "data" / "demo"

    demo._forget_settings(home)
    found = load_settings()
    for name in ("PAPERS_HOME", "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)

    assert found == Settings(home=home, _env_file=None)
