"""The DuckDB warehouse: its one writer, what is final in it, and how a past day is restored."""
