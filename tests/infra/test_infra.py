"""What is under infra/ fits the project: images, compose, units, backup, runbook."""

import os
import re
import shlex
import shutil
import subprocess
import tarfile
from configparser import ConfigParser
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml  # type: ignore[import-untyped]  # dbt brings it, without types

from flows import outcome
from flows.commands.cli import app
from flows.mail_setup import open_mailing
from flows.mailing.database import open_mailing_database
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add, find
from flows.settings import Settings, load_settings
from flows.warehouse.database import open_warehouse
from flows.warehouse.publications import at_publication, name_publication, newest_publication
from flows.wording import verdict_words
from tests import docs
from tests.support.lakes import Lake

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
UNITS = sorted((INFRA / "systemd").iterdir())
COMPOSE = INFRA / "compose.yaml"
RUNBOOK = (INFRA / "README.md").read_text()


def _services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return loaded


def _run(*command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, env=os.environ | environment, check=False, capture_output=True, text=True
    )


def test_the_image_copies_what_there_is_and_runs_as_nobody_special() -> None:
    text = (INFRA / "Dockerfile").read_text()
    copied = [line.split() for line in text.splitlines() if line.startswith("COPY ")]
    sources = [word for line in copied if "--from=build" not in line for word in line[1:-1]]
    ignored = (INFRA / "Dockerfile.dockerignore").read_text().splitlines()
    # infra/prefect.yaml is tested with the deployments it lists
    assert [name for name in sources if not (ROOT / name).exists()] in ([], ["infra/prefect.yaml"])
    assert {f"!{name}" for name in sources} == {line for line in ignored if line.startswith("!")}
    assert re.findall(r"uv sync --locked --no-dev", text) == ["uv sync --locked --no-dev"] * 2
    assert re.search(r"^USER papers$", text, re.MULTILINE)
    assert text.index("USER papers") < text.index("ENTRYPOINT")
    assert "HEALTHCHECK" in text


def test_the_image_has_the_python_that_the_tests_have_and_what_the_build_needs() -> None:
    text = (INFRA / "Dockerfile").read_text()
    ci = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert set(re.findall(r"^FROM python:(\d\.\d+)", text, re.MULTILINE)) == {"3.11"}
    assert "container: python:3.11-bookworm" in ci


def test_docker_compose_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None or _run(docker, "compose", "version").returncode:
        pytest.skip("docker's client with its compose plugin is not installed")
    accepted = _run(docker, "compose", "--file", COMPOSE, "config", "--quiet")
    assert (accepted.returncode, accepted.stderr) == (0, "")


def test_compose_has_the_topology_and_every_service_is_started_after_what_it_needs() -> None:
    services = _services()
    assert set(services) == {
        "postgres", "prefect", "deployments", "worker", "web", "check", "mail",
    }  # fmt: skip
    assert services["worker"]["deploy"]["replicas"] == 2
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            if condition == "service_healthy":
                assert "test" in services[needed]["healthcheck"], f"{name} waits for {needed}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (INFRA / source).exists()
            else:
                assert source in yaml.safe_load(COMPOSE.read_text())["volumes"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the world: {port}"


def test_compose_commands_can_be_typed_and_its_settings_are_settings() -> None:
    settings = {f"PAPERS_{name.upper()}" for name in Settings.model_fields} | {"PAPERS_HOME"}
    for service in _services().values():
        named = {name for name in service.get("environment", {}) if name.startswith("PAPERS_")}
        assert named <= settings
    assert app["web"].parse_args(["--host", "0.0.0.0"], exit_on_error=False)  # noqa: S104
    example = (INFRA / "compose.env.example").read_text()
    filled = set(re.findall(r"\$\{(\w+):-", COMPOSE.read_text()))
    assert set(re.findall(r"^#?(\w+)=", example, re.MULTILINE)) == filled


def test_no_secret_stands_in_the_compose_file() -> None:
    secret = re.compile(r"^\s+\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*: (.+)$", re.MULTILINE)
    values = secret.findall(COMPOSE.read_text())
    assert values
    assert [value for value in values if not re.match(r"\$\{\w+:-\}(?: +#|$)", value)] == []
    assert "://papers@" in COMPOSE.read_text(), "the database's URL is without its password"
    assert "/infra/.env\n" in (ROOT / ".gitignore").read_text()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for other in UNITS:
        text = re.sub(r"/opt/daily-papers/\S+", "/bin/true", other.read_text())
        text = re.sub(r"^(User|Group)=papers$", r"\1=daemon", text, flags=re.MULTILINE)
        (tmp_path / other.name).write_text(text)
    checked = _run(analyze, "verify", "--man=no", tmp_path / unit.name)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name
)
def test_a_service_may_write_to_its_own_folder_only_and_is_stopped_in_time(unit: Path) -> None:
    parsed = ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    service = parsed["Service"]
    assert service["User"] == "papers"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["StateDirectory"] == Path(service["WorkingDirectory"]).name
    assert f"PAPERS_HOME={service['WorkingDirectory']} " in service["Environment"]
    if unit.name == "papers-serve.service":
        assert int(service["TimeoutStopSec"]) > 10, "papers serve takes up to ten seconds"
        assert service["KillMode"] == "mixed", "papers serve ends its children in their order"


NOW = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)


def _backup(home: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    return _run(INFRA / "backup.sh", folder, PAPERS_HOME=str(home))


def test_a_backup_holds_a_warehouse_and_a_list_that_lie_elsewhere(
    own_home: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    with duckdb.connect(str(elsewhere / "all.duckdb")) as warehouse:
        warehouse.execute("create table readings as select 42 as answer")
    with closing(open_mailing_database(elsewhere / "list.sqlite")) as mailing:
        add(mailing, "ana@example.org", now=NOW, rule=Rule())
    (own_home / "papers.env").write_text(
        f"PAPERS_WAREHOUSE={elsewhere}/all.duckdb\n"
        f"PAPERS_MAILING_URL='sqlite:///{elsewhere}/list.sqlite'\n"
    )
    made = _backup(own_home, tmp_path / "backups")
    assert (made.returncode, made.stderr) == (0, "")
    with tarfile.open(made.stdout.strip()) as opened:
        opened.extractall(tmp_path / "restored", filter="data")
    with duckdb.connect(str(tmp_path / "restored" / "warehouse.duckdb")) as warehouse:
        assert warehouse.execute("from readings").fetchall() == [(42,)]
    with closing(open_mailing_database(tmp_path / "restored" / "mailing.sqlite")) as mailing:
        assert find(mailing, "ana@example.org") is not None

    (elsewhere / "all.duckdb").unlink()
    none = _backup(own_home, tmp_path / "backups")
    assert none.returncode == 1
    assert "There is no warehouse" in none.stderr


def test_a_backup_made_while_the_list_is_written_to_holds_all_that_cannot_be_made_again(
    own_home: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(own_home / "warehouse.duckdb")) as warehouse:
        warehouse.execute("create table readings as select 42 as answer")
    for name in ("issues/2026-08-20-daily/issue.json", "secret.key", "quality/index.html"):
        (own_home / name).parent.mkdir(parents=True, exist_ok=True)
        (own_home / name).write_text(name)
    (own_home / "mailed.log").write_text("stays behind")
    with closing(open_mailing(load_settings())) as mailing:  # still open: the pages never close it
        add(mailing, "ana@example.org", now=NOW, rule=Rule())
        made = _backup(own_home, tmp_path / "backups")
    assert (made.returncode, made.stderr) == (0, "")
    archive = Path(made.stdout.strip())
    assert archive.stat().st_mode & 0o077 == 0, "addresses and the key are in it"

    restored = tmp_path / "restored"
    with tarfile.open(archive) as opened:
        opened.extractall(restored, filter="data")
    assert {path.name for path in restored.iterdir()} == {
        "warehouse.duckdb", "issues", "secret.key", "mailing.sqlite",
    }  # fmt: skip
    with duckdb.connect(str(restored / "warehouse.duckdb")) as warehouse:
        assert warehouse.sql("select answer from readings").fetchall() == [(42,)]
    with closing(open_mailing(Settings(home=restored))) as mailing:
        assert find(mailing, "ana@example.org")


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_a_backup_of_a_lake_is_restored_into_another_catalog_and_folder(
    lake: Lake, other_lake: Lake, own_home: Path, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"home": own_home, **lake.settings})
    (own_home / "papers.env").write_text(
        "".join(f"{name}='{value}'\n" for name, value in lake.environment.items())
    )
    with open_warehouse(settings) as connection:
        connection.execute("create schema raw; create schema marts; create schema staging")
        connection.execute("create table raw.readings as select range as n from range(1000)")
        connection.execute("delete from raw.readings where n % 7 = 0")
        connection.execute(
            "create table marts.papers as select n, n || '!' as title from raw.readings"
        )
        name_publication(connection, settings, NOW)
        connection.execute("delete from marts.papers")  # a build that is not published
    made = _backup(own_home, tmp_path / "backups")
    assert (made.returncode, made.stderr) == (0, "")
    with open_warehouse(settings) as connection:
        connection.execute("insert into raw.readings values (-1)")
    shutil.rmtree(lake.storage)

    restored = tmp_path / "restored"
    with tarfile.open(made.stdout.strip()) as opened:
        opened.extractall(restored, filter="data")
    (restored / "lake").rename(other_lake.storage)
    for command in (
        ["pg_restore", "--no-owner", "--dbname", other_lake.catalog, f"{restored}/catalog.dump"],
        ["psql", other_lake.catalog, "-c", _MOVED.format(other_lake.storage)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    there = Settings.model_validate({"home": restored, **other_lake.settings})
    with open_warehouse(there) as connection:
        count = connection.execute("select count(*), min(n) from raw.readings").fetchall()
        assert count == [(857, 1)]
        assert connection.execute("from marts.papers").fetchall() == []
    publication = newest_publication(there)
    assert publication is not None
    with at_publication(there, publication) as connection:
        rows = connection.execute("select count(*), max(title) from marts.papers").fetchall()
    assert rows == [(857, "999!")]


_MOVED = "update ducklake_metadata set value = '{}/' where key = 'data_path'"


def test_a_backup_of_a_lake_in_a_bucket_says_what_the_bucket_has_to_do(
    s3_lake: Lake, own_home: Path, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"home": own_home, **s3_lake.settings})
    with open_warehouse(settings) as connection:
        connection.execute("create table numbers as select range as n from range(9)")
    made = _run(INFRA / "backup.sh", tmp_path, PAPERS_HOME=str(own_home), **s3_lake.environment)
    assert made.returncode == 0
    assert "let that bucket keep old versions" in made.stderr
    with tarfile.open(made.stdout.strip()) as opened:
        files = opened.extractfile("./lake.files")
        assert files is not None
        assert files.read().decode().startswith("main/numbers/ducklake-")


def test_a_backup_of_a_lake_whose_catalog_is_away_leaves_no_archive(
    own_home: Path, tmp_path: Path
) -> None:
    lake = Lake("dbname=x host=127.0.0.1 port=9", str(tmp_path))
    made = _run(INFRA / "backup.sh", tmp_path, PAPERS_HOME=str(own_home), **lake.environment)
    assert made.returncode != 0
    assert "Connection refused" in made.stderr
    assert list(tmp_path.glob("*.tar.gz")) == []


def test_a_backup_without_a_home_is_refused_in_one_sentence(tmp_path: Path) -> None:
    refused = _backup(tmp_path / "nowhere", tmp_path)
    assert refused.returncode == 2
    assert "There is no folder" in refused.stderr
    assert list(tmp_path.glob("*.tar.gz")) == []


def test_the_runbook_has_an_entry_for_every_verdict_and_exit_code() -> None:
    entries = set(re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE))
    codes = {value for name, value in vars(outcome).items() if name.startswith("EXIT_")}
    assert {f"the exit code is {code}" for code in codes} <= entries
    verdicts = {verdict_words(name).lower() for name in docs.VERDICTS}
    assert {f"the verdict is {verdict}" for verdict in verdicts} <= entries


def test_the_commands_of_the_runbook_can_be_typed() -> None:
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL))
    lines = re.findall(r"^papers ([^#\n]+)", shell, re.MULTILINE)
    lines += re.findall(r"`papers ([a-z][^`]*)`", RUNBOOK.replace("DAY", "2026-08-20"))
    assert len(lines) > 20
    for line in lines:
        words, command = shlex.split(line.replace("MAILBOX", "mbox")), app
        while words and words[0] in command:
            command = command[words.pop(0)]
        assert command is not app, f"papers {line}"
        if command.default_command and words:
            command.parse_args(words, exit_on_error=False, print_error=False)


def test_the_settings_of_the_runbook_are_settings() -> None:
    known = {f"PAPERS_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"PAPERS_[A-Z0-9_]+", RUNBOOK)) <= known
