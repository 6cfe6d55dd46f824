"""Daily Papers: the Hub's daily list of papers, as a warehouse and a digest people can trust.

The libraries listen to the environment, and the shell of another project has words for them that
would end or change our runs: they are taken out here, before any library is imported. So are their
calls home, because a closed network makes each one a time-out (42 s in the worst one measured).
"""

import os

# dbt's, Great Expectations' and dlt's own; of Prefect only what would choose another profile, since
# its server, ports and home are the operator's to set (infra/README.md).
_FOREIGN = ("DBT_", "GX_", "GE_", "DLT_", "RUNTIME__", "PREFECT_PROFILE")
# The sections of dlt's configuration, as it looks for them: NORMALIZE__WORKERS, LOAD__…
_DLT_SECTIONS = ("SOURCES", "DESTINATION", "EXTRACT", "NORMALIZE", "LOAD", "SCHEMA", "DATA_WRITER")

for _name in list(os.environ):
    if _name.startswith((*_FOREIGN, *(f"{section}__" for section in _DLT_SECTIONS))):
        del os.environ[_name]
os.environ.update(
    DO_NOT_TRACK="1",
    RUNTIME__DLTHUB_TELEMETRY="false",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    GX_ANALYTICS_ENABLED="false",
    # What we warn of stands in the log of the run, where there is one.
    PREFECT_LOGGING_EXTRA_LOGGERS="flows",
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW="ignore",
)
