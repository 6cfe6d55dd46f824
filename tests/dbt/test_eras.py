"""Items as the Hub gave them over the years: every field is found where its era has it."""

from typing import Any

import pytest

from tests.support.dbt_build import Warehouse

OLDEST: dict[str, Any] = {
    "paper": {
        "id": "2403.00001",
        "authors": [
            {"_id": "1", "name": "Ada  One", "hidden": False},
            {"_id": "2", "name": "Ben Two", "hidden": True, "user": {"user": "ben"}},
            {"_id": "3", "name": " \n"},
        ],
        "publishedAt": "2024-03-11T23:46:12.000Z",
        "title": "Hard Breaks in\n  a Title",
        "summary": "First line\nof a paragraph.\n  Another one.",
        "upvotes": 7,
    },
    "publishedAt": "2024-03-12T02:51:25.097Z",
    "title": "Hard Breaks in a Title",
    "mediaUrl": "https://cdn.example.org/film.mp4",
    "numComments": 1,
}
WITH_SUBMITTER: dict[str, Any] = {
    **OLDEST,
    "mediaUrls": ["https://cdn.example.org/a.png", "https://cdn.example.org/b.mp4"],
    "thumbnail": "https://cdn-thumbnails.example.org/2403.00001.png",
    "submittedBy": {"name": "someone", "fullname": "Some One", "type": "user"},
}
del WITH_SUBMITTER["mediaUrl"]
WITH_KEYWORDS: dict[str, Any] = {
    "paper": {
        **OLDEST["paper"],
        "ai_keywords": [""],
        "githubRepo": "https://github.com/o/r/tree/main\n",
        "projectPage": " http://page.example.org",
        "submittedOnDailyAt": "2025-03-14T01:33:20.201Z",
        "submittedOnDailyBy": {"user": "another", "fullname": "An Other"},
        "mediaUrls": ["https://cdn.example.org/c.gif"],
    },
    "publishedAt": "2024-03-11T19:46:12.000Z",
    "title": "Hard Breaks in\n  a Title",
    "summary": "Outer.",
    "numComments": 0,
}
WITH_SUBMITTER_ORGANIZATION: dict[str, Any] = {
    "paper": {**WITH_KEYWORDS["paper"], "ai_keywords": ["One", "", "two"], "githubStars": 0},
    "numComments": 0,
    "submitterOrganization": {"name": "the-lab", "fullname": "The Lab"},
}
WITH_ORGANIZATION: dict[str, Any] = {
    "paper": {
        **OLDEST["paper"],
        "organization": {"name": "the-university", "fullname": "The University"},
        "ai_summary": "In\nshort.",
        "projectPage": "javascript:alert(1)",
        "githubStars": 1204,
        "submittedOnDailyAt": "2026-08-14T00:00:00.000Z",
        "withdrawnAt": "2026-08-13T00:00:00.000Z",
    },
    "organization": {"_id": "another", "name": "another", "fullname": "Another One"},
    "submittedBy": {"name": "someone", "followerCount": -3},
    "numComments": 0,
}


@pytest.fixture
def papers(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    eras = {
        "oldest": OLDEST,
        "submitter": WITH_SUBMITTER,
        "keywords": WITH_KEYWORDS,
        "submitter organization": WITH_SUBMITTER_ORGANIZATION,
        "organization": WITH_ORGANIZATION,
    }
    items = [
        {**era, "paper": {**era["paper"], "id": f"2403.0000{number}"}}
        for number, era in enumerate(eras.values())
    ]
    warehouse.read("2026-08-14T16:00:00", items)
    warehouse.build_of("papers", "paper_authors")
    rows = warehouse.rows("select papers from marts.papers order by paper_id")
    return dict(zip(eras, rows, strict=True))


def test_every_era_is_read_where_it_has_its_fields(papers: dict[str, dict[str, Any]]) -> None:
    def column(name: str) -> list[Any]:
        return [paper[name] for paper in papers.values()]

    assert column("title") == ["Hard Breaks in a Title"] * 5
    assert column("abstract") == ["First line of a paragraph.\n\nAnother one."] * 5
    assert [str(day) for day in column("published_on")] == ["2024-03-11"] * 5
    assert column("submitted_by") == [None, "someone", "another", "another", "someone"]
    assert column("organization_name") == [None, None, None, "The Lab", "The University"]
    assert column("organization_id") == [None, None, None, "the-lab", "the-university"]
    assert column("organization_handle") == [None, None, None, "the-lab", "the-university"]
    assert column("ai_keywords") == [[], [], [], ["One", "two"], []]
    assert column("ai_summary") == [None, None, None, None, "In short."]
    assert column("github_url") == [None, None, *["https://github.com/o/r"] * 2, None]
    assert column("github_stars_count") == [None, None, None, 0, 1204]
    assert column("project_url") == [None, None, *["http://page.example.org"] * 2, None]
    assert [len(urls) for urls in column("media_urls")] == [1, 2, 1, 1, 0]
    assert column("is_withdrawn") == [False, False, False, False, True]


def test_hidden_authors_are_counted_and_kept_but_not_named(
    warehouse: Warehouse, papers: dict[str, dict[str, Any]]
) -> None:
    assert papers["oldest"]["author_names"] == ["Ada One"]
    assert papers["oldest"]["author_count"] == 2
    assert warehouse.rows(
        "select author_position, author_name, hub_user, is_hidden from marts.paper_authors"
        " where paper_id = '2403.00000' order by author_position"
    ) == [(1, "Ada One", None, False), (2, "Ben Two", "ben", True)]
