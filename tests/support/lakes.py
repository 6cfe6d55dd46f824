"""A lake of a test: a database of the real PostgreSQL server, and a bucket of a real S3 server."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
import requests
from psycopg.sql import SQL, Identifier


@dataclass
class Bucket:
    """An S3 server with one bucket; `refusal` is what it answers to whoever writes from now on."""

    endpoint: str
    refusal: tuple[str, bytes] | None = None
    name: str = field(default_factory=lambda: f"papers-{uuid4().hex[:8]}")

    def refuse(self, status: str, code: str) -> None:
        """Answer so to every write."""
        self.refusal = status, f"<Error><Code>{code}</Code></Error>".encode()


@dataclass(frozen=True)
class Lake:
    """Where a lake of a test is, as settings say it."""

    catalog: str
    storage: str
    endpoint: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a home whose warehouse it is."""
        found = {"warehouse": f"ducklake:postgres:{self.catalog}", "lake_storage": self.storage}
        if self.endpoint:
            found |= {"lake_s3_endpoint": self.endpoint}
            found |= {"lake_s3_key_id": "papers", "lake_s3_secret": "secret"}
        return found

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables."""
        return {f"PAPERS_{name.upper()}": value for name, value in self.settings.items()}

    def ask(self, query: LiteralString) -> list[tuple[object, ...]]:
        """What PostgreSQL answers about the catalog."""
        with psycopg.connect(self.catalog, autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def catalog(postgres: str) -> str:
    """How PostgreSQL connects to a new database."""
    return _new_database(postgres)


def _new_database(postgres: str) -> str:
    name = f"lake_{uuid4().hex}"
    with closing(psycopg.connect(postgres % "postgres", autocommit=True)) as connection:
        connection.execute(SQL("create database {}").format(Identifier(name)))
    folder = postgres.partition("host=")[2]
    return f"dbname={name} host={folder} user=papers"


@pytest.fixture
def lake(catalog: str, tmp_path: Path) -> Lake:
    """A new lake with its files in a folder."""
    return Lake(catalog, str(tmp_path / "storage"))


@pytest.fixture
def other_lake(postgres: str, tmp_path: Path) -> Lake:
    """One more, that nobody has made yet."""
    return Lake(_new_database(postgres), str(tmp_path / "other_storage"))


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """A bucket of an S3 server of this test."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    moto = DomainDispatcherApplication(create_backend_app)
    found = Bucket("")

    def answer(environ: dict[str, Any], start: Any) -> Any:
        writes = environ["REQUEST_METHOD"] in {"PUT", "POST"}
        if found.refusal and writes and environ["PATH_INFO"].strip("/").count("/"):
            start(found.refusal[0], [("Content-Type", "application/xml")])
            return [found.refusal[1]]
        return moto(environ, start)

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found.endpoint = f"http://127.0.0.1:{server.server_port}"
        requests.put(f"{found.endpoint}/{found.name}", timeout=10).raise_for_status()
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def s3_lake(catalog: str, bucket: Bucket) -> Lake:
    """A new lake with its files in a bucket."""
    return Lake(catalog, f"s3://{bucket.name}/papers", bucket.endpoint)
