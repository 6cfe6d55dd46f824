"""What is wrong with a lake, in one sentence that names which part of it: catalog, storage or keys.

DuckDB's, PostgreSQL's or S3's words, however deep in an error ──▶ LakeError
"""

import re

from flows.errors import OperationError, causes


class LakeError(OperationError):
    """The lake could not do what was asked; `may_pass` says that trying again later may help.

    `is_conflict`: another writer was quicker, and the same step can be done again at once.
    """

    def __init__(self, sentence: str, *, may_pass: bool, is_conflict: bool) -> None:
        super().__init__(sentence)
        self.may_pass = may_pass
        self.is_conflict = is_conflict


def lake_error(error: BaseException) -> LakeError | None:
    """What this error says of the lake; None where it is about something else."""
    said = "\n".join(str(each) for each in causes(error))
    for pattern, sentence, may_pass in _TROUBLES:
        if found := re.search(pattern, said):
            words = sentence.format(*(group or found[0] for group in found.groups()))
            later = ", and try again." if may_pass else "."
            is_conflict = pattern == _CONFLICT
            return LakeError(
                f"The lake's {words}{later}", may_pass=may_pass, is_conflict=is_conflict
            )
    return None


_KEYS = "PAPERS_LAKE_S3_KEY_ID and PAPERS_LAKE_S3_SECRET"
# PostgreSQL's own words are safe to show; DuckDB puts the password before them.
_AWAY = (
    r"(Connection refused|could not translate host name|No route to host|Connection timed out"
    r"|timeout expired|server closed the connection|Connection reset by peer"
    r"|the database system is [a-z ]+|terminating connection[a-z ]*|too many clients already"
    r"|connection is lost|no connection to the server"
    r"|\.s\.PGSQL\.\d+\" failed: No such file or directory)"
)
# Of changes to the same table, or of more changes at once than DuckLake tries to put in line; or of
# something that two runs found missing and both made, such as the schema of the first load.
_CONFLICT = (
    r"(?:Transaction conflict - (attempting to [^\n]+)|Exceeded the maximum retry count"
    r"|[A-Z][a-z]+ with name \S+ already exists)"
)
_FULL = "storage is full ({0}); what was loaded before is kept: make room and run this again"
_TROUBLES = (
    (
        rf"(?i:postgres|connection to server|psycopg|libpq)[\s\S]*?{_AWAY}",
        "catalog does not answer ({0}); nothing is lost: see that its PostgreSQL is up",
        True,
    ),
    (r"FATAL: +([^\n]+)", "catalog refuses us ({0}); look at PAPERS_WAREHOUSE", False),
    (
        r"DATA_PATH parameter \"(.+)\" does not match [^\"]*\"(.+)\"",
        "files are in {1}, and PAPERS_LAKE_STORAGE is {0}",
        False,
    ),
    (
        _CONFLICT,
        "table was changed by another run at once ({0}), and this one changed nothing: wait for it",
        True,
    ),
    (r"NoSuchBucket", "bucket is missing; make it, or look at PAPERS_LAKE_STORAGE", False),
    (r"(InsufficientStorage|HTTP code 507|QuotaExceeded)", _FULL, False),
    # By the name of the lake's file: the disk of the home may be full as well.
    (
        r"ducklake-[^\"/\n]*\.parquet\": (No space left on device|Disk quota exceeded)",
        _FULL,
        False,
    ),
    (
        r"(SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|HTTP code 40[13])",
        f"storage refuses our key ({{0}}); look at {_KEYS}",
        False,
    ),
    (
        r"(Could not [a-z ]+(?= error for HTTP)|HTTP(?: code)? 50\d|Timeout was reached)",
        "storage does not answer ({0}); nothing is lost: wait for it",
        True,
    ),
    (
        (
            r"(?:Cannot open file \".*\.parquet|Failed to create directory \".*)\":"
            r" (Permission denied|No such file or directory|Not a directory|Read-only file system)"
        ),
        "storage cannot be used ({0}); look at PAPERS_LAKE_STORAGE",
        False,
    ),
)
