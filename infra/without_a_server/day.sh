#!/usr/bin/env bash
# What the workflow `without a server` does once it is installed: a command of papers on the state of the
# runs before (default: all that is due), then the public pages into _site.
#
#   PAPERS_STATE_URL=… PAPERS_STATE_KEY=… infra/without_a_server/day.sh
#
# 0 also where a list is not whole yet or another run is at work (75): the schedule comes again.
set -euo pipefail
set -f  # the command is words, not patterns
papers=${PAPERS:-.venv/bin/papers}

if [ -n "${TOKEN:-}" ]; then
    # For git alone, by its environment: an argument could be read, and a file would be left behind.
    export GIT_CONFIG_COUNT=1
    export GIT_CONFIG_KEY_0="http.$PAPERS_STATE_URL.extraheader"
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
    export GIT_CONFIG_VALUE_0
fi

code=0
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
echo '```' >> "$summary"
# shellcheck disable=SC2086
$papers state run ${COMMAND:-catch-up} 2>&1 | tee -a "$summary" || code=$?
echo '```' >> "$summary"

if [ -e "$PAPERS_HOME/published/papers.duckdb" ]; then
    $papers site _site
    echo "has-pages=yes" >> "${GITHUB_OUTPUT:-/dev/null}"
fi
[ "$code" -eq 75 ] || exit "$code"
