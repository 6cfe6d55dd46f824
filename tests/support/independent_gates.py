"""What the gates should find, by plain Python from the JSON: written from expectations/README.md.

readings of one load -> a finding for each check of each reading, and the items to set aside
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from statistics import median
from typing import NamedTuple

from tests.support.independent import DAY, Item, Response, Row, Seen

NULL, NOT_NULL = "values_to_be_null", "values_to_not_be_null"
BETWEEN, REGEX, EQUAL = "values_to_be_between", "values_to_match_regex", "pair_values_to_be_equal"
LENGTHS = "value_lengths_to_be_between"
LIMIT = "pair_values_a_to_be_greater_than_b"
ROW_COUNT = "expect_table_row_count_to_equal"
FIELDS = ("ai_summary", "ai_keywords", "organization", "github_repo", "submitter", "list_date")


class Finding(NamedTuple):
    """The numbers of a row of quality.gate_results."""

    run_id: str
    gate: str
    suite: str
    expectation: str
    column_name: str
    severity: str
    is_success: bool
    observed_value: str
    unexpected_count: int


@dataclass(frozen=True)
class Judged:
    """A whole reading as gate raw sees it, beside the others of its load."""

    list_date: date
    read_at: datetime
    items: Sequence[Item]
    load: Sequence[Response]

    @property
    def run_id(self) -> str:
        """The key of the reading."""
        return Seen(self.list_date, self.read_at, 0, {}).reading_id

    @cached_property
    def against(self) -> dict[tuple[str, str], list[int]]:
        """The positions of the items that do not meet a check, by the check and its column."""
        found: dict[tuple[str, str], list[int]] = {key: [] for key in ITEM_CHECKS}
        known = Counter[str]()
        # of two items of a paper the one with its contract is the paper
        order = sorted(range(len(self.items)), key=lambda at: (_breaks(self.items[at]), at))
        repeats = set()
        for position in order:
            paper_id = self.items[position]["paper"]["id"]
            known[paper_id] += 1
            if known[paper_id] > 1:
                repeats.add(position)
        for position, item in enumerate(self.items):
            for key in self._faults(item):
                found[key].append(position)
            if position in repeats:
                found["values_to_be_in_set", "repeat_number"].append(position)
        return found

    def _faults(self, item: Item) -> Iterator[tuple[str, str]]:
        paper_id = item["paper"]["id"]
        if not re.fullmatch(r"\d{4}\.\d{4,5}", paper_id):
            yield REGEX, "paper_id"
        if not _is_wide_enough(paper_id):
            yield "values_to_match_regex_list", "paper_id"
        if _breaks(item):
            yield NULL, "contract_error"
            return
        paper = item["paper"]
        published = datetime.fromisoformat(paper["publishedAt"]).astimezone(UTC).date()
        is_bad = {
            (REGEX, "title"): not paper["title"].strip(),
            (LENGTHS, "title"): len(paper["title"]) > 500,
            (BETWEEN, "upvotes_count"): paper["upvotes"] < 0,
            (BETWEEN, "comments_count"): item["numComments"] < 0,
            (BETWEEN, "published_year"): published.year < 1991,
            (BETWEEN, "published_days_after_reading"): published - self.read_at.date() > DAY,
            (BETWEEN, "published_days_after_listing"): published - self.list_date > 2 * DAY,
            (EQUAL, "listed_on, list_date"): _listed_on(item) not in {None, self.list_date},
            (BETWEEN, "author_count"): not paper["authors"],
        }
        yield from (key for key, bad in is_bad.items() if bad)

    @cached_property
    def set_aside(self) -> dict[int, str]:
        """The first check against each item that must not enter the marts, by its position."""
        found: dict[int, str] = {}
        for (expectation, column), positions in self.against.items():
            if column != "author_count":
                for position in positions:
                    found.setdefault(position, _name(expectation))
        return found

    @property
    def kept(self) -> list[Item]:
        """The items that go on."""
        return [item for at, item in enumerate(self.items) if at not in self.set_aside]

    @cached_property
    def findings(self) -> list[Finding]:
        """What gate raw finds."""
        count = str(len(self.items))
        found = [
            Finding(self.run_id, "raw", "raw_items", ROW_COUNT, "", "critical", True, count, 0)
        ]
        for (check, column), positions in self.against.items():
            # what only sets rows aside is no more than a warning
            severity = "warning" if positions or column == "author_count" else "critical"
            against = len(positions)
            key = (self.run_id, "raw", "raw_items", _name(check), column, severity)
            found.append(Finding(*key, not against, f"{against} of {count}", against))
        for check, column, is_met, *seen in self._of_the_reading():
            is_warning = column.endswith("_ratio") or column in {"new_fields", "weekday_item_count"}
            severity = "warning" if is_warning else "critical"
            key = (self.run_id, "raw", "raw_readings", _name(check), column, severity)
            found.append(Finding(*key, is_met, ", ".join(map(_text, seen)), int(not is_met)))
        return found

    @property
    def is_stopped(self) -> bool:
        """Whether it may not enter the marts."""
        return any(each.severity == "critical" and not each.is_success for each in self.findings)

    def _of_the_reading(self) -> Iterator[Row]:
        """Check, column, whether it is met, and what was seen."""
        count, aside = len(self.items), len(self.set_aside)
        sound = [item for item in self.items if not _breaks(item)]
        dates = Counter(day for item in sound if (day := _listed_on(item)))
        answered = dates.most_common(1)[0][0] if dates else None
        votes = max((item["paper"]["upvotes"] for item in sound), default=None)
        most = votes if count >= 10 else None
        ids = [item["paper"]["id"] for item in self.items]
        short = ", ".join(each for each in ids if _has_lost_zeros(each)) or None
        limit = max(count // 20, 1) if count > 1 else 0
        volume = self._volume_ratio()
        weekday = count if self.list_date.weekday() < 5 else None
        day, is_usual = self.list_date, volume is None or 0.5 <= volume <= 2.5

        yield ROW_COUNT, "", True, 1
        yield EQUAL, "row_count, item_count", True, count, count
        yield EQUAL, "answered_date, list_date", answered in {None, day}, answered, day
        yield BETWEEN, "most_upvotes", most is None or most >= 1, most
        yield NULL, "short_ids", short is None, short
        yield LIMIT, "quarantine_limit, quarantined_count", aside <= limit, limit, aside
        yield BETWEEN, "volume_ratio", is_usual, volume
        for field in FIELDS:
            ratio = self._field_ratio(field)
            yield BETWEEN, f"{field}_ratio", ratio is None or ratio >= 0.25, ratio
        yield NULL, "new_fields", True, None
        yield BETWEEN, "weekday_item_count", weekday != 0, weekday

    def _before(self, days: int) -> list[Response]:
        """The newest readings of the lists with papers in so many days before, the newest first."""
        newest: dict[date, Response] = {}
        for response in sorted(self.load, key=lambda response: response[1]):
            if response[2] and 0 < (self.list_date - response[0]).days <= days:
                newest[response[0]] = response
        return [newest[day] for day in sorted(newest, reverse=True)]

    def _volume_ratio(self) -> float | None:
        weekday = self.list_date.weekday()
        counts = [len(r[2]) for r in self._before(90) if r[0].weekday() == weekday][:8]
        if len(counts) < 3 or not self.items:
            return None
        return len(self.items) / median(counts)

    def _field_ratio(self, field: str) -> float | None:
        before = self._before(30)
        if len(before) < 5 or not self.items:
            return None
        items = [item for _, _, its in before for item in its]
        usual = sum(_has(field, item) for item in items) / len(items) * len(self.items)
        return sum(_has(field, item) for item in self.items) / usual if usual >= 5 else None


def of_the_digests(admitted: Sequence[Judged]) -> list[Finding]:
    """What gate marts finds of the newest admitted readings: that their digests are in order."""
    found = []
    for one in {each.list_date: each for each in admitted}.values():
        count = len(one.kept)
        at = f"{one.read_at:%Y-%m-%d %H:%M:%S}+00"
        digest = {
            (ROW_COUNT, ""): "1",
            (EQUAL, "last_read_at, read_at"): f"{at}, {at}",
            (BETWEEN, "sendable_count"): str(count or None).lower(),
            (EQUAL, "digest_count, reading_count"): f"{count}, {count}",
            (EQUAL, "paper_count, digest_count"): f"{count}, {count}",
            (NULL, "misplaced_ranks"): "none",
            (NULL, "unknown_papers"): "none",
            (NULL, "omitted_papers"): "none",
            (NULL, "same_as_date"): "none",
        }
        papers = dict.fromkeys(PAPER_CHECKS, f"0 of {count}") | {(ROW_COUNT, ""): str(count)}
        for suite, checks in (("marts_digests", digest), ("marts_digest_papers", papers)):
            for (expectation, column), seen in checks.items():
                severity = "warning" if column.endswith("_url") else "critical"
                key = (one.run_id, "marts", suite, _name(expectation), column, severity)
                found.append(Finding(*key, True, seen, 0))
    return found


ITEM_CHECKS = (
    (NULL, "contract_error"),
    (NOT_NULL, "paper_id"),
    (NULL, "missing_fields"),
    (REGEX, "paper_id"),
    ("values_to_match_regex_list", "paper_id"),
    (REGEX, "title"),
    (LENGTHS, "title"),
    (BETWEEN, "upvotes_count"),
    (BETWEEN, "comments_count"),
    (BETWEEN, "published_year"),
    (BETWEEN, "published_days_after_reading"),
    (BETWEEN, "published_days_after_listing"),
    (EQUAL, "listed_on, list_date"),
    ("values_to_be_in_set", "repeat_number"),
    (BETWEEN, "author_count"),
)
PAPER_CHECKS = (
    (NOT_NULL, "title"),
    (REGEX, "title"),
    ("values_to_not_match_regex", "title"),
    (LENGTHS, "title"),
    (REGEX, "paper_id"),
    (NOT_NULL, "score"),
    (REGEX, "github_url"),
    (REGEX, "project_url"),
)


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.2f}"
    return str(value)


def _name(expectation: str) -> str:
    return expectation if expectation == ROW_COUNT else f"expect_column_{expectation}"


def _breaks(item: Item) -> bool:
    """Whether a field that is used is missing or of another type."""
    paper = item["paper"]
    texts = [paper.get(name) for name in ("id", "title", "summary", "publishedAt")]
    counts = [paper.get("upvotes"), item.get("numComments")]
    return not (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(count, int) for count in counts)
        and isinstance(paper.get("authors"), list)
    )


def _is_wide_enough(paper_id: str) -> bool:
    month, _, number = paper_id.partition(".")
    width = 4 if month < "1500" else 5
    return (
        month.isdecimal()
        and len(month) == 4
        and month >= "0704"
        and 1 <= int(month[2:]) <= 12
        and len(number) == width
    )


def _has_lost_zeros(paper_id: str) -> bool:
    month, dot, number = paper_id.partition(".")
    is_number = bool(dot) and f"0{month}{number}".isdecimal()
    return is_number and (len(month) < 4 or (month >= "15" and len(number) < 5))


def _listed_on(item: Item) -> date | None:
    at = item["paper"].get("submittedOnDailyAt")
    return datetime.fromisoformat(at).astimezone(UTC).date() if at else None


def _has(field: str, item: Item) -> bool:
    paper = item["paper"]

    def named(holder: Item, name: str, part: str) -> bool:
        return (holder.get(name) or {}).get(part) is not None

    match field:
        case "ai_summary":
            return paper.get("ai_summary") is not None
        case "ai_keywords":
            return bool([*(paper.get("ai_keywords") or []), ""][0])
        case "github_repo":
            return paper.get("githubRepo") is not None
        case "organization":
            places = ((paper, "organization"), (item, "organization"))
            by = (item, "submitterOrganization")
            return any(named(holder, name, "name") for holder, name in (*places, by))
        case "submitter":
            by_user = named(paper, "submittedOnDailyBy", "user")
            return by_user or named(item, "submittedBy", "name")
    # the one field here that is not looked up in the JSON: a broken item has none
    return not _breaks(item) and _listed_on(item) is not None
