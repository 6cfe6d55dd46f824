#!/bin/sh
# One archive of everything that cannot be made again, while all goes on running.
#
#   PAPERS_HOME=/var/lib/daily-papers infra/backup.sh /var/backups/daily-papers
#
# A run that is under way is waited for, and the next one waits for the copy: both take the same lock.
# The list is copied by SQLite itself, since the reader pages write to it at any time. mailed.log stays
# behind: it is what tells a restored ledger from the one that did the mailing.
set -eu
umask 077
home=${PAPERS_HOME:?is the folder to back up}
folder=${1:?is the folder for the archive}
if [ ! -d "$home" ]; then
    echo "There is no folder $home; set PAPERS_HOME to the one that the pipeline keeps." >&2
    exit 2
fi
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
flock --unlock 9
if [ -e "$home/mailing.sqlite" ]; then
    python3 - "$home/mailing.sqlite" "$copy/mailing.sqlite" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as live, sqlite3.connect(sys.argv[2]) as copy:
    live.backup(copy)
PYTHON
fi
tar --create --gzip --file "$archive.new" --directory "$copy" .
mv "$archive.new" "$archive"
echo "$archive"
