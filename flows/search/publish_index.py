"""The index put out with the marts: what was published before, brought up to the warehouse's.

search.indexed_* ──publish_index──▶ search.* of the published file

What belongs to a paper goes and comes with it; what depends on all papers is made anew. A file that
has no index yet gets all of it the same way.
"""

import hashlib
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows.search.index import MEMORY, sql
from flows.warehouse.database import bounded_memory

POSTINGS = 16_000_000  # so many are sorted in memory at once


def publish_index(connection: DuckDBPyConnection, renewed: str = "marts.papers") -> None:
    """Put the index and `search_papers` into the database that is attached as `published`.

    `renewed` is a relation with the paper_id of each paper whose row in `published.marts.papers` is
    another than before, or no longer there.
    """
    with bounded_memory(connection, MEMORY):
        connection.execute(f"begin transaction; {sql('publication.sql')} commit")
        connection.execute(_CHANGES)
        connection.execute(_PAPERS.format(renewed=renewed))
        connection.execute(f"begin transaction; {sql('publication_counts.sql')} commit")
        for first, last in connection.execute(_PARTS, {"most": POSTINGS}).fetchall():
            connection.execute(_POSTINGS, {"first": first, "last": last})
        connection.execute(_VECTORS.format(renewed=renewed))
    warehouse = connection.execute("select current_database()").fetchall()[0][0]
    connection.execute("use published")
    connection.execute(sql("words.sql"))
    connection.execute(sql("search_papers.sql"))
    connection.execute(f'use "{warehouse}"')


def rules_sha256() -> str:
    """The code that an index is made and put out with, as one hash."""
    folder = Path(__file__).parent
    code = sorted(file for file in folder.iterdir() if file.suffix in {".py", ".sql", ".toml"})
    return hashlib.sha256(b"".join(file.read_bytes() for file in code)).hexdigest()


_CHANGES = """
    create or replace temp table gone_numbers as
    select known.paper_number
    from published.search.papers as known
    anti join search.indexed_papers using (paper_number, paper_id, text_hash);
    create or replace temp table come_numbers as
    select indexed.paper_number
    from search.indexed_papers as indexed
    anti join published.search.papers using (paper_number, paper_id, text_hash)
"""
_PAPERS = """
    delete from published.search.papers where paper_id in (select paper_id from {renewed});
    insert into published.search.papers by name
    select
        indexed.paper_number,
        papers.paper_id,
        papers.rowid as paper_row,
        papers.first_listed_on,
        papers.last_listed_on,
        papers.organization_name,
        list_transform(papers.ai_keywords, lambda keyword: lower(keyword)) as keywords,
        papers.github_url is not null as has_code,
        papers.upvotes_count,
        indexed.text_hash
    from search.indexed_papers as indexed
    inner join published.marts.papers as papers using (paper_id)
    where papers.paper_id in (select paper_id from {renewed})
    order by indexed.paper_number;

    delete from published.search.paper_names where paper_id in (select paper_id from {renewed});
    insert into published.search.paper_names by name
    with
        found as (
            select papers.*
            from published.marts.papers as papers
            where papers.paper_id in (select paper_id from {renewed})
        ),
        names as (
            select 'author' as kind, paper_id, unnest(author_names) as name from found
            union all
            select 'keyword' as kind, paper_id, unnest(ai_keywords) as name from found
            union all
            select 'organization' as kind, paper_id, organization_name as name from found
        )
    select kind, lower(name) as lower_name, name, paper_id
    from names
    where name is not null
    group by all
    order by all;

    delete from published.search.postings where paper_number in (from gone_numbers)
"""
# Terms that follow one another, with about so many postings to come in all.
_PARTS = """
    with
        coming as (
            select (select count(*) from come_numbers) / count(*) as share
            from search.indexed_papers
        ),
        running as (
            select
                term_number,
                floor(
                    coming.share * (sum(paper_count) over (order by term_number) - paper_count)
                    / $most
                ) as part
            from published.search.terms
            cross join coming
            where coming.share > 0
        )
    select min(term_number), max(term_number) from running group by part order by part
"""
_POSTINGS = """
    insert into published.search.postings
    select postings.*
    from search.indexed_postings as postings
    where
        postings.term_number between $first and $last
        and postings.paper_number in (from come_numbers)
    order by term_number, paper_number
"""
# A vector belongs to the texts of its paper; those that were lacking are made by and by.
_VECTORS = """
    delete from published.search.vectors
    where
        paper_id in (select paper_id from {renewed})
        or paper_id not in (select made.paper_id from search.indexed_vectors as made);
    insert into published.search.vectors
    select made.paper_id, made.vector::float[384]
    from search.indexed_vectors as made
    where made.paper_id not in (select known.paper_id from published.search.vectors as known)
    order by made.paper_id
"""
