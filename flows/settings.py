"""The one configuration: PAPERS_* of the environment, `papers.env` in the home, and `.env`.

The file in the home is read by whoever names that home, so a shell and a service cannot differ.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.errors import UsageError


class SettingsError(UsageError):
    """A setting that cannot be used; the message names it and says what it should be."""


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _home(path: Path) -> Path:
    home = _absolute(path)
    if odd := sorted({c for c in str(home) if c in _ODD_IN_PATHS or not c.isprintable()}):
        shown = " ".join(ascii(c)[1:-1] if not c.isprintable() else c for c in odd)
        raise ValueError(f"the path {str(home)!a} has {shown} in it; choose another folder")
    return home


def _token(token: SecretStr | None) -> SecretStr | None:
    # It is sent in a header, which holds nothing else.
    if token and not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise ValueError("must be letters, digits and signs of ASCII alone, without spaces")
    return token


def _http_url(value: str) -> str:
    TypeAdapter(HttpUrl).validate_python(value)
    return value.rstrip("/")


def _sender(value: str) -> str:
    if any(character in value for character in "\r\n") or "@" not in value:
        raise ValueError("must be one address, such as 'Daily Papers <papers@example.org>'")
    return value


def _warehouse(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    place = value.get_secret_value()
    if not place.startswith(_LAKE):
        if place.startswith(_LAKE.partition(":")[0] + ":"):
            raise ValueError(f"a lake is {_LAKE}dbname=papers host=…")
        return SecretStr(str(_absolute(Path(place))))
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        named = conninfo_to_dict(place.removeprefix(_LAKE))
    except ProgrammingError as error:
        raise ValueError(f"{_LAKE} is followed by {str(error).strip()}") from None
    if not named.get("dbname"):
        raise ValueError(f"{_LAKE} must say which database: dbname=papers host=…")
    return value


def _lake_storage(value: str | None, others: ValidationInfo) -> str | None:
    warehouse = others.data.get("warehouse")
    if value is None:
        if warehouse and warehouse.get_secret_value().startswith(_LAKE):
            raise ValueError("a lake needs one: s3://bucket/prefix, or a folder")
        return None
    if value.startswith("s3://"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[\w.=/-]*)?", value):
            raise ValueError("must be s3://bucket/prefix, of plain letters and digits")
        return value.rstrip("/")
    if "://" in value:
        raise ValueError("must be s3://bucket/prefix, or a folder")
    return str(_absolute(Path(value)))


def _shards(value: int, others: ValidationInfo) -> int:
    mailing = others.data.get("mailing_url")
    if value > 1 and not (mailing and mailing.get_secret_value().startswith("postgres")):
        raise ValueError(
            "several senders need the mailing list in PostgreSQL: set PAPERS_MAILING_URL to"
            " postgresql://…, or leave this at 1"
        )
    if value > 1 and others.data.get("state_url"):
        raise ValueError("where PAPERS_STATE_URL is set there is one sender; leave this at 1")
    return value


def _mailing_url(value: SecretStr | None) -> SecretStr | None:
    # Anything else would be the name of a file, and an empty list in whatever folder one stands in.
    if value and not re.match(r"(sqlite|postgres(ql)?(\+psycopg)?)://", value.get_secret_value()):
        raise ValueError("must be postgresql://user@host/database, or sqlite:///file")
    return value


def _model(value: str | None) -> str | None:
    if value in {None, "none"}:
        return value
    folder = Path(str(value)).expanduser()
    missing = [name for name in ("model.onnx", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"must be a folder with {' and '.join(missing)} in it, or none")
    return str(folder.absolute())


def _without_zone(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError(
            "must be an hour without a zone, such as 09:00; PAPERS_TIMEZONE says whose"
        )
    return at


def _operator(value: str | None) -> str | None:
    if value is not None and "," in value:
        raise ValueError("must be one address; a list of your own can have more")
    return None if value is None else _sender(value)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone's name, such as America/New_York") from None
    return value


_LAKE = "ducklake:postgres:"
# DuckDB, dbt, SQLite's URLs or file name patterns each give one of these another meaning.
_ODD_IN_PATHS = frozenset("=?#%'\"\\$*[]{}")
HomePath = Annotated[Path, AfterValidator(_home)]
BaseUrl = Annotated[str, AfterValidator(_http_url)]


# A later file overrules an earlier one, and the environment overrules both, where it is not empty.
SETTINGS_FILE = "papers.env"
# Our own code sets these for its child processes; they are no settings.
_OUR_OWN = {"PAPERS_WAREHOUSE_PATH"}


class Settings(BaseSettings):
    """Everything an operator may set. A command or a flow loads it once and passes it down."""

    model_config = SettingsConfigDict(
        env_prefix="PAPERS_", env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True
    )

    home: HomePath = Field(
        default=Path("data"), description="folder of everything the pipeline keeps"
    )
    hub_url: BaseUrl = Field(
        default="https://huggingface.co", description="the Hub, or a sample Hub for trying things"
    )
    embedding_model: Annotated[str | None, AfterValidator(_model)] = Field(
        default=None,
        description="folder of the sentence model that search by meaning uses (`model.onnx`,"
        " `tokenizer.json`), or `none` (default: all-MiniLM-L6-v2, which is installed)",
    )
    hub_token: Annotated[SecretStr | None, AfterValidator(_token)] = Field(
        default=None, description="Hub token, for higher rate limits; never needed, never logged"
    )
    warehouse: Annotated[SecretStr | None, AfterValidator(_warehouse)] = Field(
        default=None,
        description="the writer's DuckDB file (default: `warehouse.duckdb` in HOME), or of many"
        " hosts a lake with its catalog in PostgreSQL: `ducklake:postgres:dbname=papers host=…`",
    )
    lake_storage: Annotated[str | None, AfterValidator(_lake_storage)] = Field(
        default=None,
        validate_default=True,
        description="where a lake keeps its Parquet: `s3://bucket/prefix`, or a folder that every"
        " host sees under this path",
    )
    lake_s3_endpoint: BaseUrl | None = Field(
        default=None, description="the S3 server, where it is not Amazon's: `https://host:port`"
    )
    lake_s3_region: str = Field(default="us-east-1", description="the region of the bucket")
    lake_s3_key_id: str | None = Field(default=None, description="the key that opens the bucket")
    lake_s3_secret: SecretStr | None = Field(default=None, description="the secret of that key")
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="Daily Papers <papers@localhost>", description="the one From of every mail"
    )
    dkim_selector: str | None = Field(
        default=None, description="the relay's DKIM selector, for `papers doctor` to find its key"
    )
    public_url: BaseUrl = Field(
        default="http://localhost:8080",
        description="where readers reach the reader pages; until it is set, links lead to the port"
        " of `papers web` or `serve` on this machine",
    )

    mail_url: SecretStr | None = Field(
        default=None,
        description="how mail leaves: `smtp://user:password@host:587` (STARTTLS; `?tls=none` waives"
        " it), `smtps://…`; default, or `files`: files under the issue",
    )
    mail_per_second: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="messages a second at most, where a relay allows only so many"
        " (default: as fast as it takes them)",
    )
    mailing_url: Annotated[SecretStr | None, AfterValidator(_mailing_url)] = Field(
        default=None,
        description="the mailing list's database, such as `postgresql://…`"
        " (default: `mailing.sqlite` in HOME)",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="the key that signs the links in mails, or several with commas between: the"
        " first one signs, links of each are good (default: made once, in `secret.key` in HOME)",
    )
    state_url: SecretStr | None = Field(
        default=None,
        description="for a machine that is wiped: the git repository whose branch `state` keeps,"
        " sealed, what the next run goes on from (`papers state run`)",
    )
    state_key: SecretStr | None = Field(
        default=None,
        description="the key that seals the state, 32 characters at least, or several with commas"
        " between: the first one seals, and each of them opens it",
    )
    mail_shards: Annotated[int, AfterValidator(_shards)] = Field(
        default=1,
        ge=1,
        description="how many runs of a work pool send an issue at once, the one that makes it"
        " among them; needs MAILING_URL on PostgreSQL, and without a pool one run sends alone",
    )
    issue_max_age_hours: float = Field(
        default=36, gt=0, le=8760, description="an issue older than this is never mailed by itself"
    )

    timezone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="America/New_York", description="the time zone of SCHEDULE and DEADLINE"
    )
    schedule: str = Field(
        default="45 21 * * 1-5",
        description="when the daily digest is made, a cron line; the Hub's lists close at 21:30"
        " in New York",
    )
    deadline: Annotated[time, AfterValidator(_without_zone)] = Field(
        default=time(9),
        description="the hour of the morning after, HH:MM, at which a day without its final verdict"
        " is an incident",
    )
    reread_days: int = Field(
        default=14, ge=0, le=366, description="how many past list dates are read again each night"
    )
    operator_email: Annotated[str | None, AfterValidator(_operator)] = Field(
        default=None, description="who is told of incidents by mail"
    )
    operator_webhook: SecretStr | None = Field(
        default=None, description="a URL that incidents are posted to as JSON"
    )

    @cached_property
    def warehouse_path(self) -> Path:
        """The warehouse file, where the warehouse is no lake; only the pipeline opens it."""
        if self.warehouse is None or self.lake_catalog:
            return self.home / "warehouse.duckdb"
        return Path(self.warehouse.get_secret_value())

    @cached_property
    def lake_catalog(self) -> str | None:
        """How PostgreSQL connects to the catalog, where the warehouse is a lake; else None."""
        named = self.warehouse.get_secret_value() if self.warehouse else ""
        return named.removeprefix(_LAKE) if named.startswith(_LAKE) else None

    @cached_property
    def published_path(self) -> Path:
        """The published database file; everyone else reads this one."""
        return self.home / "published" / "papers.duckdb"

    @cached_property
    def issues_path(self) -> Path:
        """The folder of issues, frozen as sent."""
        return self.home / "issues"

    @cached_property
    def quality_path(self) -> Path:
        """The folder of the quality reports."""
        return self.home / "quality"

    @cached_property
    def ledger_path(self) -> Path:
        """The mailing list and its ledger, where they are not in PostgreSQL."""
        return self.home / "mailing.sqlite"

    @cached_property
    def sent_log_path(self) -> Path:
        """What was mailed, told a second time beside the ledger."""
        return self.home / "mailed.log"

    @cached_property
    def key_path(self) -> Path:
        """The key that signs links in mails, where PAPERS_SECRET_KEY is not set."""
        return self.home / "secret.key"

    @cached_property
    def lock_path(self) -> Path:
        """The file that the one writer of this home has locked."""
        return self.home / "writer.lock"

    def issue_folder(self, day: date, edition: str = "daily") -> Path:
        """Where the issue of a day, or of the week or month that ends on it, is or will be."""
        return self.issues_path / f"{day}-{edition}"


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a value is unusable; every such setting is named with its reason.
    """
    files = [Path(".env")]
    try:
        home = _HomeAlone().home
        files.append(home / SETTINGS_FILE)
        return Settings(home=home, _env_file=files)
    except ValidationError as error:
        raise SettingsError(
            "; ".join(_complaint(e["loc"], e["msg"], files) for e in error.errors())
        ) from None
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"The settings cannot be read: {error}") from None


def unknown_settings(settings: Settings) -> Iterator[str]:
    """One sentence for each PAPERS_* name that is no setting, and so has no effect."""
    known = {f"PAPERS_{name.upper()}" for name in Settings.model_fields}
    files = (Path(".env"), settings.home / SETTINGS_FILE)
    for place, names in ({"the environment": set(os.environ)} | _names_in(files)).items():
        for name in sorted(names - known - _OUR_OWN):
            if name.startswith("PAPERS_"):
                near = get_close_matches(name, known, 1)
                meant = f"; did you mean {near[0]}?" if near else "."
                yield f"{name} in {place} is no setting, and has no effect{meant}"


class _HomeAlone(BaseSettings):
    """Where the settings file is: the one setting that cannot stand in it."""

    model_config = Settings.model_config
    home: HomePath = Settings.model_fields["home"].default


def _complaint(location: tuple[int | str, ...], message: str, files: Sequence[Path]) -> str:
    name = "PAPERS_" + "_".join(str(part) for part in location).upper()
    return f"{name}{_place(name, files)} cannot be used: {message.removeprefix('Value error, ')}"


def _place(name: str, files: Sequence[Path]) -> str:
    """“ in FILE” for a setting of a file: the last that has it, unless the environment has it."""
    if name in map(str.upper, os.environ):
        return ""
    having = [file for file, names in _names_in(files).items() if name in map(str.upper, names)]
    return f" in {having[-1]}" if having else ""


def _names_in(files: Iterable[Path]) -> dict[str, set[str]]:
    """The names that stand in each of these files that is there."""
    return {str(path): set(dotenv_values(path)) for path in files if path.is_file()}
