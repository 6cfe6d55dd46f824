"""An agent's questions over stdio by the SDK's own client, on days whose answers are known."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import Client, StdioServerParameters

from flows.agents.tools import SlowQueryError, Tools
from flows.sources.sample_hub import SampleHub
from tests.support.clock import DAY

Ask = Callable[..., Awaitable[dict[str, Any]]]
Refused = Callable[..., Awaitable[str]]
Talked = TypeVar("Talked")
FIRST = DAY - timedelta(days=6)  # a Friday, a weekend, and four weekdays
ESCAPES = [
    "from read_csv('/etc/passwd')",
    "from read_text('/etc/hostname')",
    "from read_blob('/etc/hostname')",
    "from read_json('/etc/hostname')",
    "from read_parquet('/tmp/*.parquet')",
    "from '/etc/passwd'",
    "from glob('/*')",
    "from sniff_csv('/etc/passwd')",
    "select getenv('HOME')",
    "copy (select 1) to '/tmp/out.csv'",
    "copy listings to '/tmp/out.csv'",
    "attach '/tmp/other.db'",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "from duckdb_settings()",
    "from pragma_database_list()",
    "select file from pragma_database_list",
    "select path from DUCKDB_DATABASES",
    "from query('from duckdb_settings()')",
    "from json_execute_serialized_sql(json_serialize_sql('from duckdb_settings()'))",
    "from pg_catalog.pg_settings",
    "from enable_logging()",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "create table mine as select 1",
    "drop table marts.listings",
    "delete from marts.papers",
    "select 1; select 2",
    "call pragma_version()",
    "export database '/tmp/all'",
    "from query_table('/etc/passwd')",
    "from query('select * from read_csv(''/etc/passwd'')')",
    "selec 1",
    "",
]


@pytest.fixture
def home(prefect: None, hub: SampleHub, clock: object, own_home: Path) -> Path:
    """A home with seven sample days, read through the whole path."""
    from flows.backfill import backfill

    state: Any = backfill(FIRST, DAY, return_state=True)
    assert state.is_completed(), state.message
    return own_home


def test_an_agent_gets_dated_answers_and_nothing_from_beyond_the_tables(
    home: Path, hub: SampleHub
) -> None:
    published = home / "published" / "papers.duckdb"
    before = published.read_bytes()
    assert _questions(home, hub) >= 30
    for sentence in _refusals(home):
        assert "Traceback" not in sentence
        assert str(home) not in sentence
        assert sentence.startswith("Error executing tool")
    _check_limits(Tools(published, sql_seconds=0.5))
    assert published.read_bytes() == before


def _questions(home: Path, hub: SampleHub) -> int:
    """Ask what the sample Hub's own items answer; how many questions that were."""

    async def talk(ask: Ask, refused: Refused) -> int:
        questions = 0
        for day in (FIRST, *(DAY - timedelta(days=back) for back in range(4))):
            items = hub.items(day)
            best = max(items, key=lambda item: item["paper"]["upvotes"])["paper"]
            listed = await ask("list_day", day=str(day))
            assert listed["list_date"] == str(day)
            assert (listed["verdict"], listed["paper_count"]) == ("complete", len(items))
            assert {paper["paper_id"] for paper in listed["papers"]} <= {
                item["paper"]["id"] for item in items
            }
            paper = await ask("paper", paper_id=best["id"])
            assert paper["title"] == " ".join(best["title"].split())
            assert [author["author_name"] for author in paper["authors"]] == [
                author["name"] for author in best["authors"]
            ]
            momentum = await ask("momentum", paper_id=f"{best['id']}v2")
            assert momentum["readings"][-1]["upvotes_count"] == best["upvotes"]
            found = await ask("search_papers", text=f'"{paper["title"]}"', limit=3)
            assert found["papers"][0]["paper_id"] == best["id"]
            count = f"select count(*) from listings where list_date = '{day}'"
            counted = await ask("query_sql", query=count)
            assert (counted["rows"], counted["is_cut"]) == ([[len(items)]], False)
            then = await ask("list_day", day=str(day), as_of=paper["read_at"], limit=1)
            assert then["read_at"] == then["papers"][0]["read_at"] == paper["read_at"]
            assert then["note"].endswith("text, code and withdrawals are of now.")
            shown = await ask("list_day", day=str(day), as_of=f"{paper['read_at'][:16]}Z", limit=1)
            assert shown["read_at"] == paper["read_at"], "as a page shows it, to the minute"
            questions += 7
        weekend = await ask("list_day", day=str(DAY - timedelta(days=4)))
        assert (weekend["verdict"], weekend["papers"]) == ("empty", [])
        newest = await ask("list_day")
        assert newest["list_date"] == str(DAY)
        trending = await ask("trending", limit=5)
        assert [paper["rank"] for paper in trending["papers"]] == [1, 2, 3, 4, 5]
        return questions + 3

    return _talk(home, talk)


def _refusals(home: Path) -> list[str]:
    async def talk(ask: Ask, refused: Refused) -> list[str]:
        said = [await refused("query_sql", query=query) for query in ESCAPES]
        said.append(await refused("list_day", day="yesterday"))
        said.append(await refused("list_day", day=str(FIRST - timedelta(days=300))))
        said.append(await refused("list_day", day=str(DAY), as_of="2026-08-01"))
        said.append(await refused("paper", paper_id="../../etc/passwd"))
        said.append(await refused("momentum", paper_id="9999.99999"))
        said.append(await refused("search_papers", text="the"))
        return said

    return _talk(home, talk)


def _check_limits(tools: Tools) -> None:
    """A query that never ends is stopped; a long answer is cut, and says so."""
    with pytest.raises(SlowQueryError, match="was stopped after"):
        tools.query_sql(
            "with recursive t as (select 1 as x union all select x + 1 from t) select max(x) from t"
        )
    odd = tools.query_sql("select 'nan'::double, '-inf'::double, 1.5::double")
    assert odd["rows"] == [[None, None, 1.5]]
    many = tools.query_sql("select range from range(100000)")
    assert (len(many["rows"]), many["is_cut"]) == (500, True)
    assert many["list_date"] == DAY


def _talk(home: Path, talk: Callable[[Ask, Refused], Awaitable[Talked]]) -> Talked:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "flows", "mcp"],
        env={**os.environ, "PAPERS_HOME": str(home)},
    )

    async def session() -> Talked:
        async with Client(server) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert names == {
                "list_day",
                "momentum",
                "paper",
                "query_sql",
                "search_papers",
                "trending",
            }

            async def ask(tool: str, **words: Any) -> dict[str, Any]:
                result = await client.call_tool(tool, words)
                assert not result.is_error, result.content
                answer: dict[str, Any] = result.structured_content or {}
                assert date.fromisoformat(answer["list_date"])
                assert datetime.fromisoformat(answer["read_at"]).tzinfo
                return answer

            async def refused(tool: str, **words: Any) -> str:
                result = await client.call_tool(tool, words)
                (content,) = result.content
                assert result.is_error, content
                return str(getattr(content, "text", ""))

            return await talk(ask, refused)

    return asyncio.run(session())
