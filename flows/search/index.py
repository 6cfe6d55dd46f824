"""The index: kept in the warehouse, brought up to date paper by paper, and put out with the marts.

marts.papers ──update_index──▶ search.indexed_* ──publish_index──▶ search.* of the published file

A paper's weights depend on that paper alone (the usual length of a field is a constant), so a day
reads the words of that day's papers and of no other; what depends on all papers, the rarity of a
term, is counted when the index is put out. That is why it is Python and SQL of its own, and no dbt
model: it follows the papers that changed and not the list dates that were read.
"""

import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from duckdb import DuckDBPyConnection

from flows.warehouse.database import bounded_memory

# BM25F (Robertson and Zaragoza, 2009): what a word counts for in a field, and how long that field
# usually is, in words that are not stop words. A hundred papers of each year gave the lengths.
FIELDS = {
    "paper_id": (3.0, 1.0),
    "title": (3.0, 8.0),
    "ai_keywords": (2.0, 20.0),
    "ai_summary": (1.5, 18.0),
    "abstract": (1.0, 110.0),
    "author_names": (2.0, 16.0),
    "organization_name": (2.0, 2.0),
}
K1, B = 1.5, 0.5
# What a synonym counts for beside the word itself; of several words each has its part.
SYNONYM_SHARE = 0.4
# What is in memory at once: the words of so many papers, and so much of all the rest, of which
# DuckDB would else keep as much as fits.
CHUNK = 10_000
MEMORY = "1200MB"
THREADS = 4


def update_index(connection: DuckDBPyConnection, made_with: str) -> int:
    """Bring `search.indexed_*` of the warehouse up to `marts.papers`; the number of papers read.

    `made_with` says by what papers were made; by something else, or by other rules of words, every
    paper is read anew. All or nothing, also when it is killed.
    """
    rules = hashlib.sha256(f"{made_with} {_rules()}".encode()).hexdigest()
    with bounded_memory(connection, MEMORY):
        return _update(connection, rules)


def _update(connection: DuckDBPyConnection, rules: str) -> int:
    connection.execute("begin")
    connection.execute(sql("index.sql"))
    create_words(connection)
    if connection.execute("select rules_sha256 from search.indexed_with").fetchall() != [(rules,)]:
        for table in ("papers", "words", "postings", "with"):
            connection.execute(f"delete from search.indexed_{table}")
        connection.execute("insert into search.indexed_with values (?)", [rules])
    connection.execute(_CHANGED_PAPERS)
    connection.execute(_FORGET)
    connection.execute(_REMEMBER)
    count = _count(connection, "changed_papers")
    for first in range(0, count, CHUNK):
        connection.execute(_OCCURRENCES, {"first": first, "next": first + CHUNK})
        connection.execute(_NEW_WORDS)
        connection.execute(_NEW_POSTINGS)
    connection.execute("commit")
    return count


def create_words(connection: DuckDBPyConnection) -> None:
    """The macros that read words, the stop words and the synonyms, in schema `search`."""
    connection.execute(sql("words.sql"))
    known = _known_words()
    connection.execute(
        "create or replace table search.stop_words as select unnest(?::text[]) as word",
        [known["stop_words"]],
    )
    connection.execute(
        "create or replace temp table same as"
        " select unnest(?::text[][]) as ways, generate_subscripts(?::text[][], 1) as line",
        [known["same"], known["same"]],
    )
    connection.execute(_SYNONYMS, {"share": SYNONYM_SHARE})


def sql(name: str) -> str:
    """One of the SQL files beside this module."""
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def _known_words() -> dict[str, Any]:
    return tomllib.loads(sql("words.toml"))


def _rules() -> str:
    """All that a paper's postings depend on beside the paper."""
    return sql("words.sql") + repr((FIELDS, K1, B, _known_words()["stop_words"]))


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


_TEXTS = "title, abstract, ai_summary, ai_keywords, author_names, organization_name"
# A paper that was read again keeps its reading no longer, but mostly its words.
_CHANGED_PAPERS = f"""
    create or replace temp table read_papers as
    select papers.paper_id, papers.reading_id, hash({_TEXTS}) as text_hash
    from marts.papers as papers
    where not exists (
        from search.indexed_papers as indexed
        where indexed.paper_id = papers.paper_id and indexed.reading_id = papers.reading_id
    );

    create or replace temp table changed_papers as
    select
        read.*,
        coalesce(
            indexed.paper_number,
            (select coalesce(max(paper_number), 0) from search.indexed_papers)
            + row_number() over (order by indexed.paper_number nulls last, read.paper_id)
        )::integer as paper_number,
        row_number() over (order by read.paper_id) - 1 as position
    from read_papers as read
    left join search.indexed_papers as indexed using (paper_id)
    where indexed.text_hash is distinct from read.text_hash;

    create or replace temp table gone_papers as
    select indexed.paper_number, indexed.paper_id
    from search.indexed_papers as indexed
    where indexed.paper_id not in (select papers.paper_id from marts.papers as papers)
"""
_FORGET = """
    delete from search.indexed_postings
    where paper_number in (
        select paper_number from changed_papers union all select paper_number from gone_papers
    );
    delete from search.indexed_papers
    where paper_id in (
        select paper_id from changed_papers union all select paper_id from gone_papers
    )
"""
_REMEMBER = """
    update search.indexed_papers as indexed set reading_id = read.reading_id
    from read_papers as read
    where indexed.paper_id = read.paper_id;
    insert into search.indexed_papers by name
    select paper_number, paper_id, reading_id, text_hash from changed_papers order by paper_number
"""
_LISTS = ("ai_keywords", "author_names")
_FIELD_TEXTS = ", ".join(
    f"{{'field': {number}, 'written': array_to_string(papers.{name}, ' ')}}"
    if name in _LISTS
    else f"{{'field': {number}, 'written': papers.{name}}}"
    for number, name in enumerate(FIELDS)
)
# DuckDB reads so few papers in one thread; each part of a union may have one of its own.
_IN_THREADS = " union all ".join(
    f"""
            select paper_number, field::utinyint as field, unnest(search.words_of(written)) as word
            from texts
            where paper_number % {THREADS} = {part}
    """
    for part in range(THREADS)
)
# A word is a number from here on: of 230 a paper only those not met before are kept as text.
_OCCURRENCES = f"""
    create or replace temp table occurrences as
    with
        texts as (
            select
                changed.paper_number,
                unnest([
                    {_FIELD_TEXTS}
                ], recursive := true)
            from changed_papers as changed
            inner join marts.papers as papers using (paper_id)
            where changed.position >= $first and changed.position < $next
        ),
        words as ({_IN_THREADS})
    select
        words.paper_number,
        words.field,
        known.term_number,
        case when known.term_number is null then words.word end as new_word
    from words
    left join search.indexed_words as known using (word)
    where words.word not in (select stop_words.word from search.stop_words)
"""
_NEW_WORDS = """
    insert into search.indexed_words
    with
        new as (
            select new_word as word, search.stem(new_word) as term
            from (select distinct new_word from occurrences where new_word is not null)
        ),
        terms as (
            select term, any_value(term_number) as term_number
            from search.indexed_words
            where term in (select new.term from new)
            group by term
        )
    select
        new.word,
        new.term,
        coalesce(
            terms.term_number,
            (select coalesce(max(term_number), 0) from search.indexed_words)
            + dense_rank() over (order by terms.term_number nulls first, new.term)
        )::integer
    from new
    left join terms using (term)
    order by new.word
"""
_FIELD_ROWS = ", ".join(str((number, *worth)) for number, worth in enumerate(FIELDS.values()))
# What a field's words count for adds up, each time a word stands there.
_NEW_POSTINGS = f"""
    insert into search.indexed_postings
    with
        fields (field, boost, usual_length) as (
            values {_FIELD_ROWS}
        ),
        lengths as (
            select paper_number, field, count(*) as length from occurrences group by all
        ),
        worths as (
            select
                lengths.paper_number,
                lengths.field,
                fields.boost / (1 - {B} + {B} * lengths.length / fields.usual_length) as worth
            from lengths
            inner join fields using (field)
        ),
        weights as (
            select
                coalesce(occurrences.term_number, words.term_number) as term_number,
                occurrences.paper_number,
                sum(worths.worth) as weight
            from occurrences
            inner join worths using (paper_number, field)
            left join search.indexed_words as words on occurrences.new_word = words.word
            group by all
        )
    select term_number, paper_number, round(255 * weight / ({K1} + weight))::utinyint
    from weights
"""
_SYNONYMS = """
    create or replace table search.synonyms as
    with
        ways as (
            select line, generate_subscripts(ways, 1) as way, unnest(ways) as written from same
        ),
        words as (
            select line, way, unnest(search.words_of(written)) as word from ways
        ),
        terms as (
            select line, way, search.stem(word) as term, word in (from search.stop_words) as is_stop
            from words
        ),
        said as (
            select line, way, ' ' || string_agg(term, ' ') || ' ' as said,
                count(*) filter (not is_stop) as term_count
            from terms group by all
        )
    select said.said, terms.term, max($share / other.term_count) as share
    from said
    inner join said as other on said.line = other.line and said.way <> other.way
    inner join terms on other.line = terms.line and other.way = terms.way and not terms.is_stop
    where not contains(said.said, ' ' || terms.term || ' ')
    group by all
    order by all
"""
