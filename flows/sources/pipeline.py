"""Readings into the warehouse by dlt: `raw.readings` and `raw.items`, one merge a load.

Reading, Reading, …  ->  Parquet  ->  raw.readings, raw.items   (replaced whole, by reading)
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import dlt
import pyarrow as pa
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.extract.resource import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed
from duckdb import DuckDBPyConnection

from flows.sources.hub import Answer
from flows.sources.hub_item import Item, read_item
from flows.sources.linked_item import read_linked_item
from flows.sources.verdict import Verdict

UTC_TIME = pa.timestamp("us", tz="UTC")
KEY = pa.field("reading_id", pa.string(), nullable=False)
READINGS = pa.schema(
    [
        KEY,
        *{
            "load_id": pa.string(),
            "kind": pa.string(),
            "origin": pa.string(),
            "list_date": pa.date32(),
            "read_at": UTC_TIME,
            "verdict": pa.string(),
            "reason": pa.string(),
            "is_whole": pa.bool_(),
            "http_status": pa.int64(),
            "page_count": pa.int64(),
            "item_count": pa.int64(),
            "first_page_agrees": pa.bool_(),
            "payload_sha256": pa.string(),
            "first_bytes": pa.string(),
            "new_fields": pa.string(),
        }.items(),
    ]
)
ITEMS = pa.schema(
    [
        KEY,
        ("list_date", pa.date32()),
        ("read_at", UTC_TIME),
        pa.field("position", pa.int64(), nullable=False),
        *{
            "paper_id": pa.string(),
            "title": pa.string(),
            "upvotes_count": pa.int64(),
            "comments_count": pa.int64(),
            "published_at": UTC_TIME,
            "listed_on": pa.date32(),
            "contract_error": pa.string(),
            "item": pa.string(),
        }.items(),
    ]
)


@dataclass(frozen=True)
class Reading:
    """One fetch of a list date, judged: what `raw` keeps of it.

    `kind` is `daily` for the list of a date, `trending` for the Hub's own order, and `linked` for
    what it says of single papers; these two are of the UTC date of their reading and never a list.
    """

    answer: Answer
    verdict: Verdict
    origin: str
    load_id: str
    kind: str = "daily"

    @property
    def reading_id(self) -> str:
        """The key of this reading, in every table."""
        return reading_id(self.answer.list_date, self.answer.read_at, self.kind)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items of the response in its order, good and broken."""
        return items_of(self.answer, self.kind)


def items_of(answer: Answer, kind: str) -> tuple[Item, ...]:
    """The items of an answer in its order, by the contract of this kind of reading."""
    read = read_linked_item if kind == "linked" else read_item
    return tuple(read(position, raw) for position, raw in enumerate(answer.items))


def reading_id(list_date: date, read_at: datetime, kind: str = "daily") -> str:
    """The key of a reading: its list date, what it is if not the list, its UTC time to the ms."""
    of = str(list_date) if kind == "daily" else f"{list_date}.{kind}"
    return f"{of}.{read_at.astimezone(UTC):%Y%m%dT%H%M%S%f}"[:-3] + "Z"


_NAME = "daily_papers"


class ReadingPipeline:
    """The dlt pipeline of one warehouse. Its folder keeps loads cut short by a crash.

    `opened` gives a connection to the warehouse. dlt gets that one and opens none of its own: it
    would give up where another program has the file open, and it knows fewer paths than we do.
    `staging` is the schema where dlt puts a load before it merges it: two loads at once through
    one would empty each other's.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[DuckDBPyConnection]],
        pipelines_dir: Path,
        staging: str = "raw_staging",
    ) -> None:
        self._opened = opened
        self._pipelines_dir = pipelines_dir
        self._staging = staging

    def finish_pending(self) -> None:
        """Load what a killed process left behind.

        Without this, `run` with new data would load only the old package and report success. A
        package that cannot be loaded would fail every later run; it is dropped, because a reading
        can be made again.
        """
        with self._pipeline() as pipeline:
            if not pipeline.has_pending_data:
                return
            try:
                pipeline.normalize()
                pipeline.load()
            except PipelineStepFailed:
                pipeline.abort_packages()

    def load(self, readings: Sequence[Reading]) -> None:
        """Put these readings and their items into `raw`, each replaced whole if it was there."""
        with self._pipeline() as pipeline:
            try:
                pipeline.run([_readings(readings), _items(readings)], loader_file_format="parquet")
            except PipelineStepFailed:
                pipeline.abort_packages()
                raise

    def forget_loads(self, before: datetime) -> None:
        """Delete dlt's copies of what was loaded before this time.

        dlt keeps the files of every load for ever; what they hold stands in `raw`.
        """
        loads = self._pipelines_dir / _NAME / "load" / "loaded"
        for folder in loads.glob("*"):
            if folder.stat().st_mtime < before.timestamp():
                shutil.rmtree(folder)

    @contextmanager
    def _pipeline(self) -> Iterator[dlt.Pipeline]:
        with self._opened() as connection:
            credentials = DuckDbCredentials(connection)
            # dlt makes connections of its own from ours, and those forget which catalog is in use.
            (catalog,) = connection.execute("select current_database()").fetchall()[0]
            credentials.pragmas = [f"search_path = '\"{catalog}\".main'"]
            yield dlt.pipeline(
                _NAME,
                pipelines_dir=str(self._pipelines_dir),
                destination=dlt.destinations.duckdb(
                    credentials, staging_dataset_name_layout=self._staging
                ),
                dataset_name="raw",
            )


def _resource(name: str, table: pa.Table, grain: tuple[str, ...]) -> DltResource:
    # A reading is replaced whole, by its merge key. What a crash made dlt stage twice goes in once,
    # by the primary key.
    return dlt.resource(
        [table],
        name=name,
        write_disposition={"disposition": "merge", "strategy": "delete-insert"},
        merge_key="reading_id",
        primary_key=grain,
    )


def _readings(readings: Sequence[Reading]) -> DltResource:
    rows = []
    for reading in readings:
        answer, verdict = reading.answer, reading.verdict
        new_fields = sorted({field for item in reading.items for field in item.new_fields})
        rows.append(
            {
                "reading_id": reading.reading_id,
                "load_id": reading.load_id,
                "kind": reading.kind,
                "origin": reading.origin,
                "list_date": answer.list_date,
                "read_at": answer.read_at,
                "verdict": verdict.name,
                "reason": verdict.reason,
                "is_whole": verdict.is_whole,
                "http_status": answer.status,
                "page_count": answer.page_count,
                "item_count": len(answer.items),
                "first_page_agrees": answer.first_page_agrees,
                "payload_sha256": answer.payload_sha256,
                "first_bytes": answer.first_bytes,
                "new_fields": json.dumps(new_fields),
            }
        )
    return _resource("readings", pa.Table.from_pylist(rows, READINGS), ("reading_id",))


def _items(readings: Sequence[Reading]) -> DltResource:
    rows = [
        {
            "reading_id": reading.reading_id,
            "list_date": reading.answer.list_date,
            "read_at": reading.answer.read_at,
        }
        | {name: getattr(item, name) for name in ITEMS.names[3:]}
        for reading in readings
        for item in reading.items
    ]
    return _resource("items", pa.Table.from_pylist(rows, ITEMS), ("reading_id", "position"))
