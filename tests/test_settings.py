"""One way to the settings for shells and services, and none that can never work."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from flows.commands import cli
from flows.deliver import deliver
from flows.issues.frozen import issue_files, write_files
from flows.mail_setup import open_mailing
from flows.mailing.sender import SendLimits
from flows.mailing.subscribers import add
from flows.mailing.transports import TransportError
from flows.settings import SETTINGS_FILE, Settings, SettingsError, load_settings, unknown_settings
from tests.web.conftest import LAST_DAY, digest_of

NOW = datetime.combine(LAST_DAY, datetime.min.time(), UTC).replace(hour=2)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that only the environment names."""
    home = tmp_path / "kept"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERS_HOME", str(home))
    return home


def test_the_file_in_the_home_is_read_by_whoever_names_the_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("PAPERS_REREAD_DAYS=3\nPAPERS_TIMEZONE=Asia/Tokyo\n")
    (home / SETTINGS_FILE).write_text("PAPERS_REREAD_DAYS=5\nPAPERS_HOME=/elsewhere\n")
    settings = load_settings()
    assert (settings.reread_days, settings.timezone, settings.home) == (5, "Asia/Tokyo", home)
    monkeypatch.setenv("PAPERS_REREAD_DAYS", "7")
    assert load_settings().reread_days == 7


def test_a_settings_file_that_cannot_be_read_is_one_sentence(home: Path) -> None:
    (home / SETTINGS_FILE).write_bytes(b"PAPERS_TIMEZONE=\xff\xfe\n")
    with pytest.raises(SettingsError, match="The settings cannot be read"):
        load_settings()


def test_a_misspelt_name_is_told_with_where_it_stands(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAILURL", "smtp://x")
    (home / SETTINGS_FILE).write_text("PAPERS_TIME_ZONE=Asia/Tokyo\nOTHER=1\n")
    why = "is no setting, and has no effect; did you mean"
    assert list(unknown_settings(load_settings())) == [
        f"PAPERS_MAILURL in the environment {why} PAPERS_MAIL_URL?",
        f"PAPERS_TIME_ZONE in {home / SETTINGS_FILE} {why} PAPERS_TIMEZONE?",
    ]


@pytest.mark.parametrize(
    "words", ["run", "status", "doctor", "serve", "web", "subscribers list", "issue status"]
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAPERS_MAIL_FROM", "Daily Papers <papers@papers.test>"),
        ("PAPERS_HUB_TOKEN", "hf_\u20ac"),
        ("PAPERS_HUB_TOKEN", "hf_a\nb"),
        ("PAPERS_MAIL_URL", "http://relay.example.org"),
        ("PAPERS_MAIL_URL", "smtp://relay.example.org:99999"),
    ],
)
def test_mail_that_could_never_leave_is_refused_by_every_command(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_FROM", "papers@example.org")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(words.split())
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert name in said
    assert said.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_bad_setting_of_a_file_is_told_with_its_file(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PAPERS_DEADLINE=noon\nPAPERS_MAIL_SHARDS=none\n")
    (own_home / SETTINGS_FILE).write_text("PAPERS_DEADLINE=dusk\n")
    monkeypatch.setenv("PAPERS_MAIL_SHARDS", "many")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    deadline, shards = sorted(str(refused.value).split("; "))
    assert deadline.startswith(f"PAPERS_DEADLINE in {own_home / SETTINGS_FILE} cannot be used: ")
    assert shards.startswith("PAPERS_MAIL_SHARDS cannot be used: ")

    (own_home / SETTINGS_FILE).unlink()
    monkeypatch.delenv("PAPERS_MAIL_SHARDS")
    with pytest.raises(SettingsError, match=r"PAPERS_MAIL_SHARDS in \.env cannot be used: "):
        load_settings()


@pytest.mark.parametrize("value", ["foo", "mysql://host/list", "postgres", "/srv/list.sqlite"])
def test_what_is_no_database_is_no_place_for_the_mailing_list(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERS_MAILING_URL", value)
    with pytest.raises(SettingsError, match=r"^PAPERS_MAILING_URL cannot be used: must be"):
        load_settings()


@pytest.mark.parametrize("odd", [*"=?#%'\"\\$*[]{}", "\n", "\x7f"])
def test_a_home_that_the_libraries_would_take_for_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], odd: str
) -> None:
    monkeypatch.setenv("PAPERS_HOME", str(tmp_path / f"ho{odd}me"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["status"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("PAPERS_HOME cannot be used: the path ")
    assert said.count("\n") == 1
    assert not (tmp_path / f"ho{odd}me").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("DBT_TARGET", "DBT_PROFILES_DIR", "GX_CLOUD_MODE", "RUNTIME__LOG_LEVEL", "DLT_DATA_DIR"),
        *("NORMALIZE__WORKERS", "DESTINATION__DUCKDB__CREDENTIALS", "PREFECT_PROFILE"),
    ],
)
def test_a_word_of_another_project_for_our_libraries_is_not_heard(name: str) -> None:
    code = f"import os, flows; print(os.environ.get({name!r}))"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {name: "prod"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "None\n"


def test_help_needs_no_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERS_MAIL_URL", "nonsense")
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "--help"])
    assert ended.value.code == 0


def test_a_list_that_a_relay_mailed_is_not_silently_sent_to_files(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the pauses before it gives the relay up are tested with the sending
    monkeypatch.setattr("flows.deliver.SendLimits", partial(SendLimits, reconnect_pauses=(0.01,)))
    digest = digest_of(LAST_DAY)
    relayed = Settings(home=home, mail_url="smtp://127.0.0.1:1?tls=none", mail_from="p@example.org")
    folder = relayed.issue_folder(LAST_DAY)
    write_files(folder, issue_files(digest, relayed))
    mailing = open_mailing(relayed)
    add(mailing, "ada@example.org", now=NOW)
    assert deliver(mailing, folder, relayed, NOW).is_blocked
    with pytest.raises(TransportError, match="was mailed through a relay before"):
        deliver(mailing, folder, Settings(home=home), NOW)
    assert not (folder / "mail").exists()
    files = Settings(home=home, mail_url="files")
    assert deliver(mailing, folder, files, NOW, is_forced=True).sentence == "Sent to 1."
    mailing.close()
