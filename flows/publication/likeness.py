"""How alike papers are: by the keywords they share, and by what their abstracts mean.

marts.papers.ai_keywords + search.vectors ──▶ nearest papers of a page, and those like a reader's
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from flows.newsletter.likeness import Alike
from flows.publication.kept_open import KeptOpen
from flows.publication.near import Meanings
from flows.settings import Settings

if TYPE_CHECKING:
    import numpy as np

# Of a day's list one paper in thirteen is so near to one of five papers named (a topic's four and
# another one), over the recorded lists; at 0.5 it is one in six, at 0.6 one in thirty.
ALIKE_FROM = 0.55
# Of two papers drawn at random one pair in six is nearer than this: what is less is not alike.
_NEAR_FROM = 0.4
# Where a paper has no vector, only keywords count that no more papers than this have.
_RARE = 10
_SHOWN = 4
_MOST = 6
# A keyword that more papers than this share brings one nearer by less than 0.0002. So it cannot
# lift a paper that is not among the two hundred nearest in meaning into the six that are shown.
_TELLING = 2_000
_NEAREST_LOOKED_AT = 200
_CANDIDATE = pa.schema([("paper_number", pa.int32())])
_PAIR = pa.schema([*_CANDIDATE, ("cosine", pa.float32()), ("named_id", pa.string())])


@dataclass(frozen=True)
class Vectors:
    """The meanings of all papers in memory, a row each: 20 MB for 13,000 papers."""

    paper_ids: "np.ndarray[Any, np.dtype[np.object_]]"
    rows: "np.ndarray[Any, np.dtype[np.float32]]"

    def near(self, paper_ids: Sequence[str]) -> pa.Table:
        """The pairs of these papers and others that are near to them, with their cosine."""
        import numpy as np

        places = np.flatnonzero(np.isin(self.paper_ids, list(paper_ids)))
        cosines = self.rows[places] @ self.rows.T
        cosines[np.arange(len(places)), places] = -1  # a paper is not compared with itself
        named, others = np.nonzero(cosines >= _NEAR_FROM)
        columns = {
            "paper_id": self.paper_ids[others],
            "named_id": self.paper_ids[places[named]],
            "cosine": cosines[named, others],
        }
        types = {"paper_id": pa.string(), "named_id": pa.string(), "cosine": pa.float32()}
        return pa.table({name: pa.array(columns[name], types[name]) for name in columns})


def all_vectors(connection: DuckDBPyConnection) -> Vectors:
    """The meanings of all papers, for who asks about thousands: a product of matrices is faster."""
    import numpy as np

    found = connection.execute("select paper_id, vector from search.vectors").to_arrow_table()
    rows = found["vector"].combine_chunks().flatten().to_numpy()
    length = found["vector"].type.list_size
    return Vectors(
        np.array(found["paper_id"].to_pylist(), dtype=object), rows.reshape(len(found), length)
    )


def nearest(
    connection: DuckDBPyConnection,
    paper_ids: Sequence[str],
    vectors: Vectors | Meanings | None = None,
) -> Mapping[str, Mapping[str, str]]:
    """Up to six papers nearest to each of these, the nearest first, each with why.

    Who asks for thousands hands all vectors over; who asks often, those that are kept.
    """
    given: dict[str, object] = {"named": list(paper_ids), "candidates": None}
    sharing, near, more = _SHARING, _NEAR, dict[str, object](least=_NEAR_FROM)
    if isinstance(vectors, Vectors):
        connection.register("near_pairs", vectors.near(paper_ids))
        near, more = "from near_pairs", {}
    elif vectors:
        _register_near(connection, paper_ids, vectors)
        near = _NEAR_FOUND
        given["candidates"] = [row[0] for row in connection.execute(_CANDIDATES).fetchall()]
    query = f"{_PAIRS.format(sharing=sharing, near=near)} {_NEAREST}"
    found = defaultdict[str, dict[str, str]](dict)
    for named, other, why in connection.execute(query, given | more | {"most": _MOST}).fetchall():
        found[named][other] = _why(why)
    return found


def _register_near(
    connection: DuckDBPyConnection, paper_ids: Sequence[str], vectors: Meanings
) -> None:
    """Register `near_pairs` and `candidates`: who may be among the six nearest of these papers.

    Those are the nearest in meaning, and who shares a keyword that tells.
    """
    pairs, candidates = [_PAIR.empty_table()], [_CANDIDATE.empty_table()]
    for paper_id in paper_ids:
        given = {"named": [paper_id], "most": _TELLING}
        sharing = connection.execute(_SHARING_NUMBERS, given).to_arrow_table()
        candidates.append(sharing)
        own = connection.execute(_NUMBER, {"named": paper_id}).fetchone()
        vector = vectors.vector(own[0]) if own else None
        if vector is None:
            continue
        also = sharing["paper_number"].to_numpy()
        found = vectors.near(vector, _NEAREST_LOOKED_AT, also=also)
        candidates.append(found.select(["paper_number"]))
        pairs.append(found.append_column("named_id", pa.array([paper_id] * len(found))))
    connection.register("near_pairs", pa.concat_tables(pairs))
    connection.register("candidates", pa.concat_tables(candidates))


@dataclass(frozen=True)
class PublishedLikeness:
    """Finds papers that are alike in the published file: a `flows.newsletter.likeness.Likeness`."""

    published: KeptOpen

    def alike(
        self, paper_ids: Sequence[str], like: Sequence[str], unlike: Sequence[str]
    ) -> Mapping[str, Alike]:
        """Which of these papers are alike to one of `like` or `unlike`, by id.

        A named paper itself is none of them: its reader knows it.

        Raises:
            NotPublishedError: there is no publication yet, or only one of an older version.
        """
        named = {*like, *unlike}
        given = {
            "named": sorted(named),
            "candidates": [paper_id for paper_id in paper_ids if paper_id not in named],
            "least": -1,
            "from": ALIKE_FROM,
            "rare": _RARE,
        }
        with self.published.opened() as connection:
            rows = connection.execute(
                f"{_PAIRS.format(sharing=_SHARING, near=_NEAR)} {_ALIKE}", given
            ).fetchall()
        found = {
            paper_id: Alike(nearness, None if nearest_id in unlike else _like(nearest_id, shared))
            for paper_id, nearest_id, nearness, shared in rows
        }
        return found | {paper_id: Alike(1, None) for paper_id in {*unlike} & {*paper_ids}}

    def unknown(self, paper_ids: Sequence[str]) -> Sequence[str]:
        """Which of these papers were on no list that was published.

        Raises:
            NotPublishedError: there is no publication yet, or only one of an older version.
        """
        with self.published.opened() as connection:
            rows = connection.execute(_KNOWN, {"named": list(paper_ids)}).fetchall()
        known = {row[0] for row in rows}
        return [paper_id for paper_id in paper_ids if paper_id not in known]


def published_likeness(settings: Settings) -> PublishedLikeness:
    """The likeness of papers in what this home has published."""
    return PublishedLikeness(KeptOpen(settings.published_path))


def _why(shared: Sequence[str]) -> str:
    return f"both: {', '.join(shared[:_SHOWN])}" if shared else "close in meaning"


def _like(named: str, shared: Sequence[str]) -> str:
    return f"like {named}: {', '.join(shared[:_SHOWN])}" if shared else f"like {named}, in meaning"


_KNOWN = "select paper_id from marts.papers where list_contains($named::text[], paper_id)"
_NEAR = """
        select
            vectors.paper_id,
            named.paper_id as named_id,
            array_inner_product(vectors.vector, named.vector) as cosine
        from search.vectors as vectors
        inner join search.vectors as named on vectors.paper_id != named.paper_id
        where
            named.paper_id in (select unnest($named::text[]))
            and cosine >= $least
            and coalesce(list_contains($candidates::text[], vectors.paper_id), true)
"""
_NEAR_FOUND = """
        select papers.paper_id, near_pairs.named_id, near_pairs.cosine
        from near_pairs
        inner join search.papers as papers using (paper_number)
        where papers.paper_id != near_pairs.named_id and near_pairs.cosine >= $least
"""
_NUMBER = "select paper_number from search.papers where paper_id = $named"
_CANDIDATES = """
    select papers.paper_id
    from search.papers as papers
    where papers.paper_number in (select paper_number from candidates)
"""
# The five rarest of each: what thousands have would join each of these papers with all others.
_NAMED_KEYWORDS = """
    named_keywords as (
        select named.paper_id as named_id, keyword, keywords.paper_count
        from (
            select paper_id, unnest(ai_keywords) as keyword
            from marts.papers
            where paper_id in (select unnest($named::text[]))
        ) as named
        inner join search.keywords as keywords using (keyword)
        qualify
            row_number() over (
                partition by named.paper_id order by keywords.paper_count, keyword
            ) <= 5
    )
"""
_SHARING_NUMBERS = f"""
    with

    {_NAMED_KEYWORDS}

    select papers.paper_number
    from search.papers as papers
    where papers.paper_id in (
        select names.paper_id
        from search.paper_names as names
        where
            names.kind = 'keyword'
            and names.name in (select keyword from named_keywords where paper_count <= $most)
    )
"""
# The papers that share keywords with one that is named.
_SHARING = f"""
    with

    {_NAMED_KEYWORDS},

    keywords as (
        select paper_id, name as keyword
        from search.paper_names
        where kind = 'keyword' and name in (select keyword from named_keywords)
    )

    select
        keywords.paper_id,
        named_keywords.named_id,
        list(keyword order by named_keywords.paper_count, keyword) as shared,
        sum(1 / named_keywords.paper_count) as rarity,
        min(named_keywords.paper_count) as rarest_count
    from keywords
    inner join named_keywords using (keyword)
    where
        keywords.paper_id != named_keywords.named_id
        and (
            $candidates is null
            or keywords.paper_id in (select unnest($candidates::text[]))
        )
    group by keywords.paper_id, named_keywords.named_id
"""
# Pairs of a paper and one that is named. A keyword is worth the more the fewer papers have it; one
# that most have tells nothing. Words and meaning add up; without vectors the keywords alone tell.
_PAIRS = """
    with

    sharing as ({sharing}),

    near as (
        {near}
    ),

    pairs as (
        select
            paper_id,
            named_id,
            cosine,
            rarest_count,
            coalesce(shared, []) as shared,
            coalesce(cosine, 0) + 0.3 * least(coalesce(rarity, 0), 1) as nearness
        from sharing
        full join near using (paper_id, named_id)
    )
"""
_NEAREST = """
    select named_id, paper_id, shared
    from pairs
    qualify
        row_number() over (partition by named_id order by nearness desc, paper_id desc) <= $most
    order by named_id, nearness desc, paper_id desc
"""
_ALIKE = """
    select
        paper_id,
        first(named_id order by nearness desc, named_id desc),
        max(nearness),
        first(shared order by nearness desc, named_id desc)
    from pairs
    where nearness >= $from or (cosine is null and rarest_count <= $rare)
    group by paper_id
"""
