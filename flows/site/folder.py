"""Write the public pages into a folder, and only what is not there already.

published/papers.duckdb ──addresses──▶ chunks ──a process a processor──▶ files
"""

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Literal

from flows.errors import UsageError
from flows.newsletter.site import Site
from flows.publication.kept_open import KeptOpen
from flows.publication.published import NOTHING_PUBLISHED, NotPublishedError
from flows.settings import Settings
from flows.site.addresses import addresses
from flows.site.render import StaticPages
from flows.site.search_index import search_files
from flows.wording import counted

# What was written here, so that pages that are gone can be told from what somebody else put there.
MANIFEST = ".papers-site.json"
_CHUNK = {"lists": 20, "papers": 250}
_START_SECONDS = 30  # what a process may take to import; one that broke is told by its work
Kind = Literal["lists", "papers"]
Done = Future[tuple[set[str], int]]
Shown = Callable[[Iterable[Done], int], Iterable[Done]]


class SiteError(UsageError):
    """The folder cannot take the pages; the message names the way out."""


@dataclass(frozen=True)
class SiteReport:
    """How many files the folder has, and how many of them were new, other than before, or gone."""

    file_count: int
    written_count: int
    removed_count: int

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        same = self.file_count - self.written_count
        gone = f", {self.removed_count:,} removed" if self.removed_count else ""
        files = counted(self.file_count, "file")
        return f"{files}: {self.written_count:,} written, {same:,} as they were{gone}."


def write_site(settings: Settings, folder: Path, shown: Shown) -> SiteReport:
    """Make the folder what is published; what somebody else put there stays.

    `shown` goes over the work as it is done, and may show how far it is.

    Raises:
        NotPublishedError: there is no publication yet, or only one of an older version.
        SiteError: the folder holds other things, is no folder, or cannot be written.
    """
    try:
        return _written(settings, folder, shown)
    except OSError as error:
        raise SiteError(
            f"{error.filename or folder} cannot be written: {error.strerror}; name another folder."
        ) from None


def _written(settings: Settings, folder: Path, shown: Shown) -> SiteReport:
    before, site = _known_files(folder), Site(settings.public_url)
    with _snapshot(settings) as published:
        # First of all: who goes on after a kill must know the folder as ours.
        _write(folder, iter([(MANIFEST, _json(before))]))
        with KeptOpen(published).opened() as connection:
            found = addresses(connection)
            files, written = _write(folder, search_files(connection))
        more, count = _write(folder, StaticPages(site, KeptOpen(published)).fixed())
        files, written = files | more, written + count
        work = [*_chunks("lists", found.lists), *_chunks("papers", found.paper_ids)]
        with _begun(work, published, site, folder) as chunks:
            for done in shown(as_completed(chunks), len(chunks)):
                more, count = done.result()
                files, written = files | more, written + count
    gone = before - files
    for name in gone:
        (folder / name).unlink(missing_ok=True)
        _remove_empty(folder, (folder / name).parent)
    _write(folder, iter([(MANIFEST, _json(files))]))
    return SiteReport(len(files), written, len(gone))


def _json(names: set[str]) -> bytes:
    return json.dumps(sorted(names)).encode()


@contextmanager
def _begun(
    work: Sequence[tuple[Kind, Sequence[str]]], published: Path, site: Site, folder: Path
) -> Iterator[list[Done]]:
    """The work, handed to as many processes as processors; who stops here waits for what they hold.

    All of them have begun: one that is stopped while it imports shows a traceback. So would each at
    Ctrl-C, which a terminal sends to all; they have it blocked, and this one alone tells of it.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, and not by each process anew
    ready = context.Semaphore(0)
    process_count = min(os.cpu_count() or 1, len(work))
    pool = ProcessPoolExecutor(process_count, context, _begin, (published, site, folder, ready))
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            chunks = [pool.submit(_chunk, *each) for each in work]
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for _ in range(process_count):
            ready.acquire(timeout=_START_SECONDS)
        yield chunks
    finally:
        pool.shutdown(cancel_futures=True)


def _known_files(folder: Path) -> set[str]:
    """The files that the last call wrote. Raises SiteError."""
    if folder.exists() and not folder.is_dir():
        raise SiteError(f"{folder} is no folder; name one for the pages.")
    manifest = folder / MANIFEST
    if manifest.exists():
        with suppress(ValueError):
            return set(json.loads(manifest.read_text(encoding="utf-8")))
        raise SiteError(f"{manifest} cannot be read; empty the folder, and write it anew.")
    if folder.exists() and any(not each.name.startswith(".") for each in folder.iterdir()):
        raise SiteError(
            f"{folder} holds files that `papers site` did not write; name an empty folder."
        )
    return set()


@contextmanager
def _snapshot(settings: Settings) -> Iterator[Path]:
    """The publication of now, whatever a run publishes meanwhile: a site shows one of them."""
    if not settings.published_path.exists():
        raise NotPublishedError(NOTHING_PUBLISHED)
    with TemporaryDirectory(dir=settings.home, prefix=".site-") as place:
        kept = Path(place) / "papers.duckdb"
        try:
            os.link(settings.published_path, kept)
        except OSError:  # a file system without links
            copyfile(settings.published_path, kept)
        yield kept


def _chunks(kind: Kind, names: Sequence[str]) -> Iterator[tuple[Kind, Sequence[str]]]:
    size = _CHUNK[kind]
    yield from ((kind, names[at : at + size]) for at in range(0, len(names), size))


_STATE: list[tuple[StaticPages, Path]] = []  # of a process that makes pages


def _begin(published: Path, site: Site, folder: Path, ready: Semaphore) -> None:
    ready.release()
    _STATE.append((StaticPages(site, KeptOpen(published)), folder))


def _chunk(kind: Kind, names: Sequence[str]) -> tuple[set[str], int]:
    (pages, folder) = _STATE[0]
    return _write(folder, pages.papers(names) if kind == "papers" else pages.lists(names))


def _write(folder: Path, files: Iterator[tuple[str, bytes]]) -> tuple[set[str], int]:
    """Write what is not there already; all the names, and how many were written."""
    names, written = set[str](), 0
    for name, content in files:
        names.add(name)
        path = folder / name
        with suppress(FileNotFoundError):
            if path.read_bytes() == content:
                continue
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
        written += 1
    return names, written


def _remove_empty(top: Path, folder: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
