"""Daily Papers: the Hub's daily list of papers, as a warehouse and a digest people can trust.

The libraries phone home unless told not to; the switches are set here, before any of them is
imported, because a closed network makes each call a time-out (42 s in the worst one measured).
"""

import os

os.environ.update(
    DO_NOT_TRACK="1",
    RUNTIME__DLTHUB_TELEMETRY="false",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    GX_ANALYTICS_ENABLED="false",
)
