"""The dbt project, importable so that it ships with the package and is found beside it."""
