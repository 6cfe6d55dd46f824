"""That many papers' neighbours are those that each of them has alone."""

from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from flows.publication.kept_open import KeptOpen
from flows.publication.likeness import all_vectors, nearest
from flows.publication.near import read_meanings
from flows.publication.paper_page import paper_page, paper_pages
from flows.settings import Settings
from flows.sources.sample.days import items_at
from tests.support.dbt_build import Warehouse
from tests.support.publishing import publish_built


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> KeptOpen:
    home = tmp_path_factory.mktemp("alike")
    warehouse = Warehouse(home, home / "warehouse.duckdb")
    day, at = date(2026, 8, 13), datetime(2026, 8, 14, 3, tzinfo=UTC)
    warehouse.read("2026-08-14 03:00", items_at(day, at, 60), day=str(day))
    settings = Settings(home=home, embedding_model="none")
    publish_built(warehouse, settings)
    with duckdb.connect(str(settings.published_path)) as connection:
        rows = connection.execute("select paper_id from marts.papers order by all").fetchall()
        made = np.random.default_rng(1).normal(size=(len(rows) - 5, 384)) + 0.7
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        vectors = pa.array(made.tolist(), pa.list_(pa.float32(), 384))
        table = pa.table({"paper_id": [row[0] for row in rows[5:]], "vector": vectors})
        connection.register("made", table)
        connection.execute("insert into search.vectors from made")
    return KeptOpen(settings.published_path)


def test_a_product_of_matrices_finds_what_the_query_finds(published: KeptOpen) -> None:
    with published.opened() as connection:
        ids = [row[0] for row in connection.execute("select paper_id from marts.papers").fetchall()]
        vectors = all_vectors(connection)
        together = nearest(connection, ids, vectors)
        alone = {each: nearest(connection, [each]).get(each, {}) for each in ids}
    for name, others in alone.items():
        assert list(together.get(name, {}).items()) == list(others.items())
    assert len(together) > 50
    assert any("close in meaning" in others.values() for others in together.values())
    assert all(name not in others and len(others) <= 6 for name, others in together.items())


def test_vectors_kept_in_memory_find_what_the_query_finds(published: KeptOpen) -> None:
    with published.opened() as connection:
        ids = [row[0] for row in connection.execute("select paper_id from marts.papers").fetchall()]
        vectors = read_meanings(connection)
        for each in ids:
            known = nearest(connection, [each], vectors).get(each, {})
            assert list(known.items()) == list(nearest(connection, [each]).get(each, {}).items())


def test_pages_made_together_are_those_made_alone(published: KeptOpen) -> None:
    with published.opened() as connection:
        ids = [row[0] for row in connection.execute("select paper_id from marts.papers").fetchall()]
        together = paper_pages(connection, [*ids, "1901.00001"], all_vectors(connection))
        assert together == {each: paper_page(connection, each) for each in ids}
