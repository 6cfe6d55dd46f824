"""Search by meaning: who says it in other words finds it; who says it exactly finds just that."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.publication.near import KeptMeanings
from flows.publication.published import opened
from flows.search.find import Question, find
from flows.search.meaning import SentenceModel, sentence_model
from flows.search.vectors import Paper, update_vectors
from flows.settings import Settings, SettingsError, load_settings
from tests.support.search_publication import index, paper, publish, search

PAPERS = [
    paper("2608.00001", title="Low-bit weights for language models",
          abstract="We quantize transformers to four bits and keep their accuracy.",
          author_names=["Ann Lee"], organization_name="Tidal Labs"),
    paper("2608.00002", title="Grasping with two hands",
          abstract="A humanoid learns bimanual manipulation from human demonstrations."),
    paper("2608.00003", title="Melody from text",
          abstract="A diffusion transformer composes songs with vocals and instruments."),
    paper("2608.00004", title="Skin lesion segmentation",
          abstract="Dermatologists outline melanoma; a network learns their consensus."),
    paper("2608.00005", title="Ann Lee and the robot songs", abstract="A history of robot music."),
]  # fmt: skip


def _unseen(batches: Iterable[Sequence[Paper]], _count: int) -> Iterable[Sequence[Paper]]:
    return batches


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    found = sentence_model(Settings(embedding_model=None))
    assert found is not None, "the pinned model is a dependency"
    return found


def _made(
    folder: Path, model: SentenceModel | None, most: int | None = None, shown: Any = _unseen
) -> int:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        return update_vectors(connection, model, most, shown)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, model: SentenceModel) -> Path:
    folder = tmp_path_factory.mktemp("meaning")
    index(folder, PAPERS)
    assert _made(folder, model) == len(PAPERS)
    return publish(folder)


def _found(file: Path, text: str, model: SentenceModel | None, **asked: Any) -> list[str]:
    return [hit.paper_id[-1] for hit in search(file, Question(text, **asked), model)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("shrink a chatbot so it fits on a phone", "1"),
        ("robot picking things up with both arms", "2"),
        ("generate music by describing it", "3"),
        ("doctors drawing around moles", "4"),
    ],
)
def test_a_paper_is_found_by_what_it_means(
    file: Path, model: SentenceModel, text: str, first: str
) -> None:
    assert _found(file, text, model)[0] == first


def test_a_title_that_begins_with_the_text_comes_before_what_means_the_same(
    tmp_path: Path, model: SentenceModel
) -> None:
    titled = paper("2608.00001", title="Songs of the robot: pumps that last", abstract="On pipes.")
    near = paper(
        "2608.00002", title="Robot songs, robot songs", abstract="A robot sings songs of the robot."
    )
    index(tmp_path, [titled, near])
    _made(tmp_path, model)
    file = publish(tmp_path)
    assert _found(file, "songs of the robot", model) == ["1", "2"]
    assert _found(file, "robot of the songs", model) == ["2", "1"]


@pytest.mark.parametrize(
    "text",
    ["2608.00003", '"diffusion transformer"', "Ann Lee", "Tidal Labs", "grasp*", "quantize",
     "robot AND songs", "robot -melody"],
)  # fmt: skip
def test_what_is_asked_for_exactly_is_found_by_words_alone(
    file: Path, model: SentenceModel, text: str
) -> None:
    assert _found(file, text, model) == _found(file, text, None) != []


def test_the_filters_hold_for_what_is_near_too(file: Path, model: SentenceModel) -> None:
    text = "shrink a chatbot so it fits on a phone"
    assert _found(file, text, model, organization="tidal") == ["1"]
    assert _found(file, text, model, upvotes_min=1) == []


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"organization": "tidal"},
        {"keyword": "none"},
        {"since": date(2026, 8, 2)},
        {"upvotes_min": 1},
        {"most": 1},
    ],
)
def test_vectors_in_memory_find_what_reading_them_finds(
    file: Path, model: SentenceModel, asked: dict[str, Any]
) -> None:
    kept = KeptMeanings()
    with opened(file) as connection:
        for text in ("shrink a chatbot so it fits on a phone", "music of robot hands"):
            question = Question(text, **asked)
            read, known = find(connection, question, model), find(connection, question, model, kept)
            assert [hit.paper_id for hit in known] == [hit.paper_id for hit in read]
            assert [hit.snippet for hit in known] == [hit.snippet for hit in read]
            assert [hit.score for hit in known] == pytest.approx([hit.score for hit in read])


def test_another_publication_has_other_vectors(tmp_path: Path, model: SentenceModel) -> None:
    kept, counts = KeptMeanings(), []
    for count in (2, 4):
        index(tmp_path, PAPERS[:count])
        _made(tmp_path, model)
        with opened(publish(tmp_path)) as connection:
            counts.append(len(kept.of(connection).rows))
            assert kept.of(connection) is kept.of(connection), "they are read once"
    assert counts == [2, 4]


def test_as_many_are_found_as_are_asked_for(tmp_path: Path, model: SentenceModel) -> None:
    index(tmp_path, [paper(f"2608.{n:05}", title="Robot hands") for n in range(210)])
    assert _made(tmp_path, model, most=1) == 1
    published = publish(tmp_path)
    assert len(_found(published, "robot hands", model, most=205)) == 205


def test_a_vector_is_of_length_one_and_the_same_each_time(model: SentenceModel) -> None:
    once, again = model.vectors(["long context"]), model.vectors(["long context", "x " * 9_000])
    assert once.shape == (1, 384)
    assert float((once**2).sum()) == pytest.approx(1, abs=1e-5)
    assert float((once[0] * again[0]).sum()) > 0.98, "int8 rounds by the batch, a little"


def test_vectors_are_made_for_what_is_new_or_changed_only(
    tmp_path: Path, model: SentenceModel
) -> None:
    index(tmp_path, PAPERS[:3])
    assert _made(tmp_path, model, most=2) == 2
    assert _made(tmp_path, model) == 1
    assert _made(tmp_path, model) == 0
    index(tmp_path, [PAPERS[0], PAPERS[1] | {"title": "Another"}, PAPERS[3]])
    assert _made(tmp_path, model) == 2
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        kept = connection.sql("select paper_id from search.indexed_vectors order by 1").fetchall()
    assert [row[0][-1] for row in kept] == ["1", "2", "4"]


def test_what_a_crash_leaves_is_kept(tmp_path: Path, model: SentenceModel) -> None:
    index(tmp_path, [paper(f"2608.{n:05}") for n in range(40)])

    def broken(batches: Iterable[Sequence[Paper]], _count: int) -> Iterable[Sequence[Paper]]:
        yield next(iter(batches))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _made(tmp_path, model, shown=broken)
    assert _made(tmp_path, model) == 8


def test_another_model_or_none_starts_anew(tmp_path: Path, model: SentenceModel) -> None:
    index(tmp_path, PAPERS)
    _made(tmp_path, model)
    published = publish(tmp_path)
    text = "robot picking things up with both arms"
    other = replace(model, tokenizer=_copied(model.tokenizer, tmp_path))
    assert other.name != model.name
    assert _found(published, text, other) == _found(published, text, None)
    assert _made(tmp_path, other) == len(PAPERS)
    assert _made(tmp_path, None) == 0
    assert _made(tmp_path, model) == len(PAPERS)


def _copied(tokenizer: Path, folder: Path) -> Path:
    copy = folder / "tokenizer.json"
    copy.write_text(tokenizer.read_text(encoding="utf-8") + " ", encoding="utf-8")
    return copy


def test_sql_compares_papers_without_an_extension(file: Path) -> None:
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.sql(
            "select paper_id, cosine from similar_papers('2608.00002', most := 4)"
        ).fetchall()
    assert len(rows) == 4
    assert rows == sorted(rows, key=lambda row: -row[1])
    assert all(-1 <= cosine < 1 for _, cosine in rows)
    assert "2608.00002" not in {row[0] for row in rows}


def test_a_folder_without_a_model_is_refused_and_none_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sentence_model(Settings(embedding_model="none")) is None
    monkeypatch.setenv("PAPERS_EMBEDDING_MODEL", str(tmp_path))
    with pytest.raises(SettingsError, match="PAPERS_EMBEDDING_MODEL"):
        load_settings()
