"""The grammar of topics and of search: what is written one way is meant one way."""

import pytest

from flows.topics import exactly, fold, forms_of, parse_topic


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("agent", "agents"),
        ("benchmark", "benchmarks"),
        ("policy", "policies"),
        ("box", "boxes"),
        ("search", "searches"),
        ("analysis", "analyses"),
        ("matrix", "matrices"),
        ("index", "indices"),
        ("corpus", "corpora"),
        ("criterion", "criteria"),
        ("gpu", "gpus"),
        ("api", "apis"),
        ("lora", "loras"),
        ("video", "videos"),
        ("bias", "biases"),
        ("process", "processes"),
        ("survey", "surveys"),
    ],
)
def test_a_word_is_found_in_the_singular_and_the_plural(singular: str, plural: str) -> None:
    for asked, text in ((singular, plural), (plural, singular), (plural, plural)):
        assert parse_topic(asked).covers(fold(f"Of many {text.title()}.")), (asked, text)


@pytest.mark.parametrize(
    ("asked", "text", "is_covered"),
    [
        ("agent", "agentic", False),
        ("agent*", "Agentic work", True),
        ("agent*", "reagents", False),
        ("news", "a new way", False),
        ("world model", "World-Models of the sea", True),
        ("world model", "a model of the world", False),
        ("world AND model", "a model of the world", True),
        ('"world model"', "a world model", True),
        ('"world model"', "world models", False),
        ("“world model”", "a world model", True),
        ("video -survey", "a survey of video", False),
        ("video -survey", "video", True),
        ('video -"a survey"', "the survey of video", True),
        ("multi-agent", "multi agent", True),
        ("C++", "we use C++.", True),
        ("GPT-4", "with gpt 4", True),
        ("black and white", "black and white", True),
        ("agents!", "an agent", True),
    ],
)
def test_a_topic_covers_what_it_says(asked: str, text: str, is_covered: bool) -> None:  # noqa: FBT001
    assert parse_topic(asked).covers(fold(text)) is is_covered


def test_a_name_is_found_as_it_is_written() -> None:
    assert exactly("Li-Wei").covers(fold("Ada | LI WEI"))
    assert not exactly("Chen").covers(fold("Chens"))


def test_a_word_with_digits_or_of_two_letters_has_one_form() -> None:
    assert forms_of("gpt4") == {"gpt4"}
    assert forms_of("rl") == {"rl"}
