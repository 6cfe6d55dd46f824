"""The gates: may this load enter the marts, and would I send these issues?

raw.* or marts.* ──▶ frames ──▶ expectations ──▶ one GateReport a reading ──▶ audit.*

Great Expectations is imported inside the functions, because that takes seconds: see `warm_up`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from expectations import ITEMS_PER_BAD_ONE, JUDGED, LINKED
from flows.gates.audit import create_audit
from flows.gates.judging import GateReport, Judge, QuarantinedItem, listed, written

if TYPE_CHECKING:
    import pandas as pd


def warm_up() -> None:
    """Import Great Expectations and the suites now, in a thread, while the network waits."""
    import expectations.frames
    import expectations.marts_digest_papers
    import expectations.marts_digests
    import expectations.raw_items
    import expectations.raw_readings
    import expectations.validation  # noqa: F401


def gate_raw(
    connection: DuckDBPyConnection, load_id: str, *, now: datetime, quality: Path | None = None
) -> list[GateReport]:
    """Judge the readings of a load that may enter the marts, and write what was found.

    One report a reading. Readings that are not whole, and trending ones that failed, enter no
    mart, so they need no gate. `quality` is the folder that keeps the validations for the Data
    Docs; without one they are not kept.

    Raises:
        LookupError: no reading has this load id; a gate must not pass on nothing.
    """
    from expectations import frames, raw_items, raw_readings

    create_audit(connection)
    readings = _judged_readings(connection, load_id, JUDGED)
    if not readings:
        return []
    optional = tuple(raw_readings.OPTIONAL_FIELDS)
    item_frame, reading_frame = frames.raw_frames(connection, load_id, optional)
    counts = {key: count for key, (_, count) in readings.items()}
    list_dates = {key: day for key, (day, _) in readings.items()}
    judge = Judge("raw", load_id, list_dates, now, quality)
    judge.ask(raw_items.suite, item_frame, counts)
    _add_quarantined(reading_frame, judge.quarantined.values())
    judge.ask(raw_readings.suite, reading_frame, dict.fromkeys(readings, 1))
    return written(connection, judge)


def gate_linked(
    connection: DuckDBPyConnection, load_id: str, *, now: datetime, quality: Path | None = None
) -> list[GateReport]:
    """Judge the readings of a load that say what single papers led to, and write what was found.

    One report a reading that has a usable answer.

    Raises:
        LookupError: no reading has this load id; a gate must not pass on nothing.
    """
    from expectations import linked_frames, linked_papers, linked_readings

    create_audit(connection)
    readings = _judged_readings(connection, load_id, LINKED)
    if not readings:
        return []
    paper_frame, reading_frame = linked_frames.linked_frames(connection, load_id)
    counts = {key: count for key, (_, count) in readings.items()}
    list_dates = {key: day for key, (day, _) in readings.items()}
    judge = Judge("linked", load_id, list_dates, now, quality)
    judge.ask(linked_papers.suite, paper_frame, counts)
    judge.ask(linked_readings.suite, reading_frame, dict.fromkeys(readings, 1))
    return written(connection, judge)


def gate_marts(
    connection: DuckDBPyConnection, load_id: str, *, now: datetime, quality: Path | None = None
) -> list[GateReport]:
    """Judge the digests that show a reading of this load, and write what was found.

    A digest shows the newest admitted reading of its date; an older reading has no report.
    """
    from expectations import frames, marts_digest_papers, marts_digests

    create_audit(connection)
    list_dates = frames.shown_readings(connection, load_id)
    if not list_dates:
        return []
    digest_frame, paper_frame = frames.marts_frames(connection)
    stated = dict(zip(digest_frame["reading_id"], digest_frame["paper_count"], strict=True))
    judge = Judge("marts", load_id, list_dates, now, quality)
    judge.ask(marts_digests.suite, digest_frame, dict.fromkeys(list_dates, 1))
    judge.ask(marts_digest_papers.suite, paper_frame, dict.fromkeys(list_dates, 0) | stated)
    return written(connection, judge)


def data_docs(quality: Path, style: str, needed: Collection[str]) -> Path:
    """The index of Great Expectations' Data Docs in `quality/data_docs`, pruned; its path.

    The newest validations are kept, and those of the runs that are `needed`.
    """
    from expectations.data_docs import data_docs

    return data_docs(quality, style, needed)


def _judged_readings(
    connection: DuckDBPyConnection, load_id: str, judged: str
) -> dict[str, tuple[date, int]]:
    """List date and the source's item count of each reading of a load that this gate judges."""
    rows = connection.execute(
        f"select reading_id, list_date, item_count, {judged} from raw.readings "
        "where load_id = ? order by reading_id",
        [load_id],
    ).fetchall()
    if not rows:
        raise LookupError(f"no reading of load {load_id} is in raw.readings; run the extract first")
    return {key: (day, count) for key, day, count, is_judged in rows if is_judged}


def _add_quarantined(readings: "pd.DataFrame", quarantined: Iterable[QuarantinedItem]) -> None:
    reasons = defaultdict(list)
    for item in quarantined:
        reasons[item.reading_id].append(item.reason)
    ids = readings["reading_id"]
    readings["quarantined_count"] = [len(reasons[key]) for key in ids]
    readings["quarantine_reasons"] = [listed(reasons[key]) for key in ids]
    # A lone item that is bad leaves nothing to go on with.
    readings["quarantine_limit"] = [
        max(count // ITEMS_PER_BAD_ONE, 1) if count > 1 else 0 for count in readings["row_count"]
    ]
