"""The frames of gate linked, read with plain DuckDB; `reading_id` is in each of them.

raw.* of the kind `linked`, audit.gates ──▶ one row a paper that was asked about, a reading
"""

import pandas as pd
from duckdb import DuckDBPyConnection

from expectations import ITEMS_PER_BAD_ONE, LINKED
from expectations.frames import frame_of

_KINDS = ("Models", "Datasets", "Spaces")
# How a reading stands to what was known before: its papers' answers of the weeks before it.
_KNOWN_DAYS = 30


def _each(pattern: str, joint: str = ", ") -> str:
    """A piece of SQL for each kind of repository."""
    return joint.join(pattern.format(kind=kind) for kind in _KINDS)


_LISTED = "coalesce(json_array_length(item, '$.answer.linked{kind}'), 0)"
_REPOSITORY_COUNT = _each(_LISTED, " + ")

_PAPERS = f"""
    with asked as (
        select
            items.reading_id,
            items.position,
            items.list_date,
            items.paper_id,
            items.contract_error,
            items.item,
            flatten([{_each("json_extract_string(item, '$.answer.linked{kind}[*].id')")}]) as ids,
        from raw.items
        inner join raw.readings using (reading_id)
        where readings.load_id = $load_id and {LINKED}
    )
    select
        reading_id,
        position,
        list_date::text as list_date,
        paper_id,
        contract_error,
        case when contract_error is null then array_to_string(
            list_filter(
                ids,
                lambda id: not regexp_full_match(id, '(\\w[\\w.-]{{0,95}}/)?\\w[\\w.-]{{0,95}}')
            )[:3],
            ', '
        ) end as odd_ids,
        case when contract_error is null then concat_ws(', ', {
    _each(
        "case when json_extract(item, '$.answer.numTotal{kind}')::bigint"
        " < json_array_length(item, '$.answer.linked{kind}') then '{kind}' end"
    )
}) end as short_totals,
        row_number() over (partition by reading_id, paper_id order by position) as repeat_number,
    from asked
    order by reading_id, position
"""

_READINGS = f"""
    with load as (
        select reading_id, list_date, read_at, item_count, new_fields
        from raw.readings
        where load_id = $load_id and {LINKED}
    ),
    arrived as (
        select
            reading_id,
            paper_id,
            contract_error,
            json_extract_string(item, '$.status') = '200' as is_answered,
            {_REPOSITORY_COUNT} as repository_count,
            {_each("json_exists(item, '$.answer.linked{kind}')", " or ")} as has_links,
        from raw.items
        where reading_id in (select reading_id from load)
    ),
    facts as (
        select
            reading_id,
            count(*) as row_count,
            count(*) filter (where is_answered) as answer_count,
            count(*) filter (where is_answered and contract_error is not null) as broken_count,
            count(*) filter (where contract_error is null and has_links) as linking_count,
            first(contract_error) filter (where is_answered and contract_error is not null)
                as first_broken,
        from arrived
        group by reading_id
    ),
    known as (
        select
            load.reading_id,
            items.paper_id,
            arg_max({_REPOSITORY_COUNT.replace("item,", "items.item,")}, items.read_at)
                as known_count
        from load
        inner join audit.judged_readings as readings on
            readings.kind = 'linked'
            and readings.is_admitted
            and readings.read_at < load.read_at
            and readings.list_date >= load.list_date - interval {_KNOWN_DAYS} days
        inner join raw.items on readings.reading_id = items.reading_id
        where items.contract_error is null
        group by load.reading_id, items.paper_id
    ),
    compared as (
        select
            reading_id,
            sum(arrived.repository_count)::bigint as repository_count,
            sum(known.known_count)::bigint as known_count
        from arrived
        inner join known using (reading_id, paper_id)
        where arrived.contract_error is null
        group by reading_id
    )
    select
        load.reading_id,
        load.list_date::text as list_date,
        load.item_count,
        coalesce(facts.row_count, 0) as row_count,
        coalesce(facts.answer_count, 0) as answer_count,
        coalesce(facts.broken_count, 0) as broken_count,
        -- a lone answer that is broken says nothing of the others
        greatest(coalesce(facts.answer_count, 0) // {ITEMS_PER_BAD_ONE}, 1) as broken_limit,
        facts.first_broken,
        facts.linking_count,
        compared.repository_count,
        compared.known_count,
        -- fewer than these are chance
        case when compared.known_count >= 10
            then compared.repository_count / compared.known_count
        end as kept_ratio,
        nullif(array_to_string(from_json(load.new_fields, '["varchar"]'), ', '), '') as new_fields,
    from load
    left join facts using (reading_id)
    left join compared using (reading_id)
    order by load.reading_id
"""


def linked_frames(
    connection: DuckDBPyConnection, load_id: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The papers that a load asked about, and its readings beside what was known of the same."""
    key = {"load_id": load_id}
    return frame_of(connection, _PAPERS, key), frame_of(connection, _READINGS, key)
