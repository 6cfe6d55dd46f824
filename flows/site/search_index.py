"""The search index as small files that a page reads by itself; `search.js` is what reads them.

search.words, .terms, .postings, .papers ──▶ words.json, postings/<term mod 256>.json, papers.json
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby

from duckdb import DuckDBPyConnection

FOLDER = "papers/search"
SHARDS = 256


def search_files(connection: DuckDBPyConnection) -> Iterator[tuple[str, bytes]]:
    """The files of the index and their reader, by their paths; terms and papers from 0."""
    script = (files(__package__) / "search.js").read_bytes()
    yield f"{FOLDER}/search.js", script
    yield f"{FOLDER}/papers.json", _json(connection.execute(_PAPERS).fetchall())
    yield f"{FOLDER}/words.json", _json(_words(connection))
    found = connection.execute(_POSTINGS, {"shards": SHARDS}).fetchall()
    for shard, rows in groupby(found, lambda row: row[0]):
        postings = {term: [_steps(papers), weights] for _, term, papers, weights in rows}
        yield f"{FOLDER}/postings/{shard}.json", _json(postings)


def _words(connection: DuckDBPyConnection) -> dict[str, object]:
    """All that a question is read by. Neither a word nor a term has a space in it."""
    words = connection.execute(_WORDS).fetchall()
    terms = connection.execute(_TERMS).fetchall()
    (pattern, count) = connection.execute(_RULES).fetchall()[0]
    return {
        "word_pattern": pattern,
        "paper_count": count,
        "words": " ".join(row[0] for row in words),
        "term_of_word": [row[1] for row in words],
        "terms": " ".join(row[0] for row in terms),
        "paper_counts": [row[1] for row in terms],
        "stop_words": [row[0] for row in connection.execute(_STOP_WORDS).fetchall()],
        "synonyms": connection.execute(_SYNONYMS).fetchall(),
    }


def _steps(numbers: list[int]) -> list[int]:
    """The differences, which are shorter to write than the numbers."""
    return [number - before for number, before in zip(numbers, [0, *numbers], strict=False)]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


# Numbered from 0 in the order that they have, in which equal ones are told apart.
_NUMBERED = """
    with terms as (
        select
            term, term_number, paper_count,
            row_number() over (order by term_number) - 1 as number
        from search.terms
    ),

    papers as (
        select *, row_number() over (order by paper_number) - 1 as number from search.papers
    )
"""
_PAPERS = f"""
    {_NUMBERED}
    select
        papers.paper_id, marts.title, papers.organization_name, papers.last_listed_on,
        papers.upvotes_count
    from papers
    inner join marts.papers as marts using (paper_id)
    order by papers.number
"""
_WORDS = f"""
    {_NUMBERED}
    select words.word, terms.number
    from search.words as words
    inner join terms using (term_number)
    order by words.word
"""
_TERMS = f"{_NUMBERED} select term, paper_count from terms order by number"
_RULES = "select search.word_pattern(), (select count(*) from search.papers)"
_STOP_WORDS = "select word from search.stop_words order by word"
_SYNONYMS = f"""
    {_NUMBERED}
    select synonyms.said, terms.number, synonyms.share
    from search.synonyms as synonyms
    inner join terms using (term_number)
    order by all
"""
_POSTINGS = f"""
    {_NUMBERED}
    select
        terms.number % $shards as shard,
        terms.number,
        list(papers.number order by papers.number),
        list(postings.weight order by papers.number)
    from search.postings as postings
    inner join terms using (term_number)
    inner join papers using (paper_number)
    group by shard, terms.number
    order by shard, terms.number
"""
