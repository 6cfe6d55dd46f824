"""What grew out of a sample paper: models, datasets and Spaces, more of them as weeks pass.

item of a list -> what /api/papers/ID says of it at a moment, in the API's shape of August 2026
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from flows.sources.sample.days import Item

_GROWS_FOR = timedelta(days=21)
_MOST = {"Models": 6, "Datasets": 3, "Spaces": 2}
_SHOWN = 5  # of many the answer lists the first ones, and says how many there are


def linked_answer(item: Item, now: datetime) -> dict[str, Any]:
    """The paper itself with what is linked with it; a paper always has the same repositories."""
    paper: dict[str, Any] = {**item["paper"]}
    listed_at = datetime.fromisoformat(paper.get("submittedOnDailyAt") or paper["publishedAt"])
    age = min(1.0, max(0.0, (now.astimezone(UTC) - listed_at) / _GROWS_FOR))
    rng = Random(paper["id"])  # noqa: S311 - a sample, no secret
    owner = paper.get("organization", {}).get("name") or item["submittedBy"]["name"]
    for kind, most in _MOST.items():
        fame = rng.random()
        arrivals = sorted(rng.random() for _ in range(int(most * 1.5 * fame**2)))
        repositories = [
            _repository(rng, kind, f"sample-{owner}/{paper['id'].replace('.', '-')}-{number}", age)
            for number in range(len(arrivals))
        ]
        there = [
            repository
            for repository, arrives in zip(repositories, arrivals, strict=True)
            if arrives <= age
        ]
        paper[f"linked{kind}"] = there[:_SHOWN]
        paper[f"numTotal{kind}"] = len(there)
    return paper


def _repository(rng: Random, kind: str, name: str, age: float) -> Item:
    likes, downloads = int(80 * rng.random() ** 3 * age), int(9_000 * rng.random() ** 3 * age)
    repository = {
        "_id": f"{rng.getrandbits(96):024x}",
        "id": name,
        "author": name.split("/", maxsplit=1)[0],
        "likes": likes,
        "private": False,
    }
    if kind == "Spaces":
        return repository | {"title": name.split("/")[1], "emoji": "📄", "sdk": "gradio"}
    return repository | {"downloads": downloads, "gated": False}
