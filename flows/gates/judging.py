"""The judge of a load: asks the suites of a gate, shares the answers out, and writes `audit`.

frames ──▶ expectations ──▶ one GateReport a reading ──▶ audit.*

Great Expectations is imported inside the functions, because that takes seconds.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from duckdb import DuckDBPyConnection

if TYPE_CHECKING:
    import great_expectations as gx
    import pandas as pd

    from expectations.validation import Finding

Gate = Literal["raw", "marts", "linked"]
# No person reads more offending ids and reasons than this.
EXAMPLES, REASONS = 5, 3


@dataclass(frozen=True)
class CheckResult:
    """One expectation's result for one reading: a row of audit.gate_results.

    `severity` is what a failure does to the reading: one that only quarantines rows is a warning,
    and one that could not be evaluated is critical.
    """

    run_id: str
    gate: Gate
    list_date: date
    suite: str
    expectation: str
    column_name: str
    severity: str
    is_success: bool
    observed_value: str
    unexpected_count: int
    examples: str
    sentence: str
    checked_at: datetime


@dataclass(frozen=True)
class QuarantinedItem:
    """An item that must not enter the marts, with the first reason against it."""

    reading_id: str
    position: int
    paper_id: str | None
    reason: str
    expectation: str


@dataclass(frozen=True)
class GateReport:
    """What a gate says of one reading."""

    gate: Gate
    run_id: str
    list_date: date
    checks: tuple[CheckResult, ...]
    quarantined: tuple[QuarantinedItem, ...]

    @property
    def is_passed(self) -> bool:
        """Whether the reading may go on."""
        return not self.failures

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that stop the reading."""
        return self._failed("critical")

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The checks that failed and travel with the reading."""
        return self._failed("warning")

    @property
    def reason(self) -> str:
        """One plain sentence: what stops the reading first, or how it passed."""
        if self.failures:
            return f"The gate {self.gate} stopped it: {self.failures[0].sentence}."
        warned = len(self.warnings)
        passed = f"{len(self.checks) - warned} checks passed"
        return (
            f"{passed}, {warned} warning{'' if warned == 1 else 's'}." if warned else f"{passed}."
        )

    def _failed(self, severity: str) -> tuple[CheckResult, ...]:
        return tuple(c for c in self.checks if not c.is_success and c.severity == severity)


class Judge:
    """Asks the suites of one gate about a load, and shares the answers out among its readings."""

    def __init__(
        self,
        gate: Gate,
        load_id: str,
        list_dates: Mapping[str, date],
        now: datetime,
        quality: Path | None,
    ) -> None:
        self.gate, self.list_dates, self.now, self.quality = gate, list_dates, now, quality
        self.name = load_id if len(list_dates) > 1 else next(iter(list_dates))
        self.checks: dict[str, list[CheckResult]] = defaultdict(list)
        self.quarantined: dict[tuple[str, int], QuarantinedItem] = {}

    def ask(
        self, suite: "gx.ExpectationSuite", frame: "pd.DataFrame", expected: Mapping[str, int]
    ) -> None:
        """Add one check an expectation to every reading; `expected` is the rows it should have.

        A suite that says what its `rows` are has many a reading, the others have one.
        """
        from expectations.validation import Run, validate

        run = Run(self.name, self.now, self.quality)
        findings = validate(suite, frame, row_count=sum(expected.values()), run=run)
        counts = Counter(frame["reading_id"])
        rows_are = suite.meta.get("rows")
        own = {} if rows_are else {row["reading_id"]: row for row in _records(frame)}
        for finding in findings:
            bad = _bad_rows(frame, finding, counts, expected)
            fault = finding.fault
            if not (finding.is_success or bad or fault):
                fault = "it failed without naming a row"
            quarantines = suite.meta.get("quarantines") and finding.columns and not fault
            for run_id, day in self.list_dates.items():
                rows, severity = bad[run_id], "critical" if fault else finding.severity
                if quarantines and rows and severity == "critical":
                    self._quarantine(finding, rows)
                    severity = "warning"
                observed = f"{len(rows)} of {counts[run_id]}"
                if not rows_are:
                    observed = _values(own.get(run_id, {}), finding.columns)
                check = CheckResult(
                    run_id=run_id,
                    gate=self.gate,
                    list_date=day,
                    suite=suite.name,
                    expectation=finding.expectation,
                    column_name=", ".join(finding.columns),
                    severity=severity,
                    is_success=not (rows or fault),
                    observed_value=observed if finding.columns else str(counts[run_id]),
                    unexpected_count=len(rows),
                    examples=json.dumps([_example(finding, row) for row in rows[:EXAMPLES]]),
                    sentence=_sentence(finding, fault, rows, counts[run_id], rows_are),
                    checked_at=self.now,
                )
                self.checks[run_id].append(check)

    def _quarantine(self, finding: "Finding", rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            item = QuarantinedItem(
                row["reading_id"],
                int(row["position"]),
                _text(row["paper_id"]),
                finding.otherwise.format(**row),
                finding.expectation,
            )
            self.quarantined.setdefault((item.reading_id, item.position), item)

    def reports(self) -> list[GateReport]:
        """One report a reading, in the order of the readings."""
        quarantined = defaultdict(list)
        for item in self.quarantined.values():
            quarantined[item.reading_id].append(item)
        return [
            GateReport(
                self.gate, run_id, day, tuple(self.checks[run_id]), tuple(quarantined[run_id])
            )
            for run_id, day in self.list_dates.items()
        ]


def _bad_rows(
    frame: "pd.DataFrame",
    finding: "Finding",
    counts: Mapping[str, int],
    expected: Mapping[str, int],
) -> dict[str, list[dict[str, Any]]]:
    """The rows against each reading; where the table is judged, its own wrong count."""
    bad: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if not finding.columns:
        for run_id, given in expected.items():
            if counts[run_id] != given:
                bad[run_id].append({"rows": counts[run_id], "given": given})
    if finding.bad_rows:
        for row in _records(frame.iloc[list(finding.bad_rows)]):
            bad[row["reading_id"]].append(row)
    return bad


def _sentence(
    finding: "Finding",
    fault: str | None,
    rows: Sequence[dict[str, Any]],
    count: int,
    rows_are: str | None,
) -> str:
    if fault:
        return f"could not check that {finding.claim}: {fault}"
    if not rows:
        return finding.claim
    reasons = listed([finding.otherwise.format(**row) for row in rows])
    many = rows_are and finding.columns
    return f"{len(rows)} of {count} {rows_are}: {reasons}" if many else reasons


def _example(finding: "Finding", row: dict[str, Any]) -> str:
    """The offending paper where the row is about one, else the offending values."""
    if "position" in row:
        return _text(row["paper_id"]) or f"position {row['position']}"
    return _values(row, finding.columns or ("rows",))


def _values(row: Mapping[str, Any], columns: Iterable[str]) -> str:
    return ", ".join(_text(row.get(column)) or "none" for column in columns)


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of a frame, with None for every kind of missing."""
    return [
        {str(key): None if value != value else value for key, value in row.items()}  # noqa: PLR0124
        for row in frame.to_dict("records")
    ]


def listed(reasons: Sequence[str]) -> str:
    """The first few reasons, and how many more there are."""
    more = len(reasons) - REASONS
    return "; ".join(reasons[:REASONS]) + (f"; and {more} more" if more > 0 else "")


def _text(value: object) -> str | None:
    """A value of a frame as people read it."""
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.2f}"
    return str(value)


def written(connection: DuckDBPyConnection, judge: Judge) -> list[GateReport]:
    """The reports, once they stand in `audit`: all of them, or none."""
    reports = judge.reports()
    gates = [
        {
            "run_id": report.run_id,
            "gate": report.gate,
            "list_date": report.list_date,
            "is_passed": report.is_passed,
            "reason": report.reason,
            "check_count": len(report.checks),
            "warning_count": len(report.warnings),
            "checked_at": judge.now,
        }
        for report in reports
    ]
    results = [vars(check) for report in reports for check in report.checks]
    quarantined = [vars(item) for report in reports for item in report.quarantined]
    found = {
        "judged": pa.Table.from_pylist(gates),
        "results": pa.Table.from_pylist(results),
        "quarantined": pa.Table.from_pylist(quarantined, _QUARANTINED),
    }
    connection.begin()
    try:
        for name, table in found.items():
            connection.register(name, table)
        for statement in _WRITE if judge.gate == "marts" else _WRITE + _WRITE_QUARANTINED:
            connection.execute(statement)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        for name in found:
            connection.unregister(name)
    return reports


_QUARANTINED = pa.schema(
    [
        ("reading_id", pa.string()),
        ("position", pa.int64()),
        ("paper_id", pa.string()),
        ("reason", pa.string()),
        ("expectation", pa.string()),
    ]
)
# What a gate says takes the place of what it said of the same reading before.
_WRITE = (
    "delete from audit.gate_results where (run_id, gate) in (select run_id, gate from judged)",
    "delete from audit.gates where (run_id, gate) in (select run_id, gate from judged)",
    "insert into audit.gate_results by name from results",
    "insert into audit.gates by name from judged",
)
_WRITE_QUARANTINED = (
    "delete from audit.quarantined_items where reading_id in (select run_id from judged)",
    """
    insert into audit.quarantined_items by name
    select
        quarantined.reading_id,
        items.list_date,
        items.read_at,
        quarantined.position,
        items.paper_id,
        quarantined.reason,
        quarantined.expectation,
        items.item,
        judged.checked_at as quarantined_at
    from quarantined
    inner join judged on quarantined.reading_id = judged.run_id
    inner join raw.items using (reading_id, position)
    """,
)
