"""What is near in meaning among a million papers, without reading all of their vectors.

search.vectors ──▶ a file without a name, mapped into memory, and the signs of its numbers

A vector is 1,536 bytes; on which side of the mean each of its numbers lies is 48. Two that point
the same way lie mostly on the same sides: the `_COMPARED` nearest by that are compared exactly. Of
fewer papers than that all are.
"""

import tempfile
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[Any]]
    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Words = np.ndarray[Any, np.dtype[np.uint64]]

_COMPARED = 20_000
_BATCH = 65_536  # vectors read at once: 100 MB


@dataclass(frozen=True)
class Meanings:
    """The vectors of a publication, a row each, by the number of the paper in `search.papers`."""

    paper_numbers: "Numbers"
    rows: "Floats"
    mean: "Floats"
    signs: "Words"

    def nearest(self, vector: "Floats", most: int, chosen: "Numbers | None" = None) -> pa.Table:
        """The papers nearest to a vector of length 1: `paper_number` and `cosine`, unordered.

        `chosen` are the numbers of those that may be among them, None for all.
        """
        import numpy as np

        places = (
            np.arange(len(self.paper_numbers))
            if chosen is None
            else np.flatnonzero(np.isin(self.paper_numbers, chosen))
        )
        if len(places) > _COMPARED:
            signs = self.signs if chosen is None else self.signs[places]
            unlike = np.bitwise_count(signs ^ _signs(vector[None, :], self.mean)).sum(
                axis=1, dtype=np.uint16
            )
            places = np.sort(places[np.argpartition(unlike, _COMPARED)[:_COMPARED]])
        return self._cosines(vector, places, most)

    def of(self, vector: "Floats", paper_numbers: "Numbers") -> pa.Table:
        """The same of these papers, as far as they have vectors."""
        import numpy as np

        places = np.flatnonzero(np.isin(self.paper_numbers, paper_numbers))
        return self._cosines(vector, places, len(places))

    def vector(self, paper_number: int) -> "Floats | None":
        """The one of this paper; None where it has none."""
        import numpy as np

        places = np.flatnonzero(self.paper_numbers == paper_number)
        return self.rows[places[0]] if len(places) else None

    def _cosines(
        self, vector: "Floats", places: "np.ndarray[Any, np.dtype[np.intp]]", most: int
    ) -> pa.Table:
        import numpy as np

        cosines = self.rows[places] @ vector
        if len(places) > most:
            first = np.argpartition(-cosines, most)[:most]
            places, cosines = places[first], cosines[first]
        return pa.table({"paper_number": self.paper_numbers[places], "cosine": cosines})


@dataclass
class KeptMeanings:
    """The vectors of the publication that was asked last; another one's are read when asked for."""

    _publication_id: str = ""
    _meanings: Meanings | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, connection: DuckDBPyConnection) -> Meanings:
        """Those of the publication that is open here."""
        (publication_id,) = connection.execute(_PUBLICATION).fetchall()[0]
        with self._lock:
            if self._meanings is None or self._publication_id != publication_id:
                self._meanings = None  # the file of the old ones may go first
                self._meanings, self._publication_id = read_meanings(connection), publication_id
            return self._meanings


def read_meanings(connection: DuckDBPyConnection) -> Meanings:
    """All vectors of the publication that is open here; 20 MB in 13,000 papers."""
    import numpy as np

    (count, length) = connection.execute(_COUNT).fetchall()[0]
    with tempfile.TemporaryFile() as file:
        file.truncate(max(1, count * length * 4))
        rows: Floats = np.memmap(file, np.float32, "r+", shape=(count, length))
    numbers = np.empty(count, np.int32)
    at = 0
    for batch in connection.execute(_VECTORS).to_arrow_reader(_BATCH):
        end = at + len(batch)
        rows[at:end] = batch["vector"].flatten().to_numpy().reshape(-1, length)
        numbers[at:end] = batch["paper_number"].to_numpy()
        at = end
    return meanings(numbers, rows)


def numbers(connection: DuckDBPyConnection, query: str, values: object = None) -> "Numbers":
    """The paper numbers that a query gives in its one column."""
    found: Numbers = connection.execute(query, values).to_arrow_table()["paper_number"].to_numpy()
    return found


def meanings(paper_numbers: "Numbers", rows: "Floats") -> Meanings:
    """These rows with what finds the nearest of them fast."""
    import numpy as np

    mean = rows[:: max(1, len(rows) // _BATCH)].mean(axis=0) if len(rows) else rows.sum(axis=0)
    signs = np.empty((len(rows), rows.shape[1] // 64), np.uint64)
    for at in range(0, len(rows), _BATCH):
        signs[at : at + _BATCH] = _signs(rows[at : at + _BATCH], mean)
    return Meanings(paper_numbers, rows, mean, signs)


def _signs(rows: "Floats", mean: "Floats") -> "Words":
    import numpy as np

    signs: Words = np.packbits(rows > mean, axis=1).view(np.uint64)
    return signs


_PUBLICATION = "select publication_id from search.vectors_made_with"
_COUNT = """
    select count(*), coalesce(any_value(len(vector)), 64)
    from search.vectors
    inner join search.papers using (paper_id)
"""
_VECTORS = """
    select papers.paper_number, vectors.vector
    from search.vectors as vectors
    inner join search.papers as papers using (paper_id)
"""
