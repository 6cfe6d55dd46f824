"""Whether one finds a paper of which one remembers the idea; on the recorded responses."""

from pathlib import Path

import pytest

from flows.search.find import Question
from tests.support.dbt_build import Warehouse
from tests.support.histories import recorded_history
from tests.support.known_items import KNOWN_ITEMS
from tests.support.search_publication import publish, search


@pytest.fixture(scope="module")
def file(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import duckdb

    from flows.search.index import update_index

    folder = tmp_path_factory.mktemp("known")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for day, read_at, items in recorded_history(corpus):
        warehouse.read(read_at.isoformat(), items, day=str(day))
    warehouse.build("run", "--select", "+papers")
    with duckdb.connect(str(warehouse.path)) as connection:
        update_index(connection, "")
    return publish(folder)


def test_papers_are_found_by_their_ideas(file: Path) -> None:
    ranks = {}
    for paper_id, text in KNOWN_ITEMS.items():
        ids = [hit.paper_id for hit in search(file, Question(text, most=10))]
        ranks[paper_id] = ids.index(paper_id) + 1 if paper_id in ids else None
    missed = [paper_id for paper_id, rank in ranks.items() if rank is None]

    assert len(missed) <= 10, missed
