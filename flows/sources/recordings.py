"""Recorded responses of the Hub: `<list date>/<read time>.json[.gz]`, each one reading of then."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from flows import clock
from flows.sources.feed_day import why_no_list
from flows.sources.hub import Answer, NotAListError, recorded


class RecordingError(Exception):
    """A file that is no recorded response; the message names it and what is expected."""


@dataclass(frozen=True)
class Recording:
    """One recorded response: `<list date>/<read time>.json[.gz]`."""

    list_date: date
    read_at: datetime
    path: Path

    def answer(self) -> Answer:
        """What the Hub answered then.

        Raises:
            RecordingError: the file holds no JSON list of papers.
        """
        try:
            body = self.path.read_bytes()
            body = gzip.decompress(body) if self.path.suffix == ".gz" else body
            return recorded(self.list_date, self.read_at, body)
        except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
            raise RecordingError(f"{self.path} is no recorded response: {_why(error)}.") from None


def find_recordings(paths: Sequence[Path]) -> list[Recording]:
    """The recorded responses at these paths, oldest first; each was opened and is a list.

    Raises:
        RecordingError: a path does not exist, or a file is not what its name says.
    """
    if not paths:
        raise RecordingError("Name the files or folders to import.")
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RecordingError(f"{path} does not exist.")
        found = path.rglob("*.json*") if path.is_dir() else [path]
        files += [file for file in found if file.name.endswith((".json", ".json.gz"))]
    if not files:
        where = ", ".join(str(path) for path in paths)
        raise RecordingError(f"There is no recording in {where}.")
    recordings = sorted((_recording(f) for f in files), key=lambda r: (r.read_at, r.list_date))
    for recording in recordings:
        recording.answer()
    return recordings


def _recording(path: Path) -> Recording:
    try:
        stamp = path.name.removesuffix(".gz").removesuffix(".json").replace(":", "")
        read_at = datetime.strptime(stamp, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        recording = Recording(date.fromisoformat(path.parent.name), read_at, path)
    except ValueError:
        expected = "<list date>/<read time>.json[.gz], such as 2026-08-20/2026-08-20T160544Z.json"
        raise RecordingError(f"{path} is not named {expected}.") from None
    # It would be the newest reading of its date for years, whatever the Hub says meanwhile.
    if read_at > clock.utc_now():
        raise RecordingError(f"{path} was read in the future, by its name; the clock may be wrong.")
    if why := why_no_list(recording.list_date, read_at):
        raise RecordingError(f"{path} is no recorded response: {why}")
    return recording


def _why(error: Exception) -> str:
    """What is wrong with a file, in words that are not Python's."""
    if isinstance(error, OSError | zlib.error):
        return getattr(error, "strerror", None) or "it cannot be unpacked"
    if isinstance(error, NotAListError):
        return str(error)
    return "it is cut off" if isinstance(error, EOFError) else "it is not JSON"
