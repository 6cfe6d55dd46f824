"""The nearest of many are those that comparing one by one finds."""

from typing import Any

import numpy as np
import pytest

from flows.publication.near import Meanings

COUNT, LENGTH = 600, 384
Array = np.ndarray[Any, np.dtype[Any]]
NONE: Array = np.empty(0, np.int32)


@pytest.fixture(scope="module")
def known() -> Meanings:
    made = np.random.default_rng(3).normal(size=(COUNT, LENGTH)) + 0.6
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return Meanings(np.arange(COUNT, dtype=np.int32) * 2 + 7, made.astype(np.float32))


def test_the_first_ten_are_those_of_comparing_one_by_one(known: Meanings) -> None:
    for place in range(0, COUNT, 20):
        vector = known.rows[place]
        one_by_one = sorted(
            zip(known.paper_numbers.tolist(), known.rows, strict=True),
            key=lambda pair: -sum(pair[1] * vector),
        )
        found = known.near(vector, 10, also=NONE).sort_by([("cosine", "descending")])
        assert found["paper_number"].to_pylist() == [number for number, _ in one_by_one[:10]]
        assert found["cosine"].to_pylist()[0] == pytest.approx(1, abs=1e-5)


def test_the_nearest_are_among_the_chosen_and_others_come_by_name(known: Meanings) -> None:
    chosen: Array = known.paper_numbers[::3]
    others: Array = np.array([9, 10, 99_999], np.int32)
    found = known.near(known.rows[1], 10, also=others, chosen=chosen)["paper_number"].to_pylist()
    assert len(found) == 11, "ten, and the one of the others that has a vector"
    assert set(found) - set(chosen.tolist()) == {9}
    few = known.near(known.rows[1], 10, also=NONE, chosen=chosen[:2])
    assert few["paper_number"].to_pylist() == chosen[:2].tolist()


def test_where_there_are_no_vectors_nothing_is_near() -> None:
    empty = Meanings(NONE, np.empty((0, LENGTH), np.float32))
    assert empty.near(np.ones(LENGTH, np.float32), 10, also=NONE).num_rows == 0
    assert empty.vector(7) is None
