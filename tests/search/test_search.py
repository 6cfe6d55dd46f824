"""What a question finds: ids, phrases, prefixes, misspelt words, synonyms; and how it is kept."""

import unicodedata
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.publication.published import NotPublishedError, opened
from flows.search.find import Correction, Question, QuestionError, corrections
from flows.search.hits import Hit
from flows.topics import fold
from tests.support.search_publication import index, paper, publish, sample_papers, search

PAPERS = [
    paper("2608.00001", title="Hybrid attention for long context", abstract="A. B long. Context!"),
    paper("2608.00002", title="Context is long", abstract="Attentive readers attend to attention."),
    paper("2608.00003", title="Quantized models", abstract="Large language models in few bits.",
          github_url="https://github.com/o/r", upvotes_count=9, organization_name="Café Labs",
          first_listed_on=date(2026, 8, 3), last_listed_on=date(2026, 8, 5)),
    paper("2608.00004", title="On bits", author_names=["Zoë Müller"], upvotes_count=3,
          ai_keywords=["policy gradient", "quantization"], ai_summary="It grasps cups.",
          first_listed_on=date(2026, 8, 6), last_listed_on=date(2026, 8, 6)),
    paper("2608.00010", title="Long\nshadows", abstract="The hybrid of context and long."),
    paper("2608.00011", abstract="Les ténèbres.", author_names=["Łukasz Weiß-Sørensen"]),
    paper("2608.00012", abstract="Большие модели."),
    paper("2608.00013", title="Ruiqin", author_names=["Xi Ruiqin", "Ruiqin Chenshi"]),
    paper("2608.00014", author_names=["Xi Chenshi"], organization_name="A lab of many words"),
]  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    index(folder, PAPERS)
    return publish(folder)


def found(file: Path, text: str, **asked: Any) -> list[str]:
    return [hit.paper_id[-2:].lstrip("0") for hit in search(file, Question(text, **asked))]


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        ("2608.00003", ["3"]),
        ("arXiv:2608.00003v7", ["3"]),
        ("https://arxiv.org/abs/2608.00003v2", ["3"]),
        ("https://arxiv.org/pdf/2608.00004.pdf and 2608.00003", ["3", "4"]),
        ("https://arxiv.org/pdf/2608.00003v2", ["3"]),
        ("see arxiv.org/html/2608.00003v1.", ["3"]),
        ("https://huggingface.co/papers/2608.00003", ["3"]),
        ("2608.99999", []),
        ("“long context”", ["1"]),
        ('"long context"', ["1"]),
        ('"LONG  Context!"', ["1"]),
        ('"context and long"', ["10"]),
        ('"policy gradient quantization"', []),
        ('"policy gradient" "quantization"', ["4"]),
        ('"long context" quantized', ["1"]),
        ("attend*", ["2"]),
        ("context AND attention", ["1", "2"]),
        ("context -attention", ["10"]),
        ('long -"long context"', ["2", "10"]),
        ("hybird -attention", ["10"]),
        ("quantisaton -policy", ["3"]),
        ("hybird AND attention", ["1"]),
        ('"long context" AND hybrid', ["1"]),
        ("quanti*", ["3", "4"]),
        ("hybird", ["1", "10"]),
        ("quantisaton", ["3", "4"]),
        ("zoe muller", ["4"]),
        ("Zoë MÜLLER", ["4"]),
        ("lukasz sorensen", ["11"]),
        ("Łukasz", ["11"]),
        ('"weiss sorensen"', ["11"]),
        ("lukasz AND tenebres", ["11"]),
        ("cafe AND bits", ["3"]),
        ("llm", ["3"]),
        ("policies", ["4"]),
        ("cafe", ["3"]),
        ("nothingofthekind", []),
    ],
)
def test_a_question_finds_what_is_meant(file: Path, text: str, papers: list[str]) -> None:
    assert sorted(found(file, text)) == sorted(papers)


def test_a_phrase_is_found_where_its_whole_pattern_is(file: Path) -> None:
    phrases = [
        "a", "aa", "a b", "b a", "long context", "context", "ténèbres", "2608.00003", "sam 2",
        "модели", "state-of-the-art", "q*", "x_y",
    ]  # fmt: skip
    texts = [
        "a", "aa", "a b", "ab a-b", "b  a", "long, context", "longcontext", "xlong contexts",
        "along context long context", "les tenebres.", "id 2608.00003v2", "sam2", "sam 2, sam 23",
        "большие модели", "моделируй", "state of the art", "q", "x_y", "", "1a b", "äa b",
    ]  # fmt: skip
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute(
            "select search.has_phrase(written, phrase),"
            " regexp_matches(written, search.pattern_of(phrase))"
            " from (select unnest(?::text[]) as phrase), (select unnest(?::text[]) as written)",
            [phrases, texts],
        ).fetchall()
    assert len(rows) == len(phrases) * len(texts)
    assert {quick for quick, _ in rows} == {True, False}
    assert [quick for quick, _ in rows] == [whole for _, whole in rows]


def test_the_best_comes_first_and_a_title_counts_for_more(file: Path) -> None:
    assert found(file, "hybrid attention long context")[0] == "1"
    assert found(file, "quantized models")[0] == "3"
    assert found(file, "hybrid attention", most=1) == ["1"]


def test_the_papers_of_a_name_come_before_those_that_have_its_words_apart(file: Path) -> None:
    assert found(file, "xi chenshi") == ["14", "13"]
    assert found(file, "ruiqin xi chenshi") == ["13", "14"]


@pytest.mark.parametrize(
    "name",
    ["Chenshi Xi", "Chenshi, Xi", " chenshi ,xi", "of many words A lab", "words a lab of many"],
)
def test_a_name_is_known_with_its_last_words_first(file: Path, name: str) -> None:
    assert found(file, name)[0] == "14"


@pytest.mark.parametrize(
    ("asked", "papers"),
    [
        ({"has_code": True}, ["3"]),
        ({"has_code": False}, ["4"]),
        ({"upvotes_min": 4}, ["3"]),
        ({"organization": "café"}, ["3"]),
        ({"keyword": "Quantization"}, ["4"]),
        ({"keyword": "quant"}, []),
        ({"since": date(2026, 8, 6)}, ["4"]),
        ({"until": date(2026, 8, 5)}, ["3"]),
        ({"since": date(2026, 8, 4), "until": date(2026, 8, 4)}, ["3"]),
        ({"since": date(2026, 8, 7)}, []),
    ],
)
def test_filters_leave_the_papers_they_name(
    file: Path, asked: dict[str, Any], papers: list[str]
) -> None:
    assert found(file, "bits quantization", **asked) == papers


def test_a_snippet_is_a_sentence_of_the_paper_with_the_hits_marked(file: Path) -> None:
    (hit,) = search(file, Question("grasping cup zoë"))
    assert [(piece.text, piece.is_hit) for piece in hit.snippet] == [
        ("It ", False), ("grasps", True), (" ", False), ("cups", True), (".", False),
    ]  # fmt: skip


def test_a_hit_is_marked_whatever_its_accents_and_letters(file: Path) -> None:
    (hit,) = search(file, Question("Ténèbres"))
    assert [piece.text for piece in hit.snippet if piece.is_hit] == ["ténèbres"]
    (hit,) = search(file, Question("МОДЕЛИ"))
    assert [piece.text for piece in hit.snippet if piece.is_hit] == ["модели"]


def _corrections(path: Path, asked: Question) -> tuple[Correction, ...]:
    with opened(path) as connection:
        return corrections(connection, asked)


def test_a_misspelt_word_says_what_it_was_taken_for(file: Path) -> None:
    asked = Question("hybird contexts quantisaton nothingofthekind \ud800")
    assert _corrections(file, asked) == (
        Correction("hybird", "hybrid"), Correction("quantisaton", "quantization"),
    )  # fmt: skip
    assert _corrections(file, Question("hybrid")) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no word here"),
        ('"" * ( ) --', "There is no word here"),
        ("what is the", "There is no word here"),
        ("attention " * 1000, "A text of 10,000 characters is too long"),
    ],
)
def test_a_text_that_cannot_be_searched_by_is_one_sentence(
    file: Path, text: str, sentence: str
) -> None:
    with pytest.raises(QuestionError, match=sentence):
        search(file, Question(text))


@given(text=st.text(max_size=120) | st.text("\"*.()-'%_\\ ;:ab1\x00\ud800", max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_finds_papers_or_says_why_not(file: Path, text: str) -> None:
    try:
        hits = search(file, Question(text))
    except QuestionError as error:
        assert str(error).endswith(".")  # noqa: PT017  either outcome is right, each in its way
    else:
        assert [hit.search_rank for hit in hits] == list(range(1, len(hits) + 1))


def test_a_publication_without_search_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotPublishedError, match="Nothing is published yet"):
        search(tmp_path / "papers.duckdb", Question("attention"))
    duckdb.connect(str(tmp_path / "papers.duckdb")).close()
    with pytest.raises(NotPublishedError, match="of an older version"):
        search(tmp_path / "papers.duckdb", Question("attention"))


def test_the_macro_has_the_columns_of_a_hit(file: Path) -> None:
    with duckdb.connect(str(file), read_only=True) as connection:
        described = connection.execute("describe from search_papers('context')").fetchall()
    assert [name for name, *_ in described] == [field.name for field in fields(Hit)]


def test_the_macro_works_in_any_client_under_any_name(file: Path, tmp_path: Path) -> None:
    """Without extensions, from a copy with another name, beside another database."""
    copy = tmp_path / "other name.duckdb"
    copy.write_bytes(file.read_bytes())
    query = "select paper_id from search_papers('hybird context', most := 2) order by paper_id"
    with duckdb.connect(config={"autoload_known_extensions": False}) as connection:
        connection.execute(f"attach '{copy}' as anything (read_only); use anything")
        ids = [paper_id for (paper_id,) in connection.execute(query).fetchall()]
    assert ids == ["2608.00001", "2608.00010"]


_TERMS = "search.terms using (term_number)"
_CONTENT = (
    f"select term, paper_id, weight from search.postings join {_TERMS}"  # noqa: ISC004
    " join search.papers using (paper_number) order by all",
    "select term, paper_count, rarity from search.terms order by all",
    f"select word, term from search.words join {_TERMS} order by all",
    f"select said, term, share from search.synonyms join {_TERMS} order by all",
)


def _content(file: Path) -> dict[str, list[Any]]:
    """The index without its numbers, which depend on the order in which papers came."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return {query: connection.execute(query).fetchall() for query in _CONTENT}


def test_an_index_kept_day_by_day_is_the_index_made_at_once(tmp_path: Path) -> None:
    kept, made = tmp_path / "kept", tmp_path / "made"
    kept.mkdir()
    made.mkdir()
    papers = sample_papers(60)
    former = [each | {"abstract": "It was otherwise."} for each in papers[:50]]
    assert index(kept, [*former, paper("2608.99999")]) == 51
    later = [each | {"reading_id": "a later reading"} for each in papers]
    assert index(kept, [*former[:20], *later[20:]]) == 40
    assert index(kept, later) == 20
    assert index(made, papers) == 60
    by_day, at_once = _content(publish(kept)), _content(publish(made))
    # A word that no paper has any more stays known while another word of its stem is in use.
    words = next(query for query in at_once if "search.words" in query)
    assert set(at_once.pop(words)) <= set(by_day.pop(words))
    assert by_day == at_once


def test_an_index_made_in_small_parts_is_the_index_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = sample_papers(60)
    (tmp_path / "once").mkdir()
    (tmp_path / "parts").mkdir()
    index(tmp_path / "once", papers)
    once = publish(tmp_path / "once")
    monkeypatch.setattr("flows.search.index.CHUNK", 7)
    monkeypatch.setattr("flows.search.publish_index.POSTINGS", 500)
    index(tmp_path / "parts", papers)
    parts = publish(tmp_path / "parts")
    assert _content(parts) == _content(once)
    with duckdb.connect(str(parts), read_only=True) as connection:
        stored = connection.execute("select term_number, paper_number from search.postings")
        pairs = stored.fetchall()
    assert len(pairs) > 3_000
    assert pairs == sorted(pairs), "a question reads the postings of a term in one place"


def test_a_paper_is_read_again_only_when_its_words_or_the_rules_changed(tmp_path: Path) -> None:
    assert index(tmp_path, PAPERS) == len(PAPERS)
    assert index(tmp_path, PAPERS) == 0
    assert index(tmp_path, [each | {"reading_id": "later"} for each in PAPERS]) == 0
    changed = [PAPERS[0] | {"reading_id": "newest", "title": "New"}, *PAPERS[1:]]
    assert index(tmp_path, changed) == 1
    assert index(tmp_path, changed, made_with="another project") == len(PAPERS)


@pytest.fixture(scope="module")
def odd_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd-words")
    papers = [
        paper("2608.00001", title="A GUI agent", abstract="It taps on phones."),
        paper("2608.00002", title="Agents, agency, agentic and agentless agentification"),
        paper("2608.00003", title="Tracking with SAM2"),
        paper("2608.00004", title="SAM 2 in surgery"),
        paper("2608.00005", title="Long context at last"),
        paper("2608.00006", title="RL for tides"),
        paper("2608.00007", title="Reinforcement of walls", abstract="Learning to build."),
        *(paper(f"2608.001{n:02}", title=f"Agent number {n}") for n in range(20)),
        *(paper(f"2608.002{n:02}", title=f"A language model, large, {n}") for n in range(10)),
    ]
    index(folder, papers)
    return publish(folder)


def test_a_prefix_counts_once_a_paper(odd_words: Path) -> None:
    assert found(odd_words, "gui agent*")[0] == "1"


@pytest.mark.parametrize(
    ("text", "papers"),
    [("SAM2", {"3", "4"}), ("SAM 2", {"3", "4"}), ("longcontext", {"5"}), ("long-context", {"5"})],
)
def test_a_compound_is_found_joined_and_split(odd_words: Path, text: str, papers: set[str]) -> None:
    assert set(found(odd_words, text)[: len(papers)]) == papers
    assert _corrections(odd_words, Question(text)) == ()


def test_a_misspelt_word_keeps_its_synonyms(odd_words: Path) -> None:
    assert "6" in found(odd_words, "reinforcment learning")


def test_a_synonym_never_outweighs_the_rarest_word_beside_it(odd_words: Path) -> None:
    with duckdb.connect(str(odd_words), read_only=True) as connection:
        worth = connection.execute(
            "select how, max(worth) from search.asked_terms('rl agent') group by how"
        ).fetchall()
    assert {how for how, _ in worth} == {"exact", "synonym"}
    assert dict(worth)["synonym"] <= dict(worth)["exact"]


def test_topics_and_search_fold_the_same_letters(file: Path) -> None:
    latin = map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)))
    letters = [letter for letter in latin if unicodedata.normalize("NFKC", letter) == letter]
    assert len(letters) > 500
    query = "select letter, search.folded(letter) from (select unnest(?::text[]) as letter)"
    with duckdb.connect(str(file), read_only=True) as connection:
        folded = connection.execute(query, [letters]).fetchall()
    assert [one for one in folded if one[1] != fold(one[0])] == []
