"""Checks for the operator before the first run or after a bad one; they change nothing."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import duckdb
import requests

from flows.errors import OperationError, UsageError
from flows.mail_setup import secret_keys, transport
from flows.mailing.database import MailingError
from flows.mailing.dns_records import dns_findings
from flows.mailing.transports import FileTransport, TransportError
from flows.operations.incidents import open_incidents
from flows.operations.status import mailing_if_any, overview
from flows.settings import Settings, SettingsError, unknown_settings
from flows.sources.feed_day import newest_closed
from flows.sources.hub import Hub, Patience
from flows.warehouse.database import connect, lock_holder
from flows.wording import counted

_PATIENCE = Patience(attempts=1, connect_timeout=5, read_timeout=10)
_SERVER_SECONDS = 5
# A publication is written whole beside the old one, and DuckDB wants room to sort in.
_DISK_LOW, _DISK_SCARCE = 5_000_000_000, 1_000_000_000
_KEY_LENGTH = 32  # characters; a shorter key can be guessed, and every reader's links with it


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at. Level: ok, note, warning, problem (only a problem fails the check)."""

    level: str
    subject: str
    sentence: str


def examine(settings: Settings, server_url: str | None, now: datetime) -> Iterator[Diagnosis]:
    """What was found, one subject after the other; `server_url` is Prefect's API, if any."""
    before = (_settings, _home, _hub, _warehouse, _published)
    after = (_mail, _key, _dns, _operator)
    for look in before:
        yield from look(settings, now)
    yield from _server(server_url, now)
    for look in after:
        yield from look(settings, now)


def usable(checks: Iterable[Callable[[], object]]) -> Iterator[Diagnosis]:
    """A problem for each check of a setting that fails."""
    for check in checks:
        try:
            check()
        except (UsageError, OperationError) as error:
            yield Diagnosis("problem", "settings", str(error))


def _settings(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    for sentence in unknown_settings(settings):
        yield Diagnosis("warning", "settings", sentence)


def _home(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    home = settings.home
    there = next(path for path in (home, *home.parents) if path.exists())
    if not os.access(there, os.W_OK):
        sentence = f"{there} cannot be written to; own it, or set PAPERS_HOME to another folder."
        yield Diagnosis("problem", "home", sentence)
        return
    yield Diagnosis("ok", "home", f"Everything is kept in {home}.")
    free = shutil.disk_usage(there).free
    left = f"{free / 1e9:.1f} GB are free in {there}"
    if free < _DISK_SCARCE:
        yield Diagnosis("problem", "disk", f"Only {left}; the next run may fail: make room.")
    elif free < _DISK_LOW:
        yield Diagnosis("warning", "disk", f"{left}; make room before it is gone.")
    else:
        yield Diagnosis("ok", "disk", f"{left}.")


def _hub(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    day = newest_closed(now)
    hub = Hub(settings.hub_url, settings.hub_token, _PATIENCE)
    answer = hub.read(day, lambda: now)
    if answer.is_list:
        papers = counted(answer.paper_count, "paper")
        yield Diagnosis("ok", "hub", f"{settings.hub_url} lists {papers} for {day}.")
    else:
        is_refused = answer.status in {401, 403}
        look = "PAPERS_HUB_TOKEN" if is_refused else "PAPERS_HUB_URL and the network"
        sentence = f"{settings.hub_url}: {answer.trouble}; look at {look}."
        yield Diagnosis("problem", "hub", sentence)


def _warehouse(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    try:
        holder, known = lock_holder(settings), overview(settings)
    except OperationError as error:
        yield Diagnosis("problem", "warehouse", str(error))
        return
    if holder:
        yield Diagnosis("note", "writer", f"A run is at work: {holder}.")
    for note in known.notes:
        yield Diagnosis("problem" if known.trouble else "note", "warehouse", note)
    if not known.days:
        if not known.trouble:
            yield Diagnosis("note", "warehouse", "Nothing was read yet; `papers run` begins.")
        return
    newest = known.days[0]
    level = "problem" if newest.verdict == "failed" else "ok"
    yield Diagnosis(level, "warehouse", f"{newest.list_date}: {newest.sentence}")


def _published(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    path = settings.published_path
    if not path.exists():
        yield Diagnosis("note", "published", "Nothing is published yet; `papers run` publishes.")
        return
    try:
        with connect(path, read_only=True, patience=3) as connection:
            newest = connection.execute("select max(digest_date) from marts.daily_digests")
            (day,) = newest.fetchone() or (None,)
    except OperationError as error:
        yield Diagnosis("problem", "published", str(error))
        return
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        sentence = f"{path} cannot be read ({said}); `papers run` publishes it anew."
        yield Diagnosis("problem", "published", sentence)
        return
    yield Diagnosis("ok", "published", f"{path} reaches to {day}.")


def _server(url: str | None, now: datetime) -> Iterator[Diagnosis]:
    if not url:
        sentence = (
            "Neither `papers serve` nor a server of PREFECT_API_URL: each run starts its own."
        )
        yield Diagnosis("note", "prefect", sentence)
        return
    try:
        requests.get(f"{url}/health", timeout=_SERVER_SECONDS).raise_for_status()
        deployments = _ask(url, "deployments", {})
        coming = {"state": {"type": {"any_": ["SCHEDULED"]}}}
        runs = _ask(
            url, "flow_runs", {"flow_runs": coming, "sort": "EXPECTED_START_TIME_ASC", "limit": 1}
        )
    except requests.RequestException as error:
        why = type(error).__name__
        sentence = (
            f"The server at {url} does not answer ({why}); start it, or unset PREFECT_API_URL."
        )
        yield Diagnosis("problem", "prefect", sentence)
        return
    active = [d for d in deployments if not d["paused"] and d["schedules"]]
    if not active:
        sentence = (
            "No deployment has a schedule, so nothing runs by itself; `papers serve` makes them."
        )
        yield Diagnosis("warning", "prefect", sentence)
        return
    names = ", ".join(sorted(d["name"] for d in active))
    if not runs:
        sentence = f"Scheduled: {names}; but no run is coming: is the server's scheduler alive?"
        yield Diagnosis("problem", "prefect", sentence)
        return
    start = datetime.fromisoformat(runs[0]["expected_start_time"])
    at = f"{start:%Y-%m-%d %H:%M} UTC"
    if start < now and (now - start).total_seconds() > 900:
        sentence = (
            f"A run due at {at} has not begun: nothing takes up runs; restart `papers serve`."
        )
        yield Diagnosis("problem", "prefect", sentence)
        return
    yield Diagnosis("ok", "prefect", f"Scheduled: {names}; the next run is at {at}.")


def _ask(url: str, what: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = requests.post(f"{url}/{what}/filter", json=body, timeout=_SERVER_SECONDS)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def _mail(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    try:
        way = transport(settings, settings.issues_path)
        if isinstance(way, FileTransport):
            yield Diagnosis("note", "mail", "Mail goes to files; PAPERS_MAIL_URL names a relay.")
        else:
            with closing(way.open()):
                yield Diagnosis("ok", "mail", "The relay of PAPERS_MAIL_URL takes our connection.")
    except TransportError as error:
        yield Diagnosis("problem", "mail", str(error))
    try:
        with mailing_if_any(settings) as mailing:
            if mailing is None:
                yield Diagnosis("note", "list", "There is no mailing list yet.")
                return
            yield Diagnosis("ok", "list", "The mailing list opens.")
            for one in open_incidents(mailing):
                sentence = f"{one.incident.cause} Run next: {one.incident.command}"
                yield Diagnosis("problem", "incident", sentence)
    except MailingError as error:
        yield Diagnosis("problem", "list", str(error))


def _key(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    path = settings.key_path
    if not settings.secret_key and not path.exists():
        yield Diagnosis("note", "key", f"The first mail makes the key of its links, {path}.")
        return
    try:
        signing = secret_keys(settings)[0].get_secret_value()
    except SettingsError as error:
        yield Diagnosis("problem", "key", str(error))
        return
    name = "PAPERS_SECRET_KEY" if settings.secret_key else str(path)
    if len(signing) < _KEY_LENGTH:
        sentence = f"{name} has fewer than {_KEY_LENGTH} characters; lengthen it."
        yield Diagnosis("warning", "key", sentence)
    elif settings.secret_key:
        yield Diagnosis("ok", "key", f"{name} signs the links in mails.")
    elif path.stat().st_mode & 0o077:
        yield Diagnosis("warning", "key", f"Others can read {path}; `chmod 600` it.")
    else:
        yield Diagnosis("ok", "key", f"{path} signs the links in mails; back it up.")


def _dns(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    if not settings.public_url.startswith("https://"):
        sentence = "PAPERS_PUBLIC_URL is not https: mail clients will not offer one-click leaving."
        yield Diagnosis("warning", "mail", sentence)
    if "." not in domain:
        yield Diagnosis(
            "note", "dns", f"{domain} is no public domain; its records were not looked at."
        )
        return
    selectors = [settings.dkim_selector] if settings.dkim_selector else []
    for found in dns_findings(domain, selectors=selectors):
        yield Diagnosis(found.level, "dns", found.sentence)


def _operator(settings: Settings, _: datetime) -> Iterator[Diagnosis]:
    set_ = {
        "PAPERS_OPERATOR_EMAIL": settings.operator_email,
        "PAPERS_OPERATOR_WEBHOOK": settings.operator_webhook,
    }
    webhook = settings.operator_webhook
    if webhook and not webhook.get_secret_value().startswith(("https://", "http://")):
        sentence = "PAPERS_OPERATOR_WEBHOOK is no address: it begins with https:// or http://."
        yield Diagnosis("problem", "operator", sentence)
        return
    named = [name for name, value in set_.items() if value]
    if named:
        yield Diagnosis("ok", "operator", f"Incidents go to {' and '.join(named)}.")
    else:
        sentence = (
            "Nobody is told of incidents; set PAPERS_OPERATOR_EMAIL or PAPERS_OPERATOR_WEBHOOK."
        )
        yield Diagnosis("warning", "operator", sentence)
