"""The scores of SQL against BM25F in plain Python, written from the rules and not from the SQL."""

import math
import re
import unicodedata
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from flows.search.index import FIELDS, K1, B, _known_words
from tests.support.search_publication import index, publish, sample_papers

ENDINGS = [
    "ization",
    "izations",
    "izing",
    "ized",
    "izer",
    "izers",
    "ize",
    "izes",
    "isation",
    "isations",
    "ising",
    "ised",
    "ise",
    "ation",
    "ations",
    "ating",
    "ated",
    "ate",
    "ates",
    "ative",
    "atively",
    "ator",
    "ators",
    "ion",
    "ions",
    "ing",
    "ings",
    "ingly",
    "edly",
    "ed",
    "er",
    "ers",
    "or",
    "ors",
    "ment",
    "ments",
    "mental",
    "ally",
    "al",
    "ly",
    "ness",
    "ity",
    "ive",
    "ively",
    "ic",
    "ical",
    "ically",
    "able",
    "ful",
    "y",
    "e",
]


def words_of(text: str | None) -> list[str]:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", (text or "").lower())
        if not unicodedata.combining(letter)
    )
    for letter, typed in {"ł": "l", "ø": "o", "ß": "ss", "æ": "ae"}.items():
        plain = plain.replace(letter, typed)
    plain = re.sub(r"(\d{4}\.\d{4,5})v\d+", r"\1", plain)
    return re.findall(r"\d{4}\.\d{4,5}|[^\W_]+", plain)


def singular(word: str) -> str:
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word[-1] == "s" and word[-2] not in "siu" else word


def stem(word: str) -> str:
    one = singular(word)
    if len(word) < 4 or any(letter.isdigit() for letter in word):
        return one
    # The longest ending that leaves three letters.
    left = min((one[: -len(e)] for e in ENDINGS if one.endswith(e) and len(one) - len(e) >= 3),
               key=len, default=one)  # fmt: skip
    return left[:-1] if len(left) > 1 and left[-1] == left[-2] and left[-1] in "bdglmnprt" else left


def terms(text: str | None) -> list[str]:
    stops = set(_known_words()["stop_words"])
    return [stem(word) for word in words_of(text) if word not in stops]


def weights(paper: dict[str, Any]) -> dict[str, int]:
    """What each term weighs in a paper, of 255."""
    texts = paper | {
        "ai_keywords": " ".join(paper["ai_keywords"]),
        "author_names": " ".join(paper["author_names"]),
    }
    total: Counter[str] = Counter()
    for field, (boost, usual_length) in FIELDS.items():
        found = terms(texts.get(field))
        for term, count in Counter(found).items():
            total[term] += boost * count / (1 - B + B * len(found) / usual_length)  # type: ignore[assignment]
    return {term: math.floor(255 * weight / (K1 + weight) + 0.5) for term, weight in total.items()}


@pytest.fixture(scope="module")
def papers() -> list[dict[str, Any]]:
    return sample_papers(300)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, papers: list[dict[str, Any]]) -> Path:
    folder = tmp_path_factory.mktemp("scores")
    with pytest.MonkeyPatch.context() as patch:
        known = _known_words() | {"same": [["no", "synonyms"]]}
        patch.setattr("flows.search.index._known_words", lambda: known)
        index(folder, papers)
    return publish(folder)


def test_scores_are_bm25f(file: Path, papers: list[dict[str, Any]]) -> None:
    random = Random(3)  # noqa: S311  the same questions every time
    of_paper = {paper["paper_id"]: weights(paper) for paper in papers}
    counts = Counter(term for weight in of_paper.values() for term in weight)
    rarity = {t: math.log(1 + (len(papers) - n + 0.5) / (n + 0.5)) for t, n in counts.items()}
    with duckdb.connect(str(file), read_only=True) as connection:
        for _ in range(15):
            source = random.choice(papers)
            said = words_of(source["title"] + " " + source["abstract"])
            query = " ".join(random.sample(said, random.randint(1, 5)))
            asked = set(terms(query))
            expected = {
                paper_id: sum(weight[t] * rarity[t] for t in asked & weight.keys()) / 255
                for paper_id, weight in of_paper.items()
                if asked & weight.keys()
            }
            found = dict(
                connection.execute(
                    "select paper_id, score from search_papers(?, most := 1000)", [query]
                ).fetchall()
            )
            assert found == pytest.approx(expected, rel=1e-9), query


def test_the_index_has_the_words_and_terms_that_the_rules_give(
    file: Path, papers: list[dict[str, Any]]
) -> None:
    stops = set(_known_words()["stop_words"])
    texts = [
        " ".join(
            [
                *(p["paper_id"], p["title"], p["abstract"], p["ai_summary"] or ""),
                *(*p["ai_keywords"], *p["author_names"], p["organization_name"] or ""),
            ]
        )
        for p in papers
    ]
    words = {word for text in texts for word in words_of(text)} - stops
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute(
            "select word, term from search.words join search.terms using (term_number)"
        ).fetchall()
    assert dict(rows) == {word: stem(word) for word in words}
