"""How long search takes over 20,000 and over 1,000,000 papers, and what the index costs.

    PYTHONPATH=. python tests/benchmarks/bench_search.py [papers …]
    PYTHONPATH=. python tests/benchmarks/bench_search.py HOME

A HOME that make_million.py has made is asked alone. The papers are made up: words by Zipf's law
from 60,000, as long as the Hub's texts are. 200 mixed questions over one open connection, each
asked once before it is timed: one to five words, phrases, prefixes, misspelt words, ids, filters.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb

from flows.publication.kept_open import KeptOpen
from flows.publication.near import KeptMeanings
from flows.publication.tables import copy_table
from flows.search.find import Question, find
from flows.search.index import update_index
from flows.search.meaning import SentenceModel, sentence_model
from flows.search.publish_index import publish_index
from flows.settings import Settings
from tests.benchmarks.figures import Figure, tell

SIZES = (20_000, 1_000_000)
# 95 % of the questions: within so many ms by words alone and by meaning too.
GOALS = {20_000: 150, 1_000_000: 800}
INDEX_GOALS = {1_000_000: 120.0}  # seconds
WORDS = 60_000
STOP = 20  # the twenty most frequent words of a language are stop words, of which a text is free
ONE_DAY = 60

# A word's rank by Zipf's law, from a number between 0 and 1 that a hash gives; then as letters.
WORDS_SQL = f"""
    create macro chance(a, b) as (hash(a, b) >> 11) / 9007199254740992.0;
    create macro ranked(a, b) as floor({STOP} * ({WORDS} / {STOP}) ** chance(a, b))::integer;
    create table words as
    select
        rank,
        list_aggregate([
            ['ba','ce','di','fo','gu','ha','ke','li','mo','nu','pra','que','ri','sto','tu','vel']
            [1 + (hash(rank, place) % 16)::integer]
            for place in range(2 + (hash(rank) % 3)::integer)
        ], 'string_agg', '')
        || chr((97 + rank % 26)::integer)
        || chr((97 + rank // 26 % 26)::integer)
        || chr((97 + rank // 676 % 26)::integer) as word
    from range(1, {WORDS} + 2) as ranks (rank);
"""
_PAPERS = """
    insert into marts.papers
    with
        texts as (
            select
                number,
                kind,
                string_agg(words.word, ' ') as written
            from range($first, $next) as papers (number)
            cross join (
                values ('title', 9), ('abstract', 170), ('ai_summary', 24), ('ai_keywords', 14),
                ('author_names', 14)
            ) as kinds (kind, length)
            cross join lateral (
                select unnest(range(kinds.length)) as place
            )
            inner join words on words.rank = ranked(number, kind || place)
            group by all
        )
    select
        printf('%02d%02d.%05d', 10 + number // 1200000, 1 + number // 100000 % 12, number % 100000),
        'a reading',
        max(written) filter (where kind = 'title'),
        max(written) filter (where kind = 'abstract'),
        max(written) filter (where kind = 'ai_summary'),
        string_split(max(written) filter (where kind = 'ai_keywords'), ' '),
        string_split(max(written) filter (where kind = 'author_names'), ' '),
        'Organization ' || number % 300,
        date '2023-05-01' + (number % 1200)::integer,
        date '2023-05-01' + (number % 1200)::integer,
        number % 97,
        case when number % 3 = 0 then 'https://github.com/o/r' end,
        null
    from texts
    group by number
"""


# Of length one in any direction: how long comparing takes does not depend on what they mean.
_ANY_VECTORS = """
    insert into search.indexed_vectors
    select paper_id, 0, list_transform(numbers, n -> n / sqrt(list_dot_product(numbers, numbers)))
    from (
        select
            paper_id,
            [hash(paper_id, place) / 1.8446744073709552e19 - 0.5 for place in range(384)] as numbers
        from marts.papers
    );
    insert into search.vectors_made_with values (?)
"""


def main(sizes: list[int]) -> None:
    """Print the figures, size by size."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            bench(size, Path(folder))


def bench(size: int, folder: Path) -> None:
    """Make the papers, index them, change a day's worth, publish, ask."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        _make_papers(connection, size)
        goal = INDEX_GOALS.get(size)
        _timed(f"search index, {size:,} papers", lambda: update_index(connection, ""), goal)
        connection.execute(
            f"update marts.papers set reading_id = 'b', title = title || ' again'"
            f" where upvotes_count = 1 and rowid < {ONE_DAY * 97}"
        )
        day = f"search index of a day, {ONE_DAY} of {size:,} papers"
        _timed(day, lambda: update_index(connection, ""), 1.0)
        model = sentence_model(Settings(embedding_model=None))
        connection.execute(_ANY_VECTORS, [model.name if model else ""])
        file = folder / "papers.duckdb"
        connection.execute(f"attach '{file}' as published (storage_version 'v1.0.0')")
        copy_table(connection, "papers", "marts.papers")
        without = file.stat().st_size
        _timed(f"search index published, {size:,} papers", lambda: publish_index(connection))
        connection.execute("detach published")
    sizes = (file.stat().st_size / 1e6,), (without / 1e6,)
    tell(Figure(f"file of {size:,} papers", "MB", *sizes, "without the index"))
    ask(file, size)


def ask(file: Path, size: int) -> None:
    """Ask a published file 200 questions, by words alone and by meaning too."""
    model, kept, of = (
        sentence_model(Settings(embedding_model=None)),
        KeptMeanings(),
        f", {size:,} papers",
    )
    with KeptOpen(file).opened() as connection:
        questions = _questions(connection)
        seconds = [_seconds(connection, question) for question in questions]
        _timed(f"vectors into memory{of}", lambda: kept.of(connection))
        plain = [question for question in questions if _is_plain(question.text)]
        meant = [_seconds(connection, question, model, kept) for question in plain]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for what, times in (("words alone", seconds), ("by meaning too", meant)):
        usual = tuple(1000 * each for each in times)
        tell(Figure(f"a search, {what}{of}", "ms", usual))
        worst = (statistics.quantiles(usual, n=20)[-1],)
        tell(Figure(f"95 % of them, {what}{of}", "ms", worst, most=GOALS.get(size)))
    tell(Figure(f"memory of searching{of}", "MB", (peak,)))


def _is_plain(text: str) -> bool:
    """Whether it is asked by meaning: two words or more, and nothing exact."""
    return " " in text and not set(text) & set('"*')


def _make_papers(connection: duckdb.DuckDBPyConnection, size: int) -> None:
    connection.execute(WORDS_SQL)
    connection.execute(
        "create schema marts; create table marts.papers (paper_id text, reading_id text,"
        " title text, abstract text, ai_summary text, ai_keywords text[], author_names text[],"
        " organization_name text, first_listed_on date, last_listed_on date,"
        " upvotes_count bigint, github_url text, project_url text)"
    )
    for first in range(0, size, 20_000):
        connection.execute(_PAPERS, {"first": first, "next": min(size, first + 20_000)})


def _questions(connection: duckdb.DuckDBPyConnection) -> list[Question]:
    random = Random(7)  # noqa: S311  the same questions every time
    papers = connection.execute(
        "select paper_id, title from marts.papers using sample reservoir(200 rows) repeatable (7)"
    ).fetchall()
    return [_question(random, paper_id, title.split()) for paper_id, title in papers]


def _question(random: Random, paper_id: str, title: list[str]) -> Question:
    words = random.sample(title, random.randint(1, 5))
    match random.randrange(10):
        case 0:
            return Question(f"https://arxiv.org/abs/{paper_id}v2")
        case 1:
            return Question(f'"{title[0]} {title[1]}"')
        case 2:
            return Question(f"{words[0][:5]}* {title[-1]}")
        case 3:
            return Question(f"{words[0][:-2]}{words[0][-1]}{words[0][-2]} {title[-1]}")
        case 4:
            return Question(" ".join(words), has_code=True, upvotes_min=20)
        case _:
            return Question(" ".join(words))


def _seconds(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    model: SentenceModel | None = None,
    kept: KeptMeanings | None = None,
) -> float:
    find(connection, question, model, kept)
    began = time.perf_counter()
    find(connection, question, model, kept)
    return time.perf_counter() - began


def _timed(what: str, do: Callable[[], object], goal: float | None = None) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    do()
    seconds, work = time.perf_counter() - began, time.process_time() - cpu
    tell(Figure(what, "s", (seconds,), most=goal))
    tell(Figure("of processor", "s", (work,)))


if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].isdecimal():
        ask(Settings(home=Path(sys.argv[1])).published_path, 1_000_000)
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
