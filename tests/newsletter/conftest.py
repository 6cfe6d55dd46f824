"""Digests to render: written for these tests, odd where the Hub is odd."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flows.newsletter.digest import Digest, DigestPaper, Proof
from flows.newsletter.render import ReaderLinks, Rendering, render
from flows.newsletter.site import Site

DAY = date(2026, 8, 20)


@pytest.fixture(scope="session")
def paper() -> Callable[..., DigestPaper]:
    def build(rank: int = 1, **given: Any) -> DigestPaper:
        usual: dict[str, Any] = {
            "paper_id": f"2608.{10_000 + rank}",
            "rank": rank,
            "title": f"Tidepool{rank}: Small Models that Learn from the Shore",
            "abstract": "We teach small models by the sea. They learn. " * 12,
            "upvotes_count": 200 - rank,
            "comments_count": 2,
            "organization_name": "Institute of Tides",
            "author_names": ("Ana Lindqvist", "Bo Čapek"),
            "author_count": 2,
            "published_on": date(2026, 8, 19),
            "ai_summary": "A tide of small models, each learning from the last.",
            "github_url": "https://github.com/tides/pool",
            "github_stars_count": 1234,
            "project_url": "https://tides.example.org/pool?a=1&b=2",
            "submitted_by": "Ana Lindqvist",
            "why_here": None,
        }
        return DigestPaper(**(usual | given))

    return build


@pytest.fixture(scope="session")
def digest(paper: Callable[..., DigestPaper]) -> Callable[..., Digest]:
    def build(*papers: DigestPaper, count: int = 0, warnings: tuple[str, ...] = ()) -> Digest:
        papers = papers or tuple(paper(rank) for rank in range(1, count + 1))
        read_at = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
        proof = Proof(len(papers), len(papers), read_at, 32, warnings)
        return Digest(DAY, "daily", papers, proof)

    return build


@pytest.fixture(scope="session")
def site() -> Site:
    return Site("https://papers.example.org")


@pytest.fixture(scope="session")
def links() -> ReaderLinks:
    return ReaderLinks(
        "https://papers.example.org/unsubscribe/a.b?x=1&y=2",
        "https://papers.example.org/preferences/a.b",
        "a.b",
    )


@pytest.fixture(scope="session")
def rendered(digest: Callable[..., Digest], site: Site) -> Callable[..., Rendering]:
    def build(*papers: DigestPaper, **given: Any) -> Rendering:
        return render(digest(*papers, **given), site)

    return build
