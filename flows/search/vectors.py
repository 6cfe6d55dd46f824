"""The vectors of the papers: made for those that are new or changed, and kept beside the index.

marts.papers ──update_vectors──▶ search.indexed_vectors ──publish_index──▶ search.vectors
"""

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
from duckdb import DuckDBPyConnection

from flows.search.meaning import SentenceModel

_BATCH = 32  # papers; what a crash loses

Paper = tuple[str, int, str]
Shown = Callable[[Iterable[Sequence[Paper]], int], Iterable[Sequence[Paper]]]


def update_vectors(
    connection: DuckDBPyConnection, model: SentenceModel | None, most: int | None, shown: Shown
) -> int:
    """Make the vectors that are missing, the newest papers first; the number made.

    At most `most` of them, None for all. Each batch is kept at once, so whatever is killed, the
    next call goes on. `shown` goes over the batches and may show how far it is. Without a model
    none is made, and what another model made is forgotten. The tables are update_index's.
    """
    name = model.name if model else ""
    if connection.execute("from search.vectors_made_with").fetchall() != [(name,)]:
        connection.execute(
            "delete from search.indexed_vectors; delete from search.vectors_made_with"
        )
        connection.execute("insert into search.vectors_made_with values (?)", [name])
    connection.execute(_FORGET)
    if model is None:
        return 0
    missing = connection.execute(_MISSING, [most]).fetchall()
    batches = [missing[at : at + _BATCH] for at in range(0, len(missing), _BATCH)]
    for batch in shown(batches, len(batches)):
        ids, hashes, texts = zip(*batch, strict=True)
        vectors = model.vectors(texts)
        rows = pa.table(
            {
                "paper_id": pa.array(ids, pa.string()),
                "text_hash": pa.array(hashes, pa.uint64()),
                "vector": pa.array(vectors.tolist(), pa.list_(pa.float32(), vectors.shape[1])),
            }
        )
        connection.register("new_vectors", rows)
        connection.execute("insert into search.indexed_vectors from new_vectors")
        connection.unregister("new_vectors")
    return len(missing)


_FORGET = """
    delete from search.indexed_vectors
    where (paper_id, text_hash) not in (select paper_id, hash(title, abstract) from marts.papers)
"""
_MISSING = """
    select paper_id, hash(title, abstract), concat_ws('. ', title, abstract)
    from marts.papers
    where paper_id not in (select paper_id from search.indexed_vectors)
    order by last_listed_on desc, paper_id
    limit ?
"""
