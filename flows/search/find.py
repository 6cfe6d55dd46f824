"""What a question finds in the published file: what `from search_papers(…)` does in SQL.

AND and -word are read here alone; to the macro they are words like others.
"""

import re
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from flows.errors import UsageError
from flows.publication.published import opened
from flows.topics import Topic, TopicError, fold, parse_topic
from flows.warehouse.database import records

LONGEST_TEXT = 2_000
# Between them stands a hit. Text from the Hub has no control characters: staging takes them out.
_START, _END = "\x02", "\x03"
_OPERATOR = re.compile(r'(?:^|\s)(?:(?:AND|OR|NOT)(?=\s|$)|-[\w"])|"|\*')
# A pasted title or address is no mistake; in a question these only part its words.
_PUNCTUATION = str.maketrans(dict.fromkeys("()[]{}|~^=<>\\:/&", " "))
_MOST_JOINED = 2_000  # papers whose texts are read for AND and -word


class QuestionError(UsageError):
    """A text that nothing can be searched by; the message says what is missing."""


@dataclass(frozen=True)
class Question:
    """What is asked, and of which papers."""

    text: str
    since: date | None = None
    until: date | None = None
    organization: str | None = None
    has_code: bool | None = None
    upvotes_min: int | None = None
    most: int = 20


@dataclass(frozen=True)
class Piece:
    """A part of a snippet, and whether it is a word that was looked for."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class Hit:
    """A paper that was found; the best has rank 1 and the highest score. Its text is the Hub's."""

    search_rank: int
    paper_id: str
    score: float
    title: str
    snippet: tuple[Piece, ...]
    organization_name: str | None
    author_names: tuple[str, ...]
    last_listed_on: date
    upvotes_count: int
    github_url: str | None
    project_url: str | None


@dataclass(frozen=True)
class Correction:
    """A word that no paper has, and the one that was looked for in its place."""

    word: str
    meant: str


def search(path: Path, question: Question) -> tuple[Hit, ...]:
    """The papers that the publication at `path` has for a question, the best first.

    Raises:
        NotPublishedError: there is no publication yet, or it is older than search.
        QuestionError: the text is too long, or has no word that tells papers apart.
    """
    with opened(path) as connection:
        return find(connection, question)


def find(connection: DuckDBPyConnection, question: Question) -> tuple[Hit, ...]:
    """The same over a connection from `opened`, which knows words faster the second time.

    Raises:
        QuestionError: the text is too long, or has no word that tells papers apart.
    """
    if len(question.text) > LONGEST_TEXT:
        raise QuestionError(
            f"A text of {len(question.text):,} characters is too long to search by;"
            f" {LONGEST_TEXT:,} are the most."
        )
    text = _whole_characters(question.text)
    topic = _topic(text)
    values = asdict(question) | {"text": text, "start": _START, "end": _END}
    rows = _joined(connection, topic, values) if topic else records(connection, _SEARCH, values)
    if not rows and not _telling_words(connection, text):
        raise QuestionError(
            "There is no word here that tells one paper from another;"
            " name a topic, an author or an arXiv id, such as “long context attention”."
        )
    return tuple(Hit(**_hit(row)) for row in rows)


def corrections(path: Path, question: Question) -> tuple[Correction, ...]:
    """What the misspelt words of a question that `search` took were taken for, by word."""
    with opened(path) as connection:
        rows = connection.execute(_CORRECTED, [_whole_characters(question.text)]).fetchall()
    return tuple(Correction(*row) for row in rows)


def _topic(text: str) -> Topic | None:
    """The text as a topic where it has AND or -word, which ranking alone cannot answer.

    Raises:
        QuestionError: it cannot be meant as it is written.
    """
    if not _OPERATOR.search(text) or not any(map(str.isalnum, text)):
        return None
    try:
        topic = parse_topic(text.translate(_PUNCTUATION))
    except TopicError as error:
        raise QuestionError(str(error)) from None
    return topic if topic.excluded or topic.is_joined else None


def _joined(
    connection: DuckDBPyConnection, topic: Topic, values: dict[str, Any]
) -> list[dict[str, Any]]:
    """Of the best papers for the words those that have all of them, and none that is left out."""
    words = (" ".join(term.words) for term in topic.terms)
    asked = " ".join(
        f'"{said}"' if term.is_exact else said
        for said, term in zip(words, topic.terms, strict=True)
    )
    rows = records(connection, _SEARCH, values | {"text": asked, "most": _MOST_JOINED})
    ids = [row["paper_id"] for row in rows]
    texts = dict(connection.execute(_TEXTS, {"ids": ids}).fetchall())
    kept = [row for row in rows if topic.covers(fold(texts[row["paper_id"]]))]
    return [row | {"search_rank": rank} for rank, row in enumerate(kept[: values["most"]], 1)]


def _whole_characters(text: str) -> str:
    """What a terminal passes on may hold halves of characters, which are no text."""
    return text.encode(errors="replace").decode()


def _telling_words(connection: DuckDBPyConnection, text: str) -> int:
    (count,) = connection.execute(_TELLING_WORDS, [text]).fetchall()[0]
    return int(count)


def _hit(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "snippet": _pieces(row["snippet"] or ""),
        "author_names": tuple(row["author_names"]),
    }


def _pieces(marked: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for part in marked.split(_START):
        hit, end, rest = part.partition(_END)
        pieces += (
            [Piece(hit, is_hit=True), Piece(rest, is_hit=False)]
            if end
            else [Piece(hit, is_hit=False)]
        )
    return tuple(piece for piece in pieces if piece.text)


_SEARCH = """
    from search_papers(
        $text,
        since := $since,
        until := $until,
        organization := $organization,
        has_code := $has_code,
        upvotes_min := $upvotes_min,
        most := $most,
        mark_start := $start,
        mark_end := $end
    )
"""
_TEXTS = """
    select
        paper_id,
        concat_ws(
            ' | ', title, abstract, ai_summary, organization_name,
            array_to_string(ai_keywords, ' | '), array_to_string(author_names, ' | ')
        )
    from marts.papers
    where paper_id in (select unnest($ids))
"""
_CORRECTED = """
    select word, meant from search.asked_terms(?) where how = 'corrected' order by word
"""
_TELLING_WORDS = """
    select count(*) from (select unnest(search.asked_words(?)) as word)
    where rtrim(word, '*') not in (select stop_words.word from search.stop_words)
"""
