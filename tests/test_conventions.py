"""The conventions of dbt_project/, checked over dbt's own manifest."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # dbt brings it, without types

from flows.newsletter.render import FULL_COUNT
from flows.publication.published import MOST_NEWS
from flows.sources.feed_day import FEED_TURN, FEED_ZONE
from tests.support.dbt_build import PROJECT, Warehouse, parsed_project

Nodes = dict[str, Any]
# Not plain plurals: the first two stand side by side and say how they differ; the third has none.
NAMED_FOR_A_QUESTION = {"issue_as_sent", "issue_as_known_now", "paper_momentum"}


@pytest.fixture(scope="module")
def manifest() -> Any:
    """As dbt writes it into manifest.json."""
    return json.loads(json.dumps(parsed_project().writable_manifest().to_dict(), default=str))


@pytest.fixture(scope="module")
def models(manifest: Any) -> list[Nodes]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert len(found) >= 30, "what is asserted of each model is asserted of some"
    return found


@pytest.fixture(scope="module")
def marts(models: list[Nodes]) -> list[Nodes]:
    found = [model for model in models if model["fqn"][1] == "marts"]
    assert len(found) >= 20
    return found


def _file(model: Nodes) -> Path:
    return PROJECT / str(model["original_file_path"])


def test_every_model_says_what_it_is(models: list[Nodes]) -> None:
    assert [model["name"] for model in models if not model["description"]] == []


def test_every_column_that_is_named_is_described(models: list[Nodes]) -> None:
    assert [
        (model["name"], column["name"])
        for model in models
        for column in model["columns"].values()
        if not column["description"]
    ] == []


def test_every_model_names_its_grain_first_and_tests_that_grain(
    manifest: Any, models: list[Nodes]
) -> None:
    tested: dict[str, list[set[str]]] = {}
    for node in manifest["nodes"].values():
        if node.get("test_metadata", {}).get("name") == "grain":
            columns = {
                re.sub(r"coalesce\((\w+),.*", r"\1", column)
                for column in node["test_metadata"]["kwargs"]["columns"]
            }
            tested.setdefault(node["attached_node"], []).append(columns)
    for model in models:
        first = _file(model).read_text().splitlines()[0]
        grain = re.fullmatch(r"-- .+\. Grain: one row per (.+)\.", first)
        assert grain, f"{model['name']} opens with {first!r}"
        columns = set(re.split(r", | and ", grain[1]))
        assert columns in tested.get(model["unique_id"], []), f"{model['name']}: {columns}"


def test_the_rules_of_each_model_are_asked_once_with_those_of_its_folder(
    manifest: Any, models: list[Nodes]
) -> None:
    stated = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node.get("attached_node") and "all_history" not in node["tags"]
    }
    asked = {
        node["name"].removeprefix("rules_of_"): node["raw_code"]
        for node in manifest["nodes"].values()
        if node["name"].startswith("rules_of_")
    }
    for model in models:
        if model["unique_id"] in stated:
            folder = "staging" if model["fqn"][1] == "staging" else model["fqn"][-2]
            asking = [
                of for of, code in asked.items() if f'"{model["name"]}"' in code.split("beside")[0]
            ]
            assert asking == [folder], model["name"]


def test_every_model_has_its_own_yaml_beside_it(models: list[Nodes]) -> None:
    for model in models:
        yaml = model["patch_path"].removeprefix("daily_papers://")
        assert PROJECT / yaml == _file(model).with_suffix(".yml")


def test_names_and_schemas_follow_the_layer(models: list[Nodes]) -> None:
    for model in models:
        layer, name, schema = model["fqn"][1], model["name"], model["schema"]
        if layer == "staging":
            assert re.fullmatch(r"stg_[a-z]+__[a-z_]+s", name), name
            assert (schema, model["config"]["materialized"]) == ("staging", "view")
        elif layer == "intermediate":
            assert re.fullmatch(r"int_[a-z]+s_[a-z]+ed", name), name
            assert schema == "staging"
        else:
            assert name in NAMED_FOR_A_QUESTION or re.fullmatch(r"[a-z_]+s", name), name
            assert schema == ("quality" if model["fqn"][2] == "quality" else "marts")


def test_only_staging_reads_what_was_extracted(models: list[Nodes]) -> None:
    # stale_list_dates says which dates to build, not what is in them; mailing is what we sent.
    for model in models:
        sources = {
            parent.split(".", 2)[2]
            for parent in model["depends_on"]["nodes"]
            if parent.startswith("source.")
        } - {"pipeline.stale_list_dates"}
        if model["schema"] == "quality":
            assert all(source.startswith("audit.") for source in sources), model["name"]
        elif model["fqn"][1] != "staging":
            assert all(source.startswith("mailing.") for source in sources), model["name"]


def test_every_mart_has_an_enforced_contract_of_described_columns(marts: list[Nodes]) -> None:
    for model in marts:
        assert model["contract"]["enforced"], model["name"]
        for column in model["columns"].values():
            assert column["data_type"], f"{model['name']}.{column['name']}"


def test_column_names_say_what_type_they_have(marts: list[Nodes]) -> None:
    types = {
        "_at": "timestamptz",
        "_on": "date",
        "_date": "date",
        "_count": "bigint",
        "_total": "bigint",
        "_rank": "bigint",
        "_share": "double",
        "_id": "text",
        "_url": "text",
    }
    for model in marts:
        for column in model["columns"].values():
            name, data_type = column["name"], column["data_type"]
            expected = types.get(f"_{name.rsplit('_', 1)[-1]}")
            assert expected in (None, data_type), f"{model['name']}.{name} is {data_type}"
            assert name.startswith(("is_", "has_")) == (data_type == "boolean"), name


def test_a_list_closes_in_sql_when_it_closes_in_python() -> None:
    rules = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]

    assert rules["feed_zone"] == FEED_ZONE.key
    assert rules["feed_turn"] == f"{FEED_TURN:%H:%M}"


def test_the_warehouse_and_the_mail_agree_on_the_length_of_sections() -> None:
    rules = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]

    assert rules["digest_top_papers"] == FULL_COUNT
    assert rules["digest_news_papers"] == MOST_NEWS


def test_every_analysis_opens_with_its_question_and_is_described(manifest: Any) -> None:
    analyses = [n for n in manifest["nodes"].values() if n["resource_type"] == "analysis"]

    assert len(analyses) >= 10
    for analysis in analyses:
        first = _file(analysis).read_text().splitlines()[0]
        assert re.fullmatch(r"-- .+\?", first), f"{analysis['name']} opens with {first!r}"
        assert analysis["description"], analysis["name"]


def test_analysts_are_promised_every_mart(manifest: Any, marts: list[Nodes]) -> None:
    analysts = manifest["exposures"]["exposure.daily_papers.analysts"]

    assert set(analysts["depends_on"]["nodes"]) == {model["unique_id"] for model in marts}


def test_documented_columns_are_the_columns_there_are(models: list[Nodes], tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, tmp_path / "warehouse.duckdb")
    warehouse.build()
    for model in models:
        columns = warehouse.rows(
            "select column_name from information_schema.columns"
            f" where table_schema = '{model['schema']}' and table_name = '{model['name']}'"
        )
        assert set(columns) == set(model["columns"]), model["name"]
