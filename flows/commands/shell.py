"""`papers sql` on a terminal: SQL over the published file, with history and completion.

Each query is answered from the newest publication, also one that came while the shell was open.
"""

from collections.abc import Callable
from pathlib import Path

from duckdb import DuckDBPyConnection
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory

from flows.publication.examples import examples
from flows.publication.query import QueryError, answer, published

Say = Callable[[str], None]

HELP = """\
SQL over what is published, until a `;`. It is only read: nothing can be changed from here.
.tables          the tables, with what they hold
.schema TABLE    the columns of a table, with what they mean
.examples        questions to begin with, and their SQL
.help            this
.exit            leave, as does Ctrl-D; Ctrl-C drops what has been typed so far
"""
_TABLES = """
    select schema_name || '.' || table_name as "table", estimated_size as "rows", comment
    from duckdb_tables() where not internal and schema_name <> 'search' order by 1
"""
_COLUMNS = """
    select column_name as "column", lower(data_type) as "type", comment
    from duckdb_columns() where table_name = ? order by column_index
"""
_WORDS = """
    select table_name as word from duckdb_tables() where schema_name <> 'search'
    union select column_name from duckdb_columns() where schema_name <> 'search'
    union select function_name from duckdb_functions() where function_name ~ '[a-z_]+'
    union select keyword_name from duckdb_keywords()
"""
_DOT_COMMANDS = (".tables", ".schema", ".examples", ".help", ".exit")


def shell(path: Path, history: Path, say: Say) -> None:
    """Ask and answer until the end of the input.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    with published(path) as connection:
        words = [word for (word,) in connection.execute(_WORDS).fetchall()]
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)),
        completer=WordCompleter([*words, *_DOT_COMMANDS], ignore_case=True, WORD=False),
        complete_while_typing=False,
    )
    say("What is published, to ask in SQL. `.help` says how, `.tables` what there is.")
    for statement in iter(lambda: _statement(session), ".exit"):
        if statement:
            with published(path) as connection:
                say(_reply(connection, statement))


def _statement(session: "PromptSession[str]") -> str:
    """What is typed up to a line that ends in `;`, or one command; "" where it was dropped."""
    lines: list[str] = []
    while True:
        try:
            lines.append(session.prompt("papers> " if not lines else "   ...> "))
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return ".exit"
        typed = "\n".join(lines).strip()
        if not typed or typed.startswith(".") or typed.endswith(";"):
            return typed


def _reply(connection: DuckDBPyConnection, statement: str) -> str:
    command, _, argument = statement.rstrip(";").strip().partition(" ")
    if command == ".help":
        return HELP
    if command == ".tables":
        return str(connection.sql(_TABLES))
    if command == ".schema":
        columns = connection.sql(_COLUMNS, params=[argument.rpartition(".")[2].strip()])
        return str(columns) if len(columns) else "`.schema` takes the name of a table: `.tables`."
    if command == ".examples":
        return examples_text()
    if command.startswith("."):
        return f"There is no command {command}; `.help` names those there are."
    try:
        return answer(connection, statement, "table").decode()
    except QueryError as error:
        return str(error)


def examples_text() -> str:
    """Every example as it can be typed, its question above it."""
    return "\n\n".join(f"-- {each.question}\n{each.query};" for each in examples())
