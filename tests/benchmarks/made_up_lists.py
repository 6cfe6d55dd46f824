"""Lists of made-up readings that all passed their gate, and copies of what was built of them.

For benchmarks of a long history, in which a copy is a past.
"""

from datetime import date

import duckdb

LAST = date(2026, 8, 16)  # a Sunday: a copy begins with a week, and shares none with the next one

# The readings of a list are made when it is 14 hours old, and then up to 13 days.
_READINGS = """
    create or replace temp table new_readings as
    select
        list_date::date as list_date,
        (list_date + to_hours([14, 26, 76, 172, 318][number + 1])) at time zone 'UTC' as read_at,
        strftime(list_date, '%Y-%m-%d.') || number as reading_id
    from generate_series($first::timestamp, $last::timestamp, interval 1 day) as days (list_date)
    cross join range($reading_count) as numbers (number)
"""
_LISTS = """
    insert into raw.readings by name
    select
        reading_id, 'a load' as load_id, 'daily' as kind, 'hub' as origin, list_date, read_at,
        'complete' as verdict, 'All papers read.' as reason, true as is_whole, 200 as http_status,
        1 as page_count, $size as item_count, true as first_page_agrees, '[]' as new_fields,
    from new_readings
"""
_GATES = """
    insert into audit.gates by name
    select
        reading_id as run_id, 'raw' as gate, list_date, true as is_passed, 'Fine.' as reason,
        1 as check_count, 0 as warning_count, read_at as checked_at,
    from new_readings
"""

_TABLES = """
    select
        schema_name || '.' || table_name,
        list(column_name order by column_index),
        list(data_type order by column_index)
    from duckdb_columns()
    semi join duckdb_tables() using (schema_name, table_name)
    where
        schema_name in (select unnest($schemas::text[]))
        and table_name not in ('built_with', 'stale_list_dates')
    group by all
"""
# A copy lies so many days earlier, under ids of its own: a past, and not a double.
_EARLIER = {
    "DATE": "{0} - {days}",
    "DATE[]": "[day - {days} for day in {0}]",
    "TIMESTAMP WITH TIME ZONE": "{0} - to_days({days})",
}


def tables(
    connection: duckdb.DuckDBPyConnection, *schemas: str
) -> list[tuple[str, list[str], list[str]]]:
    """The tables of a history that have rows of lists: name, columns and their types."""
    return connection.execute(_TABLES, {"schemas": schemas}).fetchall()


def earlier(column: str, kind: str, days: int) -> str:
    """A column of this type as SQL, its times so many days before."""
    return _EARLIER.get(kind, "{0}").format(column, days=days)


def add_readings(
    connection: duckdb.DuckDBPyConnection, first: date, last: date, *, size: int, reading_count: int
) -> None:
    """Add so many readings of each date's list, of `size` papers; left in temp `new_readings`."""
    span = {"first": first, "last": last, "reading_count": reading_count}
    connection.execute(_READINGS, span)
    connection.execute(_LISTS, {"size": size})
    connection.execute(_GATES)
