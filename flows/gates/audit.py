"""Schema `audit`: what the gates found and decided, and which readings they admitted.

raw.readings, audit.gates ──▶ audit.judged_readings
"""

from hashlib import sha256

from duckdb import DuckDBPyConnection

from expectations import JUDGED, LINKED


def create_audit(connection: DuckDBPyConnection) -> None:
    """The tables of the audit where they are absent, and its view of the readings.

    The view needs `raw.readings`; before the first load there is none. Its comment says what it was
    made of, so that it is made again only then: in a lake each time is a snapshot.
    """
    columns, made_of = connection.execute(_READINGS_AND_VIEW).fetchall()[0]
    # The view has the columns that the readings had when it was made.
    wanted = sha256(f"{_JUDGED_READINGS} of {columns}".encode()).hexdigest()
    if made_of == wanted:
        return
    connection.execute(_AUDIT_TABLES)
    if columns:
        connection.execute(_JUDGED_READINGS)
        connection.execute(f"comment on view audit.judged_readings is '{wanted}'")


_AUDIT_TABLES = """
    create schema if not exists audit;
    create table if not exists audit.gate_results (
        run_id text not null,
        gate text not null,
        list_date date not null,
        suite text not null,
        expectation text not null,
        column_name text not null,
        severity text not null,
        is_success boolean not null,
        observed_value text,
        unexpected_count bigint not null,
        examples text not null,
        sentence text not null,
        checked_at timestamptz not null
    );
    create table if not exists audit.gates (
        run_id text not null,
        gate text not null,
        list_date date not null,
        is_passed boolean not null,
        reason text not null,
        check_count bigint not null,
        warning_count bigint not null,
        checked_at timestamptz not null
    );
    create table if not exists audit.quarantined_items (
        reading_id text not null,
        list_date date not null,
        read_at timestamptz not null,
        position bigint not null,
        paper_id text,
        reason text not null,
        expectation text not null,
        item text,
        quarantined_at timestamptz not null
    );
"""
_READINGS_AND_VIEW = """
    select
        (
            select string_agg(column_name || ' ' || data_type, ', ' order by column_index)
            from duckdb_columns()
            where
                database_name = current_database()
                and schema_name = 'raw' and table_name = 'readings'
        ),
        (
            select comment from duckdb_views()
            where
                database_name = current_database()
                and schema_name = 'audit' and view_name = 'judged_readings'
        )
"""
_MAY_ENTER = f"({JUDGED} or {LINKED})"
# Which readings are admitted is said here and nowhere else. Joined first and grouped then, so that
# a filter on list_date reaches the readings below, and the gates of other dates are not grouped.
_JUDGED_READINGS = f"""
    create or replace view audit.judged_readings as
    with judged as (
        select
            readings.*,
            coalesce(
                bool_or(gates.is_passed) filter (where gates.gate in ('raw', 'linked')), false
            ) as is_checked,
            count(gates.gate) > 0 as is_judged,
            coalesce(bool_or(not gates.is_passed), false) as is_refused,
            string_agg(gates.reason, ' ' order by gates.gate desc)
                filter (where not gates.is_passed) as refused_reason
        from raw.readings as readings
        left join audit.gates as gates
            on readings.reading_id = gates.run_id and readings.list_date = gates.list_date
        group by all
    )
    select
        *,
        {_MAY_ENTER} and is_checked and not is_refused as is_admitted
    from judged as readings
"""
