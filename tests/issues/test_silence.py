"""The sentence on the days before an issue that had none."""

from datetime import date

import pytest

from flows.issues.silence import silence


def _august(*days: int) -> list[date]:
    return [date(2026, 8, day) for day in days]


@pytest.mark.parametrize(
    ("days", "verdicts", "sentence"),
    [
        ([], {}, ""),
        (_august(16, 15), {}, "No issue on 15 and 16 August: weekend."),
        (
            [date(2026, 7, 31), *_august(1, 2)],
            {date(2026, 7, 31): "failed"},
            "No issue on 31 July: the list could not be read; on 1 and 2 August: weekend.",
        ),
        (
            _august(18, 19, 20),
            {date(2026, 8, 19): "empty", date(2026, 8, 20): "complete"},
            (
                "No issue on 18 August: the list was not read; on 19 August: the Hub made no list;"
                " on 20 August: the list was read too late to be mailed."
            ),
        ),
        (
            [date(2026, 10, 31), date(2026, 11, 1)],
            {},
            "No issue on 31 October and 1 November: weekend.",
        ),
        (
            _august(17, 18, 19),
            dict.fromkeys(_august(17, 18, 19), "partial"),
            "No issue on 17, 18 and 19 August: the list was not whole.",
        ),
    ],
)
def test_days_without_an_issue_are_told_by_their_reason(
    days: list[date], verdicts: dict[date, str], sentence: str
) -> None:
    assert silence(days, verdicts) == sentence
