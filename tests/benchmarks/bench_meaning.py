"""How often search finds the paper that is meant: by words, by meaning, by both.

    python tests/benchmarks/bench_meaning.py HOME

HOME has published the recorded responses (`papers import`). `questions.tsv` holds a hundred
questions to papers of a random sample, written from the idea of each, or from what one half
remembers of its title. The weight of words was chosen on every other one, from the first; the rest
tells.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles

from duckdb import DuckDBPyConnection
from rich.console import Console
from rich.table import Table

from flows.publication.published import opened
from flows.search.find import Question, find
from flows.search.meaning import sentence_model
from flows.settings import Settings

FIRST = 10
_BY_MEANING = """
    select paper_id
    from search.vectors
    order by array_inner_product(vector, $1::float[384]) desc
    limit 10
"""
Ask = Callable[[str], Sequence[str]]


def main(home: Path) -> None:
    """Print the table."""
    settings = Settings(home=home)
    lines = (Path(__file__).parent / "questions.tsv").read_text(encoding="utf-8").splitlines()
    asked = [tuple(line.split("\t")) for line in lines]
    table = Table(*("", "all", "chosen on", "told by", "meaning", "titles", "titles first", "95 %"))
    with opened(settings.published_path) as connection:
        for name, ask in _ways(connection, settings).items():
            table.add_row(name, *_figures(asked, ask))
        (count,) = connection.execute("select count(*) from search.vectors").fetchall()[0]
    Console().print(f"{count:,} papers; found among the first {FIRST}, in per cent", table)


def _ways(connection: DuckDBPyConnection, settings: Settings) -> dict[str, Ask]:
    model = sentence_model(settings)
    if model is None:
        sys.exit("There is no sentence model; leave PAPERS_EMBEDDING_MODEL unset.")

    def words(text: str) -> list[str]:
        return [hit.paper_id for hit in find(connection, Question(text, most=FIRST))]

    def meaning(text: str) -> list[str]:
        vector = model.vectors([text])[0].tolist()
        return [row[0] for row in connection.execute(_BY_MEANING, [vector]).fetchall()]

    def both(text: str) -> list[str]:
        return [hit.paper_id for hit in find(connection, Question(text, most=FIRST), model)]

    return {"words": words, "meaning": meaning, "both": both}


def _figures(asked: Sequence[tuple[str, ...]], ask: Ask) -> list[str]:
    ask(asked[0][2])
    places, seconds = [], []
    for paper_id, _, text in asked:
        began = time.perf_counter()
        found = list(ask(text))
        seconds.append(time.perf_counter() - began)
        places.append(found.index(paper_id) + 1 if paper_id in found else 99)

    def share(chosen: Callable[[int], bool], within: int = FIRST) -> str:
        among = [place for number, place in enumerate(places) if chosen(number)]
        return f"{100 * sum(place <= within for place in among) / len(among):.0f}"

    def is_title(number: int) -> bool:
        return asked[number][1] == "title"

    return [
        share(lambda _: True),
        share(lambda n: n % 2 == 0),
        share(lambda n: n % 2 == 1),
        share(lambda n: not is_title(n)),
        share(is_title),
        share(is_title, 1),
        f"{1000 * quantiles(seconds, n=20)[-1]:.0f} ms",
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
