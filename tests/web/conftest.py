"""The reader pages on a real port, with a month of issues, and mails caught at the door."""

import json
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
import uvicorn

from flows.issues.frozen import issue_files, write_files
from flows.mail_setup import secret_keys
from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.subscribers import Subscriber, add, find
from flows.mailing.tokens import Purpose, Tokens
from flows.newsletter.digest import Digest, DigestPaper, Proof
from flows.settings import Settings
from flows.sources.sample.days import items_at
from flows.web.app import create_app
from flows.web.limits import Rate, RateLimits
from tests.support.dbt_build import Warehouse
from tests.support.publishing import publish_built
from tests.support.site import Site, serving

LAST_DAY = date(2026, 8, 20)
NOW = datetime(2026, 8, 21, 3, 0, tzinfo=UTC)
GENEROUS = RateLimits(*[Rate(100_000, 0.001)] * 4)
PAPER = "/2608.02001"  # of the newest list, as an address of the purpose LIKE ends
_SUBJECTS = ("Tidepools", "Robots That Fold", "Long-Context Memory", "Diffusion on Maps")
_ENDINGS = ("at Low Cost", "in the Wild", "from a Single Video", "Without a Teacher", "& Friends")


def digest_of(day: date, count: int = 14) -> Digest:
    papers = tuple(_paper(day, rank) for rank in range(1, count + 1))
    read_at = datetime(day.year, day.month, day.day, 2, 31, tzinfo=UTC) + timedelta(days=1)
    return Digest(day, "daily", papers, Proof(count, count, read_at, 32))


def _paper(day: date, rank: int) -> DigestPaper:
    subject = _SUBJECTS[(day.day + rank) % len(_SUBJECTS)]
    odd = " <b>bold</b>\nnew line & 😀 $\\nabla$ مرحبا" if rank == 7 else ""
    return DigestPaper(
        paper_id=f"{day:%y%m}.{day.day * 100 + rank:05}",
        rank=rank,
        title=f"{subject}-{rank}: {subject} {_ENDINGS[rank % len(_ENDINGS)]}{odd}",
        abstract="We teach small models by the sea. They learn, and they remember. " * 6,
        upvotes_count=1300 // rank,
        comments_count=2,
        organization_name="Institute of Tides" if rank % 3 else None,
        author_names=("Ana Lindqvist", "Bo Čapek"),
        author_count=2,
        published_on=day - timedelta(days=1),
        ai_summary="A tide of small models, each learning from the last.",
        github_url="https://github.com/tides/pool" if rank % 2 else None,
        github_stars_count=1234 if rank % 2 else None,
    )


def list_dates(count: int) -> list[date]:
    """The last weekdays up to LAST_DAY, in order."""
    days = (LAST_DAY - timedelta(days=back) for back in range(2 * count))
    return sorted([day for day in days if day.weekday() < 5][:count])


def publish(path: Path, digests: list[Digest]) -> None:
    """A published file with these days, replaced as the pipeline does it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    tables: dict[str, list[dict[str, Any]]] = {
        "daily_digests": [
            {"digest_date": d.issue_date, "verdict": "complete"}
            | dict.fromkeys(("paper_count", "listed_count"), len(d.papers))
            for d in digests
        ],
        "list_readings": [
            {
                "list_date": d.issue_date,
                "reading_id": f"{d.issue_date}.x",
                "read_at": d.proof.read_at,
                "item_count": d.proof.source_count,
                "is_admitted": True,
            }
            for d in digests
        ],
        "quality.day_reports": [
            {
                "list_date": d.issue_date,
                "run_id": f"{d.issue_date}.x",
                "paper_count": len(d.papers),
                "source_count": d.proof.source_count,
                "passed_count": 0,
                "warning_count": 0,
                "failure_count": 0,
            }
            for d in digests
        ],
        "papers": [
            asdict(paper)
            | {"list_dates": [d.issue_date], "organization_handle": None, "organization_id": None}
            | {"last_listed_on": d.issue_date, "last_read_at": d.proof.read_at}
            for d in digests
            for paper in d.papers
        ],
        "daily_digest_papers": [
            asdict(paper)
            | {"digest_date": d.issue_date, "digest_rank": paper.rank, "is_repeat": False}
            for d in digests
            for paper in d.papers
        ],
    }
    with duckdb.connect(str(new)) as connection:
        connection.execute(_TABLES)
        for name, rows in tables.items():
            table = name if "." in name else f"marts.{name}"
            file = path.with_name(f"{table}.json")
            file.write_text(json.dumps(rows, default=str))
            columns = ", ".join(
                row[0] for row in connection.execute(f"describe {table}").fetchall()
            )
            connection.execute(
                f"insert into {table} select {columns} from read_json(?)", [str(file)]
            )
    new.replace(path)


_TABLES = """
    create schema marts;
    create schema quality;
    create table marts.daily_digests (
        digest_date date, verdict text, paper_count bigint, listed_count bigint
    );
    create table marts.paper_readings (
        list_date date, paper_id text, read_at timestamptz, upvotes_count bigint
    );
    create table marts.listings (
        list_date date, paper_id text, upvotes_7d_count bigint, has_code boolean, is_removed boolean
    );
    create table marts.keyword_weeks (
        week_date date, keyword text, paper_count bigint, earlier_paper_count bigint,
        paper_share double, earlier_paper_share double
    );
    create table marts.curation_days (
        list_date date, submitter_count bigint, top_submitter_share double,
        self_submission_share double, submission_lag_days_median double
    );
    create table marts.list_readings (
        list_date date, reading_id text, read_at timestamptz, item_count bigint, is_admitted boolean
    );
    create table marts.papers (
        paper_id text, title text, abstract text, organization_name text, author_names text[],
        author_count bigint, published_on date, ai_summary text, github_url text,
        github_stars_count bigint, project_url text, submitted_by text, is_withdrawn boolean,
        comments_count bigint, ai_keywords text[], list_dates date[],
        organization_handle text, organization_id text, upvotes_count bigint,
        last_listed_on date, last_read_at timestamptz
    );
    create table marts.daily_digest_papers (
        digest_date date, paper_id text, digest_rank bigint, upvotes_count bigint,
        comments_count bigint, why_here text, is_repeat boolean
    );
    create table marts.daily_digest_updates (
        digest_date date, section text, update_rank bigint, paper_id text, upvotes_count bigint,
        why_here text
    );
    create table marts.trending_papers (as_of_date date);
    create table quality.day_reports (
        list_date date, run_id text, paper_count bigint, source_count bigint, passed_count bigint,
        warning_count bigint, failure_count bigint
    );
    create table quality.gate_results (
        run_id text, is_success boolean, sentence text, gate text, suite text, expectation text,
        column_name text
    );
"""


@pytest.fixture(scope="session")
def web_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published month and its issues, the same for all tests."""
    settings = Settings(home=tmp_path_factory.mktemp("web") / "home")
    digests = [digest_of(day) for day in list_dates(26)]
    publish(settings.published_path, digests)
    for digest in [digest_of(date(2025, 12, 31)), *digests]:
        write_files(
            settings.issues_path / f"{digest.issue_date}-daily",
            issue_files(digest, settings) | {"quality.html": b"<!doctype html><title>q</title>"},
        )
    return settings.home


@dataclass
class Web:
    """A running site: its address, its list, and the mails that it sent."""

    url: str
    settings: Settings
    mailing: Mailing
    outbox: "queue.Queue[tuple[str, EmailMessage]]" = field(default_factory=queue.Queue)
    browser: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **given: Any) -> requests.Response:
        return self.browser.get(f"{self.url}{path}", timeout=30, allow_redirects=False, **given)

    def post(self, path: str, data: Any = None, **given: Any) -> requests.Response:
        return self.browser.post(
            f"{self.url}{path}", data=data, timeout=30, allow_redirects=False, **given
        )

    def subscribe(self, address: str, **fields: str) -> requests.Response:
        """Fill in the front page's form as a person would."""
        return self.post("/", {"form_key": self.form_key(), "address": address} | fields)

    def form_key(self) -> str:
        found = re.search(r'name="form_key" value="([^"]+)"', self.get("/").text)
        assert found
        return found[1]

    def mail(self) -> tuple[str, str]:
        """The next mail's recipient, and its text."""
        to, message = self.outbox.get(timeout=20)
        body = message.get_body(("plain",))
        assert body
        return to, body.get_content()

    def path(self, purpose: Purpose, person: Subscriber) -> str:
        token = Tokens(secret_keys(self.settings)).sign(purpose, person.public_id)
        return f"/{purpose.value}/{token}{PAPER if purpose == Purpose.LIKE else ''}"

    def add(self, address: str = "ana@example.org") -> Subscriber:
        return add(self.mailing, address, now=NOW)

    def known(self, address: str = "ana@example.org") -> Subscriber:
        person = find(self.mailing, address)
        assert person
        return person

    def state(self, address: str = "ana@example.org") -> str | None:
        person = find(self.mailing, address)
        return person.state if person else None

    def rows(self) -> list[Any]:
        """Everything the list holds."""
        with self.mailing.read() as connection:
            return [
                *connection.exec_driver_sql("select * from subscribers order by id").all(),
                *connection.exec_driver_sql("select * from suppressions").all(),
            ]


Serve = Callable[..., Web]


Running = list[tuple[uvicorn.Server, threading.Thread, Web]]


@pytest.fixture(scope="session")
def ending() -> Iterator[Running]:
    """Sites that were told to end: a test need not wait while they do."""
    sites: Running = []
    yield sites
    for _, thread, web in sites:
        thread.join(15)
        web.mailing.close()
        assert not thread.is_alive()


@pytest.fixture
def serve(tmp_path: Path, web_home: Path, ending: Running) -> Iterator[Serve]:
    """Starts sites; they are told to end with the test."""
    running: Running = []

    def start(limits: RateLimits = GENEROUS, path: str = "", public_url: str = "") -> Web:
        # asyncio turns Nagle's algorithm off only where it sees that this is TCP: 40 ms an answer
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
        settings = Settings(home=web_home, public_url=public_url or url)
        mailing = open_mailing_database(tmp_path / f"mailing-{len(running)}.sqlite")
        web = Web(url, settings, mailing)
        app = create_app(
            settings, mailing, lambda to, mail: web.outbox.put((to, mail)), limits=limits
        )
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        running.append((server, thread, web))
        return web

    yield start
    for server, _, web in running:
        web.browser.close()
        server.should_exit = True
    ending.extend(running)


@pytest.fixture
def web(serve: Serve) -> Web:
    return serve()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has published a week, each list read twice, and a Saturday."""
    home = tmp_path_factory.mktemp("lists")
    warehouse = Warehouse(home, home / "warehouse.duckdb")
    for day in range(10, 15):
        for at in (f"2026-08-{day} 08:00", f"2026-08-{day + 1} 02:31"):
            moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
            items = items_at(date(2026, 8, day), moment, 6)
            is_closed = at.endswith("02:31")
            warehouse.read(
                at, items, day=f"2026-08-{day}", verdict="complete" if is_closed else "partial"
            )
    warehouse.read("2026-08-15 12:00", (), verdict="empty")
    publish_built(warehouse, Settings(home=home))
    return home


@pytest.fixture(scope="session")
def site(home: Path) -> Iterator[Site]:
    with serving(Settings(home=home)) as running:
        yield running
