"""Which list dates the marts lag behind on: what a build has to do, and what it has done.

audit.judged_readings, staging.built_readings ──▶ staging.stale_list_dates ──▶ dbt
"""

from datetime import date

from duckdb import DuckDBPyConnection


def mark_stale(connection: DuckDBPyConnection, *, every_date: bool) -> tuple[date, ...]:
    """Fill `staging.stale_list_dates`; the dates whose marts lag behind, oldest first.

    A date is stale where the audit says other than `staging.built_readings` of one of its readings,
    and where the last build did not succeed: it made only some of the marts.
    """
    connection.execute(_READINGS_TO_BUILD)
    connection.execute(_EVERY_DATE if every_date else _CHANGED_DATES)
    connection.execute(
        "create or replace table staging.unfinished_dates as from staging.stale_list_dates"
    )
    found = connection.execute("from staging.stale_list_dates order by list_date").fetchall()
    return tuple(list_date for (list_date,) in found)


def mark_built(connection: DuckDBPyConnection) -> None:
    """Keep what the build that succeeded was made of; nothing that `mark_stale` saw is stale."""
    connection.execute(_REMEMBER_READINGS)


# As they are before the build: what comes or is judged while it works is left to the next one.
_READINGS_TO_BUILD = """
    create or replace table staging.readings_to_build as
    select reading_id, list_date, verdict, reason, refused_reason, is_admitted
    from audit.judged_readings;
    create table if not exists staging.built_readings as from staging.readings_to_build limit 0;
    create or replace table staging.stale_list_dates (list_date date);
    create table if not exists staging.unfinished_dates (list_date date);
"""
_REMEMBER_READINGS = """
    create or replace table staging.built_readings as from staging.readings_to_build;
    delete from staging.unfinished_dates;
"""
_EVERY_DATE = """
    insert into staging.stale_list_dates select distinct list_date from raw.readings
"""
_CHANGED_DATES = """
    insert into staging.stale_list_dates
    with
        -- what only one of them has; each is read once, for both grow with history
        changed as (
            select list_date from (
                select *, count(*) as times
                from (from staging.readings_to_build union all from staging.built_readings)
                group by all
            )
            where times = 1
        )
    select list_date from changed
    union
    select list_date from staging.unfinished_dates
"""
