"""Answers that are kept a moment: the same for everybody, and of one publication."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from flows.publication.kept_open import now_published
from flows.web.answers import Answers
from flows.web.pages import kept
from tests.support.site import Site


def _request(path: str = "/papers", query: str = "", etag: str = "") -> Request:
    headers = [(b"host", b"x"), (b"if-none-match", etag.encode())]
    scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": headers}
    return Request(scope)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "papers.duckdb"
    path.write_bytes(b"first")
    return path


def _kept(answers: Answers, content: bytes, query: str = "") -> Response:
    answer = kept(_request(), content, "text/html", seconds=60)
    answers.keep(_request(query=query), answer, now_published(answers.published))
    return answer


def test_the_same_address_gets_the_same_answer_and_another_one_none(file: Path) -> None:
    answers = Answers(file)
    answer = _kept(answers, b"a list", "date=2026-08-13")
    found = answers.find(_request(query="date=2026-08-13"))
    assert found is not None
    assert (found.body, dict(found.headers)) == (b"a list", dict(answer.headers))
    assert answers.find(_request(query="date=2026-08-14")) is None
    again = answers.find(_request(query="date=2026-08-13", etag=answer.headers["etag"]))
    assert again is not None
    assert (again.status_code, again.body) == (304, b"")


def test_another_publication_forgets_what_was_answered(file: Path) -> None:
    answers = Answers(file)
    _kept(answers, b"a list")
    other = file.with_suffix(".new")
    other.write_bytes(b"second")
    before = now_published(answers.published)
    other.replace(file)
    assert answers.find(_request()) is None
    # Made from the old file, or from the new one: who asked cannot know, so it is not found.
    answers.keep(_request(), kept(_request(), b"old", "text/html", seconds=60), before)
    assert answers.find(_request()) is None


def test_it_is_found_no_longer_than_a_browser_may_keep_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("flows.web.answers.time.monotonic", lambda: now)
    answers = Answers(file)
    _kept(answers, b"a list")
    now = 160.0
    assert answers.find(_request()) is not None
    now = 160.1
    assert answers.find(_request()) is None


def test_what_is_not_for_everybody_or_no_success_is_not_kept(file: Path) -> None:
    answers = Answers(file)
    public = {"Cache-Control": "public, max-age=60", "ETag": '"x"'}
    for answer in (Response(b"mine"), Response(b"no", 404, public)):
        answers.keep(_request(), answer, now_published(answers.published))
        assert answers.find(_request()) is None


def test_memory_has_a_bound_and_the_oldest_answer_goes_first(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.web.answers._MOST_BYTES", 10)
    answers = Answers(file)
    for query in ("a", "b", "b", "c"):
        _kept(answers, b"12345", query)
    found = [query for query in "abc" if answers.find(_request(query=query))]
    assert found == ["b", "c"]


def test_a_page_is_the_same_the_second_time_and_has_its_headers(site: Site) -> None:
    for path in ("/papers", "/papers/date/2026-08-13", "/api/daily_papers?date=2026-08-13"):
        first, second = site.get(path), site.get(path)
        assert first.content == second.content
        same = {name for name in first.headers if name.lower() != "date"}
        assert {name: first.headers[name] for name in same} == {
            name: second.headers[name] for name in same
        }
