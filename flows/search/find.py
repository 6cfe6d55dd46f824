"""What a question finds in the published file: by words as `search_papers(…)`, and by meaning.

AND and -word are read here alone; to the macro they are words like others.
"""

import re
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

from duckdb import DuckDBPyConnection

from flows.errors import UsageError
from flows.newsletter.digest import PAPER_ID
from flows.publication.near import KeptMeanings, Meanings, numbers
from flows.search.hits import Found, Hit, Ranked, shown
from flows.search.meaning import SentenceModel
from flows.topics import QUOTES, Topic, TopicError, fold, parse_topic
from flows.warehouse.database import records

LONGEST_TEXT = 2_000
FILTERS = ("since", "until", "organization", "keyword", "has_code", "upvotes_min")
_OPERATOR = re.compile(r'(?:^|\s)(?:(?:AND|OR|NOT)(?=\s|$)|-[\w"])|"|\*')
# A pasted title or address is no mistake; in a question these only part its words.
_PUNCTUATION = str.maketrans(dict.fromkeys("()[]{}|~^=<>\\:/&", " "))
# Where a paper can be read: it is the id that is meant, and not the words around it.
_ADDRESS = re.compile(
    r"(?:https?://)?(?:[\w-]+\.)?(?:arxiv\.org/(?:abs|pdf|html)|huggingface\.co/papers)"
    rf"/({PAPER_ID})(?:v\d+)?(?:\.pdf)?(?![\w.])",
    re.IGNORECASE | re.ASCII,
)
# An id, a phrase or the beginning of a word: who writes that wants just that.
_EXACT = re.compile(rf'["*]|\b{PAPER_ID}\b')
_FEWEST_WORDS = 2
_MOST_JOINED = 2_000  # papers whose texts are read for AND and -word
_FEWEST_BY_WORDS = 200  # papers whose words count beside what is near in meaning


class QuestionError(UsageError):
    """A text that nothing can be searched by; the message says what is missing."""


class UnreadableQuestionError(QuestionError):
    """A text with AND, OR or marks that cannot be meant as they stand."""


@dataclass(frozen=True)
class Question:
    """What is asked, and of which papers."""

    text: str
    since: date | None = None
    until: date | None = None
    organization: str | None = None
    keyword: str | None = None
    has_code: bool | None = None
    upvotes_min: int | None = None
    most: int = 20


@dataclass(frozen=True)
class Correction:
    """A word that no paper has, and the one that was looked for in its place."""

    word: str
    meant: str


def find(
    connection: DuckDBPyConnection,
    question: Question,
    model: SentenceModel | None = None,
    kept: KeptMeanings | None = None,
) -> tuple[Hit, ...]:
    """The papers for a question in the publication of this connection, the best first.

    With a model also those that mean what it asks, in whatever words. A connection from `opened`
    knows words faster the second time; who asks often keeps the vectors as well, which are else
    read for each question.

    Raises:
        QuestionError: the text is too long, or has no word that tells papers apart.
    """
    found = rank(connection, question, model, kept)
    return shown(connection, found, found.papers)


def rank(
    connection: DuckDBPyConnection,
    question: Question,
    model: SentenceModel | None = None,
    kept: KeptMeanings | None = None,
) -> Found:
    """What `find` finds, for who shows a part of it: no text of a paper is read.

    Raises:
        QuestionError: the text is too long, or has no word that tells papers apart.
    """
    if len(question.text) > LONGEST_TEXT:
        raise QuestionError(
            f"A text of {len(question.text):,} characters is too long to search by;"
            f" {LONGEST_TEXT:,} are the most."
        )
    if question.since and question.until and question.since > question.until:
        raise QuestionError(f"since ({question.since}) is after until ({question.until}).")
    text = _ADDRESS.sub(r" \1 ", _whole_characters(question.text).translate(QUOTES)).strip()
    topic = _topic(text)
    values = asdict(question) | {"text": text}
    if topic:
        found = _joined(connection, topic, values)
    elif model and _is_asked_by_meaning(connection, text, model):
        vectors = kept.of(connection) if kept else None
        found = _meant(connection, values, model.vectors([text])[0], vectors)
    else:
        found = _by_words(connection, values)
    if not found.papers and not _telling_words(connection, text):
        raise QuestionError(
            "There is no word here that tells one paper from another;"
            " name a topic, an author or an arXiv id, such as “long context attention”."
        )
    return found


def corrections(connection: DuckDBPyConnection, question: Question) -> tuple[Correction, ...]:
    """What the misspelt words of a question that `find` took were taken for, by word."""
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
    (is_name,) = connection.execute(_IS_NAME, {"text": text}).fetchall()[0]
    return not is_name


def _by_words(connection: DuckDBPyConnection, values: dict[str, Any]) -> Found:
    """What has the words, the best first."""
    rows = records(connection, _RANKED, values)
    words = tuple(rows[0]["hit_words"] or ()) if rows else ()
    for row in rows:
        del row["hit_words"]
    return Found(tuple(Ranked(**row) for row in rows), words)


def _meant(
    connection: DuckDBPyConnection,
    values: dict[str, Any],
    vector: Any,  # noqa: ANN401  numpy takes long to import, for a type alone
    vectors: Meanings | None,
) -> Found:
    """What has the words, and what is near in meaning."""
    words = _by_words(connection, values | {"most": max(values["most"], _FEWEST_BY_WORDS)})
    given = {
        "text": values["text"],
        "ids": [paper.paper_id for paper in words.papers],
        "scores": [paper.score for paper in words.papers],
        "most": values["most"],
    }
    filters = {name: values[name] for name in FILTERS}
    if vectors is None:
        near, given = _NEAR, given | filters | {"vector": vector.tolist()}
    else:
        near = _NEAR_FOUND
        is_filtered = any(value is not None for value in filters.values())
        chosen = numbers(connection, _CHOSEN, filters) if is_filtered else None
        also = numbers(connection, _NUMBERS, {"ids": given["ids"]})
        found = vectors.near(vector, values["most"], also=also, chosen=chosen)
        connection.register("near_papers", found)
    rows = records(connection, _MEANT.format(near=near), given)
    return Found(tuple(Ranked(**row) for row in rows), words.hit_words)


def _topic(text: str) -> Topic | None:
    """The text as a topic where it has AND or -word, which ranking alone cannot answer.

    Raises:
        UnreadableQuestionError: it cannot be meant as it is written.
    """
    if not _OPERATOR.search(text) or not any(map(str.isalnum, text)):
        return None
    try:
        topic = parse_topic(text.translate(_PUNCTUATION))
    except TopicError as error:
        raise UnreadableQuestionError(str(error)) from None
    return topic if topic.excluded or topic.is_joined else None


def _joined(connection: DuckDBPyConnection, topic: Topic, values: dict[str, Any]) -> Found:
    """Of the best papers for the words those that have none that is left out.

    AND asks for more: each term as it is written, but for words typed wrong.
    """
    words = (" ".join(term.words) for term in topic.terms)
    asked = " ".join(
        f'"{said}"' if term.is_exact else said
        for said, term in zip(words, topic.terms, strict=True)
    )
    found = _by_words(connection, values | {"text": asked, "most": _MOST_JOINED})
    rows = [paper.paper_row for paper in found.papers]
    texts = dict(connection.execute(_TEXTS, {"rows": rows}).fetchall())
    wanted = _as_meant(connection, topic, asked) if topic.is_joined else replace(topic, terms=())
    kept = [paper for paper in found.papers if wanted.covers(fold(texts[paper.paper_row]))]
    papers = (replace(paper, search_rank=place) for place, paper in enumerate(kept, 1))
    return Found(tuple(islice(papers, values["most"])), found.hit_words)


def _as_meant(connection: DuckDBPyConnection, topic: Topic, asked: str) -> Topic:
    """The topic with the words that are looked for in the place of those typed wrong."""
    meant = {each.word: each.meant for each in corrections(connection, Question(asked))}
    terms = (
        replace(term, words=tuple(meant.get(word, word) for word in term.words))
        for term in topic.terms
    )
    return replace(topic, terms=tuple(terms))


def _whole_characters(text: str) -> str:
    """What a terminal passes on may hold halves of characters, which are no text."""
    return text.encode(errors="replace").decode()


def _telling_words(connection: DuckDBPyConnection, text: str) -> int:
    (count,) = connection.execute(_TELLING_WORDS, [text]).fetchall()[0]
    return int(count)


# The words that were found stand in the first row alone: they are the same in each.
_RANKED = """
    select
        search_rank, paper_id, score, last_listed_on, upvotes_count, paper_row,
        case when search_rank = 1 then hit_words end as hit_words
    from search.ranked_papers(
        $text, $since, $until, $organization, $keyword, $has_code, $upvotes_min, $most
    )
    order by search_rank
"""
_IS_CHOSEN = """search.is_chosen(
            papers.first_listed_on, papers.last_listed_on, papers.organization_name,
            papers.keywords, papers.has_code, papers.upvotes_count,
            $since, $until, $organization, $keyword, $has_code, $upvotes_min
        )"""
_CHOSEN = f"select papers.paper_number from search.papers as papers where {_IS_CHOSEN}"
_NUMBERS = """
    select papers.paper_number
    from search.papers as papers
    where papers.paper_id in (select unnest($ids::text[]))
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
# has none of the words must be near, and not much farther than the nearest. One whose title
# begins with the whole text comes before all others: a cosine is never more than 1.
_MEANT = """
    with

    ranked as (
        select unnest($ids::text[]) as paper_id, unnest($scores::double[]) as score
    ),

    words as (
        select
            ranked.paper_id,
            0.02 * ranked.score
            + starts_with(
                array_to_string(search.words_of(titles.title), ' ') || ' ',
                array_to_string(search.words_of($text), ' ') || ' '
            )::int as score
        from ranked
        inner join search.papers as papers using (paper_id)
        inner join marts.papers as titles on papers.paper_row = titles.rowid
    ),

    near as ({near}),

    fused as (
        select
            paper_id,
            coalesce(near.cosine, 0) + coalesce(words.score, 0) as score
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
        papers.last_listed_on,
        papers.upvotes_count,
        papers.paper_row
    from fused
    inner join search.papers as papers using (paper_id)
    order by search_rank
"""
_MADE_WITH = "select model from search.vectors_made_with"
_IS_NAME = "select exists (from search.papers_of_name($text))"
_TEXTS = """
    select
        rowid,
        concat_ws(
            ' | ', title, abstract, ai_summary, organization_name,
            array_to_string(ai_keywords, ' | '), array_to_string(author_names, ' | ')
        )
    from marts.papers
    where rowid in (select unnest($rows::bigint[]))
"""
_CORRECTED = """
    select word, meant from search.asked_terms(?) where how = 'corrected' order by word
"""
_TELLING_WORDS = """
    select count(*) from (select unnest(search.asked_words(?)) as word)
    where rtrim(word, '*') not in (select stop_words.word from search.stop_words)
"""
