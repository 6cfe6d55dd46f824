import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.newsletter.text import claim, cut, excerpt, one_line, safe_url, short_name, title_line
from flows.wording import counted, thousands

ANY_TEXT = st.text(st.characters(), max_size=400)


@given(ANY_TEXT)
def test_one_line_is_one_bounded_line_that_can_be_encoded(text: str) -> None:
    line = one_line(text, 80)
    assert len(line) <= 80
    assert line.splitlines() in ([], [line])
    assert line == " ".join(line.split())
    line.encode()


def test_a_hard_break_of_arxiv_is_a_space() -> None:
    assert one_line("Answers for Deep Research\n  Agents") == "Answers for Deep Research Agents"


def test_what_turns_text_round_and_private_use_are_left_out() -> None:
    assert one_line("a\u202eb\ue000c\u2066d\ud800e") == "abcde"


@given(ANY_TEXT, st.integers(5, 60))
def test_a_cut_text_keeps_its_bound_and_says_so(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("EnvHarness: Awakening Static Worlds", "EnvHarness"),
        ("Imagen 3", "Imagen 3"),
        ("A^2E : An Auditing Engine", "A^2E"),
        (": no name at all", ": no name at all"),
        ("A Simple Law for the Test-Time Compute of Models", "A Simple Law for the Test-Time…"),
        ("Reading the Tides and Waves with Models of Shores", "Reading the Tides and Waves…"),
    ],
)
def test_a_short_name_is_what_stands_before_the_colon_or_a_start(title: str, name: str) -> None:
    assert short_name(title) == name
    assert len(name) <= 32


def test_an_excerpt_ends_with_a_sentence_and_says_that_more_follows() -> None:
    text = "We follow Li et al. The tide rises, e.g. at noon, by 2.5 m. It falls. " + "More. " * 90
    assert excerpt(text, 70) == (
        "We follow Li et al. The tide rises, e.g. at noon, by 2.5 m. It falls. …"
    )


def test_an_excerpt_of_a_short_text_is_the_text_without_its_markup() -> None:
    text = "A \\textbf{bold}, **strong** and \\emph{plain}\nclaim: 5\\% of $n$ stays."
    assert excerpt(text) == "A bold, strong and plain claim: 5% of $n$ stays."


def test_a_first_sentence_too_long_is_cut_at_a_word() -> None:
    assert excerpt("word " * 100, 40) == "word word word word word word word word…"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r",
        "http://tides.example.org/",
        "https://example.org:8443/a?b=1&c=(d)#e",
        "https://example.org/naïve",
    ],
)
def test_a_plain_address_is_kept(url: str) -> None:
    assert safe_url(url) == url
    assert safe_url(f" {url}") == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        " ",
        "javascript:alert(1)",
        "JavaScript://example.org/%0aalert(1)",
        "data:text/html,hi",
        "ftp://example.org/x",
        "//example.org/x",
        "github.com/o/r",
        "https://",
        "https:///path",
        "https://github",
        "https://github.com/o/r\nhttps://x.org",
        "https://github.com/o /r",
        "https://github.com/\to",
        "https://good.org@evil.org/",
        "https://example.org:port/",
        "https://[::1/",
        'https://example.org/"onmouseover=1',
        "https://example.org/<b>",
        "https:\\\\example.org",
        "https://exa\u202emple.org/",
        "https://example.org/" + "a" * 500,
    ],
)
def test_an_address_no_reader_should_be_sent_to_is_dropped(url: str | None) -> None:
    assert safe_url(url) is None


@given(st.text(st.characters(), max_size=60).map("https://example.org/{}".format) | ANY_TEXT)
def test_a_kept_address_is_plain_http_on_one_line(url: str) -> None:
    kept = safe_url(url)
    if kept is not None:
        assert kept.lower().startswith(("http://", "https://"))
        assert len(kept.split()) == 1
        assert not set(kept) & set("\"'<>\\`")


def test_counts_read_as_people_write_them() -> None:
    assert [counted(0, "vote"), counted(1, "vote"), counted(1204, "vote")] == [
        "0 votes",
        "1 vote",
        "1,204 votes",
    ]
    assert [thousands(n) for n in (7, 999, 1000, 1234, 9949, 9950, 9999, 79458)] == [
        "7",
        "999",
        "1k",
        "1.2k",
        "9.9k",
        "9k",
        "9k",
        "79k",
    ]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (r"R\&D at \$5 and 10\% of \#1 in a\_b", "R&D at $5 and 10% of #1 in a_b"),
        (
            r"Poincar\'e, G\"odel, Erd\H{o}s, Fa\c{c}ade, na\"{\i}ve, {\'A}vila, Nguy\~ên",
            "Poincaré, Gödel, Erdős, Façade, naïve, Ávila, Nguyễn",
        ),
        (r"\textbf{Bold} Ideas: \emph{a} Study", "Bold Ideas: a Study"),
        (r"Figure~3 costs ~10x", "Figure 3 costs ~10x"),
        (r"$\alpha$ and \vec{x}", r"$\alpha$ and \vec{x}"),
    ],
)
def test_a_title_has_no_escapes_of_latex(title: str, shown: str) -> None:
    assert title_line(title) == shown
    assert short_name(title).rstrip("…") in shown


@pytest.mark.parametrize(
    ("abstract", "begins"),
    [
        (
            "Models grow, e.g. BERT. They cost. In this paper, we propose X. It works.",
            "In this paper",
        ),
        ("Agents fail. To address this gap, we build Y. It is good.", "To address this gap"),
        ("Agents fail. We introduce Z. It is good.", "We introduce Z."),
        ("Agents fail. This work studies why. It is good.", "This work studies"),
        ("Agents fail. Nobody knows why.", "Agents fail."),
        ("We present a set. In this paper, we show it.", "We present a set."),
        ("", ""),
    ],
)
def test_an_excerpt_begins_where_the_paper_says_what_it_does(abstract: str, begins: str) -> None:
    assert claim(abstract).startswith(begins)
    assert abstract.endswith(claim(abstract))
