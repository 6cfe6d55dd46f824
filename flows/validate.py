"""Validate: the gates over every reading that has not passed them yet, shown in Prefect.

raw ──gate raw, gate linked──▶ may enter the marts      marts ──gate marts──▶ may be published
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from prefect.artifacts import create_table_artifact

from expectations import JUDGED, LINKED, SHOWN
from flows import clock
from flows.gates.audit import create_audit
from flows.gates.gate import gate_linked, gate_marts, gate_raw
from flows.gates.judging import CheckResult, Gate, GateReport
from flows.runs.names import artifact_key
from flows.settings import Settings
from flows.stage import stage
from flows.warehouse.database import open_warehouse, retried_on_conflict


@dataclass(frozen=True)
class Gating:
    """What a gate said, a report a reading; a reading that needed no gate has none."""

    gate: str
    reports: tuple[GateReport, ...]

    @property
    def stopped(self) -> tuple[GateReport, ...]:
        """The readings that the gate stopped."""
        return tuple(report for report in self.reports if not report.is_passed)

    def stopping(self, reading_id: str) -> GateReport | None:
        """The report that stops this reading, if one does."""
        return next((report for report in self.stopped if report.run_id == reading_id), None)

    @property
    def sentence(self) -> str:
        """The gate's word."""
        if not self.reports:
            return f"{self.gate}: nothing new to ask about"
        if len(self.reports) == 1:
            return f"{self.gate}: {self.reports[0].reason}"
        passed = len(self.reports) - len(self.stopped)
        first = f"; {self.stopped[0].list_date}: {self.stopped[0].reason}" if self.stopped else ""
        return f"{self.gate}: {passed} of {len(self.reports)} readings passed{first}"


@stage
def validate(gate: Gate, settings: Settings) -> Gating:
    """Ask this gate about every reading it has not judged yet, also those of a killed run.

    The readings of a crashed run are judged here too, so nothing unjudged is published.
    """
    now = clock.utc_now()
    judge, unjudged = _GATES[gate]
    reports: list[GateReport] = []
    with open_warehouse(settings) as connection:
        create_audit(connection)
        for (load_id,) in connection.execute(unjudged).fetchall():
            quality = settings.quality_path
            reports += retried_on_conflict(
                partial(judge, connection, load_id, now=now, quality=quality)
            )
    gating = Gating(gate, tuple(reports))
    _show(gating)
    return gating


def _unjudged(gate: Gate, judged: str) -> str:
    """The loads with readings that a gate before the marts has not been asked about."""
    return f"""
        select distinct readings.load_id
        from raw.readings as readings
        where
            {judged}
            and not exists (
                from audit.gates as gates
                where gates.run_id = readings.reading_id and gates.gate = '{gate}'
            )
        order by readings.load_id
    """


# The readings that digests show; older ones were judged in their time.
_UNJUDGED_MARTS = f"""
    select distinct newest.load_id
    from ({SHOWN}) as newest
    where not exists (
        from audit.gates as gates
        where gates.run_id = newest.reading_id and gates.gate = 'marts'
    )
    order by newest.load_id
"""
# Each gate with who judges, and which loads it has not judged yet.
_GATES: Mapping[Gate, tuple[Callable[..., list[GateReport]], str]] = {
    "raw": (gate_raw, _unjudged("raw", JUDGED)),
    "marts": (gate_marts, _UNJUDGED_MARTS),
    "linked": (gate_linked, _unjudged("linked", LINKED)),
}


def _show(gating: Gating) -> None:
    """The gate as a table on the run's page: what failed first, at most one screen of days."""
    checks = [check for report in gating.reports[:20] for check in report.checks]
    rows = [
        {
            "day": str(check.list_date),
            "result": _result(check),
            "check": check.sentence,
            "seen": check.observed_value,
            "examples": ", ".join(json.loads(check.examples)),
            "expectation": f"{check.suite}, {check.expectation} ({check.column_name or 'rows'})",
        }
        for check in sorted(checks, key=lambda check: _ORDER.index(_result(check)))
    ]
    if rows:
        create_table_artifact(
            key=artifact_key(f"gate-{gating.gate}"), table=rows, description=gating.sentence
        )


_ORDER = ("STOPS IT", "warning", "ok")


def _result(check: CheckResult) -> str:
    """The effect of the check on its reading, in one word."""
    if check.is_success:
        return "ok"
    return "STOPS IT" if check.severity == "critical" else "warning"
