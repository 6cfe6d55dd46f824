"""What a question finds in the published file: by words as `search_papers(…)`, and by meaning.

AND and -word are read here alone; to the macro they are words like others.
"""

import re
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from flows.errors import UsageError
from flows.publication.near import KeptMeanings, Meanings, numbers
from flows.publication.published import opened
from flows.search.meaning import SentenceModel
from flows.topics import Topic, TopicError, fold, parse_topic
from flows.warehouse.database import records

LONGEST_TEXT = 2_000
# Between them stands a hit. Text from the Hub has no control characters: staging takes them out.
_START, _END = "\x02", "\x03"
_OPERATOR = re.compile(r'(?:^|\s)(?:(?:AND|OR|NOT)(?=\s|$)|-[\w"])|"|\*')
# A pasted title or address is no mistake; in a question these only part its words.
_PUNCTUATION = str.maketrans(dict.fromkeys("()[]{}|~^=<>\\:/&", " "))
# An id, a phrase or the beginning of a word: who writes that wants just that.
_EXACT = re.compile(r'["*]|\b\d{4}\.\d{4,5}\b')
_FEWEST_WORDS = 2
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


def search(path: Path, question: Question, model: SentenceModel | None = None) -> tuple[Hit, ...]:
    """The papers that the publication at `path` has for a question, the best first.

    With a model also those that mean what it asks, in whatever words.

    Raises:
        NotPublishedError: there is no publication yet, or it is older than search.
        QuestionError: the text is too long, or has no word that tells papers apart.
    """
    with opened(path) as connection:
        return find(connection, question, model)


def find(
    connection: DuckDBPyConnection,
    question: Question,
    model: SentenceModel | None = None,
    kept: KeptMeanings | None = None,
) -> tuple[Hit, ...]:
    """The same over a connection from `opened`, which knows words faster the second time.

    Who asks often keeps the vectors, which are else read for each question.

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
    if topic:
        rows = _joined(connection, topic, values)
    elif model and _is_asked_by_meaning(connection, text, model):
        vectors = kept.of(connection) if kept else None
        rows = _meant(connection, values, model.vectors([text])[0], vectors)
    else:
        rows = records(connection, _SEARCH, values)
    if not rows and not _telling_words(connection, text):
        raise QuestionError(
            "There is no word here that tells one paper from another;"
            " name a topic, an author or an arXiv id, such as “long context attention”."
        )
    return tuple(Hit(**_hit(row)) for row in rows)


def corrections(path: Path, question: Question) -> tuple[Correction, ...]:
    """What the misspelt words of a question that `search` took were taken for, by word."""
    with opened(path) as connection:
        return corrected(connection, question)


def corrected(connection: DuckDBPyConnection, question: Question) -> tuple[Correction, ...]:
    """The same over a connection from `opened`."""
    rows = connection.execute(_CORRECTED, [_whole_characters(question.text)]).fetchall()
    return tuple(Correction(*row) for row in rows)


def is_by_meaning(connection: DuckDBPyConnection, model: SentenceModel | None) -> bool:
    """Whether the publication holds vectors that this model can be compared with."""
    return bool(model and connection.execute(_MADE_WITH).fetchall() == [(model.name,)])


def _is_asked_by_meaning(connection: DuckDBPyConnection, text: str, model: SentenceModel) -> bool:
    """Whether meaning helps: not where exact words are asked for, an id, a name, or one word."""
    if _EXACT.search(text) or len(text.split()) < _FEWEST_WORDS:
        return False
    if not is_by_meaning(connection, model) or not _telling_words(connection, text):
        return False
    (is_name,) = connection.execute(_IS_NAME, {"text": text.strip()}).fetchall()[0]
    return not is_name


def _meant(
    connection: DuckDBPyConnection,
    values: dict[str, Any],
    vector: Any,  # noqa: ANN401  numpy takes long to import, for a type alone
    vectors: Meanings | None,
) -> list[dict[str, Any]]:
    """What has the words, and what is near in meaning."""
    if vectors is None:
        query = _MEANT.format(words=_WORDS, near=_NEAR)
        return records(connection, query, values | {"vector": vector.tolist()})
    words = connection.execute(f"select * {_WORDS}", values).to_arrow_table()
    connection.register("word_hits", words)
    filters = {name: values[name] for name in _FILTERS}
    is_filtered = any(value is not None for value in filters.values())
    chosen = numbers(connection, _CHOSEN, filters) if is_filtered else None
    also = numbers(connection, _NUMBERS)
    found = vectors.near(vector, values["most"], also=also, chosen=chosen)
    connection.register("near_papers", found)
    query = _MEANT.format(words="from word_hits", near=_NEAR_FOUND)
    return records(connection, query, {"most": values["most"]})


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


_BY_WORDS = """from search_papers(
        $text,
        since := $since,
        until := $until,
        organization := $organization,
        has_code := $has_code,
        upvotes_min := $upvotes_min,
        most := {most},
        mark_start := $start,
        mark_end := $end
    )"""
_SEARCH = _BY_WORDS.format(most="$most")
_WORDS = _BY_WORDS.format(most="greatest($most, 200)")
_FILTERS = ("since", "until", "organization", "has_code", "upvotes_min")
_IS_CHOSEN = """search.is_chosen(
            papers.first_listed_on, papers.last_listed_on, papers.organization_name,
            papers.has_code, papers.upvotes_count,
            $since, $until, $organization, $has_code, $upvotes_min
        )"""
_CHOSEN = f"select papers.paper_number from search.papers as papers where {_IS_CHOSEN}"
_NUMBERS = """
    select papers.paper_number
    from search.papers as papers
    where papers.paper_id in (select paper_id from word_hits)
"""
_NEAR = f"""
        select
            vectors.paper_id,
            array_inner_product(vectors.vector, $vector::float[384])::double as cosine
        from search.vectors as vectors
        inner join search.papers as papers using (paper_id)
        where {_IS_CHOSEN}
"""
_NEAR_FOUND = """
        select papers.paper_id, near_papers.cosine::double as cosine
        from near_papers
        inner join search.papers as papers using (paper_number)
"""
# Cosine and words add up: measured on a hundred questions, tests/benchmarks/README.md. A paper that
# has none of the words must be near, and not much farther than the nearest.
_MEANT = """
    with

    words as materialized ({words}),

    near as ({near}),

    fused as (
        select
            paper_id,
            coalesce(near.cosine, 0) + 0.02 * coalesce(words.score, 0) as score,
            words.snippet
        from near
        full join words using (paper_id)
        qualify
            words.paper_id is not null
            or near.cosine >= greatest(0.3, 0.6 * max(near.cosine) over ())
        order by score desc, paper_id
        limit $most
    )

    select
        row_number() over (order by fused.score desc, fused.paper_id) as search_rank,
        fused.paper_id,
        fused.score,
        papers.title,
        coalesce(fused.snippet, regexp_extract(
            regexp_replace(coalesce(papers.ai_summary, papers.abstract), '\\s+', ' ', 'g'),
            '^.{{0,200}}\\S*'
        )) as snippet,
        papers.organization_name,
        papers.author_names,
        papers.last_listed_on,
        papers.upvotes_count,
        papers.github_url,
        papers.project_url
    from fused
    inner join marts.papers as papers using (paper_id)
    order by search_rank
"""
_MADE_WITH = "select model from search.vectors_made_with"
_IS_NAME = """
    select exists (
        from search.paper_names
        where kind in ('author', 'organization') and lower_name = lower($text)
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
