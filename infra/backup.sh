#!/bin/sh
# One archive of everything that cannot be made again, while all goes on running.
#
#   PAPERS_HOME=/var/lib/daily-papers infra/backup.sh /var/backups/daily-papers
#
# A run that is under way is waited for, and the next one waits for the copy: both take the same lock.
# The list is copied by SQLite itself, since the reader pages write to it at any time. mailed.log stays
# behind: it is what tells a restored ledger from the one that did the mailing. Of a lake it holds the
# catalog and the files that this catalog names; a bucket's files stay where they are.
set -eu
umask 077
home=${PAPERS_HOME:?is the folder to back up}
folder=${1:?is the folder for the archive}
if [ ! -d "$home" ]; then
    echo "There is no folder $home; set PAPERS_HOME to the one that the pipeline keeps." >&2
    exit 2
fi
setting() {  # of the environment, or of papers.env in the home
    printenv "$1" || sed -n "s/^$1=//p" "$home/papers.env" 2>/dev/null | tail -n 1 |
        sed "s/^\"\(.*\)\"\$/\1/; s/^'\(.*\)'\$/\1/"
}
mkdir -p "$folder"
archive=$folder/daily-papers-$(date -u +%Y-%m-%dT%H%M%SZ).tar.gz
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

exec 9>>"$home/writer.lock"
if ! flock --timeout 3600 9; then
    echo "A run holds $home for more than an hour; nothing was backed up." >&2
    exit 1
fi
printf 'a backup' > "$home/writer.lock"  # what a run says that waits in vain
for name in warehouse.duckdb warehouse.duckdb.wal issues readings secret.key papers.env; do
    [ ! -e "$home/$name" ] || cp -a "$home/$name" "$copy/"
done
warehouse=$(setting PAPERS_WAREHOUSE || true)
case $warehouse in
    ''|ducklake:*) ;;
    *)  if [ ! -e "$warehouse" ]; then
            echo "There is no warehouse $warehouse, which PAPERS_WAREHOUSE names; nothing was backed up." >&2
            exit 1
        fi
        cp -a "$warehouse" "$copy/warehouse.duckdb"
        [ ! -e "$warehouse.wal" ] || cp -a "$warehouse.wal" "$copy/warehouse.duckdb.wal" ;;
esac
flock --unlock 9
if [ "${warehouse#ducklake:postgres:}" != "$warehouse" ]; then
    catalog=${warehouse#ducklake:postgres:}
    password=$(printf '%s' "$catalog" | sed -n "s/.*password=\([^ ']*\)\( .*\|\)\$/\1/p")
    [ -z "$password" ] || export PGPASSWORD="$password"  # not among the words that `ps` shows
    CATALOG=$(printf '%s' "$catalog" | sed "s/password=[^ ']*\( \|\$\)//")
    storage=$(setting PAPERS_LAKE_STORAGE)
    mkdir "$copy/lake"
    export CATALOG DUMP="$copy/catalog.dump"
    # The dump and the list are of one moment, whoever writes meanwhile.
    psql --dbname "$CATALOG" --quiet --no-psqlrc --tuples-only --no-align \
        --set ON_ERROR_STOP=1 > "$copy/lake.files" <<'SQL'
begin isolation level repeatable read read only;
select pg_export_snapshot() as snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --dbname "$CATALOG" --snapshot "$SNAPSHOT" --format custom --file "$DUMP"
select distinct schemas.path || tables.path || files.path
from (
    select table_id, path from ducklake_data_file
    union all
    select table_id, path from ducklake_delete_file
) as files
inner join ducklake_table as tables using (table_id)
inner join ducklake_schema as schemas using (schema_id);
SQL
    [ -s "$DUMP" ]  # psql goes on where pg_dump failed
    case $storage in
        s3://*) echo "The files are in $storage: let that bucket keep old versions, they are not in the archive." >&2 ;;
        # A file that the catalog names stays a day after it is named no more.
        *) (cd "$storage" && xargs -r -d '\n' cp --parents -t "$copy/lake") < "$copy/lake.files" ;;
    esac
fi
list=$(setting PAPERS_MAILING_URL || true)
case $list in
    sqlite:///*) ledger=${list#sqlite:///} ;;
    '') ledger=$home/mailing.sqlite ;;
    *) ledger= ; echo "The mailing list is in PostgreSQL: back it up with pg_dump." >&2 ;;
esac
if [ -n "$ledger" ] && [ -e "$ledger" ]; then
    python3 - "$ledger" "$copy/mailing.sqlite" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as live, sqlite3.connect(sys.argv[2]) as copy:
    live.backup(copy)
PYTHON
fi
tar --create --gzip --file "$archive.new" --directory "$copy" .
mv "$archive.new" "$archive"
echo "$archive"
