"""A few exact comparisons find the nearest of many."""

from typing import Any

import numpy as np
import pytest

from flows.publication import near
from flows.publication.near import meanings

COUNT, LENGTH = 6_000, 384
Rows = np.ndarray[Any, np.dtype[np.float32]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """As a model gives them: all of them a little alike, and each near to those of its topic."""
    random = np.random.default_rng(3)
    topics = random.normal(size=(60, LENGTH)) + 0.6
    made = random.normal(size=(COUNT, LENGTH)) + topics[random.integers(0, len(topics), COUNT)]
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    rows: Rows = made.astype(np.float32)
    return rows


def test_the_first_ten_are_those_of_comparing_all(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "_COMPARED", COUNT // 10)
    numbers: Rows = np.arange(COUNT, dtype=np.int32) + 7
    known = meanings(numbers, rows)
    random = np.random.default_rng(4)
    asked = rows[::30] + random.normal(size=(COUNT // 30, LENGTH)).astype(np.float32) * 0.03
    same = 0
    for vector in asked:
        exact = numbers[np.argsort(-(rows @ vector))[:10]]
        same += set(known.nearest(vector, 10)["paper_number"].to_pylist()) == set(exact)
    assert same >= 0.99 * len(asked)


def test_only_what_is_chosen_is_near(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_COMPARED", 100)
    known = meanings(np.arange(COUNT, dtype=np.int32), rows)
    chosen: Rows = np.arange(0, COUNT, 3, dtype=np.int32)
    found = known.nearest(rows[1], 10, chosen)
    assert len(found) == 10
    assert all(number % 3 == 0 for number in found["paper_number"].to_pylist())
    assert known.nearest(rows[1], 10, np.array([5], np.int32))["paper_number"].to_pylist() == [5]
    assert known.of(rows[1], np.array([1, 99_999], np.int32))["cosine"].to_pylist() == [
        pytest.approx(1, abs=1e-5)
    ]


def test_without_vectors_nothing_is_near() -> None:
    known = meanings(np.empty(0, np.int32), np.empty((0, LENGTH), np.float32))
    assert known.nearest(np.ones(LENGTH, np.float32), 10).num_rows == 0
