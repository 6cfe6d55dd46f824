"""Histories of readings that the marts are tested on: recorded days, and days made up."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from flows.sources.sample.days import items_at
from tests.support.independent import DAY, Response


def sample_history(seed: int) -> list[Response]:
    """Five weeks of lists, read at irregular times: papers leave, come back, and lose votes."""
    rng = Random(seed)  # noqa: S311  a sample, no secret
    first = date(2026, 7, 6)
    responses: list[Response] = []
    for number in range(35):
        day = first + timedelta(days=number)
        opened = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=2)
        hours = sorted({23.6, *(rng.choice((6, 14, 30, 75.5, 100, 171, 260)) for _ in range(3))})
        for hour in hours:
            # whole days, so that different lists are read at the same moment now and then
            read_at = opened + timedelta(hours=hour)
            items = items_at(day, read_at, 9 if items_at(day, read_at) else 0)
            dropped = rng.randrange(12)
            for item in items:
                item["paper"]["upvotes"] = max(0, item["paper"]["upvotes"] - rng.choice((0, 0, 2)))
            items.sort(key=lambda item: -item["paper"]["upvotes"])
            again = items_at(day - 3 * DAY, read_at, 9)[:1]
            chosen = [item for place, item in enumerate(items) if place != dropped]
            responses.append((day, read_at, chosen + again * (bool(items) and day.day % 3 == 0)))
    return responses


def changing_history(seed: int) -> list[Response]:
    """The sample history, in which now and then a paper reads otherwise than before."""
    rng = Random(seed)  # noqa: S311  a sample, no secret
    responses = sample_history(seed)
    for _, _, items in responses:
        for item in items:
            paper = item["paper"]
            match rng.randrange(20):
                case 0:
                    paper["title"] += " Revised"
                case 1:
                    paper["summary"] += " It was extended."
                case 2:
                    paper["projectPage"] = "https://example.org/project"
                case 3:
                    paper["githubRepo"] = "https://github.com/o/added"
                case 4:
                    paper["withdrawnAt"] = "2026-08-01T00:00:00.000Z"
    return responses


def recorded_history(corpus: Path, days: str = "*") -> list[Response]:
    """The recorded responses of the days whose names are like this."""
    return [_recorded(path) for path in sorted(corpus.glob(f"{days}/*.json.gz"))]


def _recorded(path: Path) -> Response:
    day, read_at = path.parent.name, path.name.split(".")[0]
    moment = datetime.strptime(read_at, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    return date.fromisoformat(day), moment, json.loads(gzip.decompress(path.read_bytes()))
