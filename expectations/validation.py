"""Ask Great Expectations about a frame; the only module that runs it.

frame + suite ──▶ one Finding an expectation, in the suite's order
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.expectations.expectation import Expectation

from expectations.data_docs import new_context

# What names a row of a frame.
KEYS = ("reading_id", "position")


@dataclass(frozen=True)
class Finding:
    """What one expectation found in a whole frame.

    `bad_rows` are positions in the frame, and empty where the table as a whole is judged;
    `fault` says why the expectation could not be evaluated, which is never a pass.
    """

    expectation: str
    columns: tuple[str, ...]
    severity: str
    claim: str
    otherwise: str
    is_success: bool
    bad_rows: tuple[int, ...]
    fault: str | None


@dataclass(frozen=True)
class Run:
    """What a validation is filed under: its name, its time (UTC), and the folder, or nowhere."""

    name: str
    at: datetime
    quality: Path | None


def validate(
    suite: gx.ExpectationSuite, frame: pd.DataFrame, *, row_count: int, run: Run
) -> list[Finding]:
    """One finding for each expectation of the suite, in its order."""
    keys = [key for key in KEYS if key in frame]
    places = {
        key: place for place, key in enumerate(frame[keys].itertuples(index=False, name=None))
    }
    context = new_context(run.quality)
    batches = context.data_sources.add_pandas("warehouse").add_dataframe_asset(suite.name)
    validation = gx.ValidationDefinition(
        name=suite.name,
        data=batches.add_batch_definition_whole_dataframe("load"),
        suite=context.suites.add(deepcopy(suite)),
    )
    answer = context.validation_definitions.add(validation).run(
        batch_parameters={"dataframe": frame},
        expectation_parameters={"row_count": row_count},
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": keys,
        },
        run_id=RunIdentifier(run_name=run.name, run_time=run.at),
    )
    results = {
        (result.expectation_config.type, columns(result.expectation_config.kwargs)): result
        for result in answer.results
        if result.expectation_config
    }
    return [_finding(each, results.get(_key(each)), places) for each in suite.expectations]


def columns(kwargs: dict[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation is about; none for a whole table."""
    return tuple(kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs)


def _key(expectation: Expectation) -> tuple[str, tuple[str, ...]]:
    configuration = expectation.configuration
    return configuration.type, columns(configuration.kwargs)


def _finding(
    expectation: Expectation,
    result: ExpectationValidationResult | None,
    places: Mapping[tuple[Any, ...], int],
) -> Finding:
    expectation_type, its_columns = _key(expectation)
    rows = tuple(result.result.get("unexpected_index_list") or ()) if result else ()
    return Finding(
        expectation=expectation_type,
        columns=its_columns,
        severity=str(expectation.severity.value),
        claim=str(expectation.description),
        otherwise=str((expectation.meta or {})["otherwise"]),
        is_success=bool(result and result.success),
        bad_rows=tuple(places[tuple(row[key] for key in KEYS if key in row)] for row in rows),
        fault=_fault(result),
    )


def _fault(result: ExpectationValidationResult | None) -> str | None:
    """GX hides an exception in the result, alone or one for each metric that met it."""
    if result is None:
        return "it has no result"
    info = result.exception_info or {}
    if info.get("raised_exception") is False:
        return None
    messages = [info.get("exception_message")] + [
        each.get("exception_message") for each in info.values() if isinstance(each, dict)
    ]
    return next((str(message) for message in messages if message), "it raised an exception")
