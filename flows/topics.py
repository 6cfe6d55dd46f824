"""The grammar of topics and of search: words, "a phrase", word*, AND and -word.

text ──parse_topic──▶ Topic ──covers(folded text)──▶ whether a paper is about it
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

from flows.errors import UsageError

_TOKEN = re.compile(r'-?"[^"]*"|\S+')
# Quotes as programs set them, and as people then paste them.
QUOTES = str.maketrans(dict.fromkeys("“”„‟″«»", '"'))
_NO_GRAMMAR = re.compile(r"[()\[\]{}|~^=<>\\]|&&")
_FIELD = re.compile(r"[^\W\d_]+:(?=\S)")
# Letters that no accent makes, as they are typed where the keyboard lacks them.
_TYPED = str.maketrans(
    {**dict(zip("łøđðħŧı", "loddhti", strict=True)), "ß": "ss", "æ": "ae", "œ": "oe"}
)
_EDGES = re.compile(r"^[^\w*]+|[^\w*+#]+$")
_WORDS = "A topic is made of words, “phrases”, word*, AND and -word"
_SHORTEST_PREFIX, _SHORTEST_PLURAL = 2, 3


class TopicError(UsageError):
    """A topic that breaks the grammar; the message says how to write it."""


@dataclass(frozen=True)
class Term:
    """Words that stand side by side, folded. Of a word that ends in `*` only the start counts.

    `is_exact`: as they are written, so a singular is no plural.
    """

    words: tuple[str, ...]
    is_exact: bool = False

    @cached_property
    def pattern(self) -> str:
        """A regular expression of the term in folded text; “multi agent” is “multi-agent” too."""
        return r"(?<!\w)" + r"[\s-]+".join(self._form(word) for word in self.words)

    def _form(self, word: str) -> str:
        if word.endswith("*"):
            return rf"{re.escape(word[:-1])}\w*"
        forms = {word} if self.is_exact else forms_of(word)
        return rf"(?:{'|'.join(map(re.escape, sorted(forms)))})(?!\w)"


@dataclass(frozen=True)
class Topic:
    """What is asked for: every one of `terms`, and none of `excluded`.

    `is_joined`: AND says that all words must occur, which search asks of no others.
    """

    terms: tuple[Term, ...]
    excluded: tuple[Term, ...] = ()
    is_joined: bool = False

    def covers(self, folded_text: str) -> bool:
        """Whether a text, folded by `fold`, is about it."""
        return all(_found(term.pattern, folded_text) for term in self.terms) and not any(
            _found(term.pattern, folded_text) for term in self.excluded
        )


def parse_topic(text: str) -> Topic:
    """The topic as it is written: words side by side are one term, as in a phrase.

    Raises:
        TopicError: it cannot be meant like this; the sentence says what is wrong.
    """
    line = " ".join(text.translate(QUOTES).split())
    if line.count('"') % 2:
        raise TopicError(f"{_shown(text)} opens a quote and does not close it.")
    terms: list[Term] = []
    excluded: list[Term] = []
    run: list[str] = []
    tokens = _TOKEN.findall(line)
    for number, token in enumerate(tokens):
        if token == "AND":  # noqa: S105  no password
            if number in {0, len(tokens) - 1} or tokens[number - 1] == "AND":
                raise TopicError(f"{_shown(text)} has nothing on one side of AND.")
            _close(run, terms)
        elif token in {"OR", "NOT"}:
            raise TopicError(_INSTEAD[token])
        elif token.startswith("-") and (words := _words(token[1:], text)):
            _close(run, terms)
            excluded.append(Term(words, is_exact='"' in token))
        elif '"' in token:
            _close(run, terms)
            terms += [Term(words, is_exact=True)] if (words := _words(token, text)) else []
        else:
            run += _words(token, text)
    _close(run, terms)
    if not terms and excluded:
        raise TopicError(f"{_shown(text)} says only what to leave out; say what to look for, too.")
    if not terms:
        raise TopicError(f"{_shown(text)} has no letter or digit.")
    return Topic(tuple(terms), tuple(excluded), is_joined="AND" in tokens)


def exactly(text: str) -> Topic:
    """The topic that is found only as this text is written."""
    return Topic((Term(tuple(re.split(r"[\s-]+", fold(text).strip(" -"))), is_exact=True),))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The text as it is compared, with the letters that search compares (words.sql).

    Without case or accents, letters with a stroke without it, one form for what looks the same.
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFKC", plain.translate(_TYPED))


def forms_of(word: str) -> set[str]:
    """The word in the singular and the plural, and at times a form that no text has."""
    if len(word) < _SHORTEST_PLURAL or not word.isalpha() or word in _ONE_FORM:
        return {word}
    return {word} | {form for one in {word, *_singulars(word)} for form in (one, *_plurals(one))}


def _singulars(word: str) -> set[str]:
    if len(word) <= _SHORTEST_PLURAL or not word.endswith("s") or word.endswith("ss"):
        return {one for one, many in _IRREGULAR.items() if many == word}
    if word.endswith("ies"):
        return {f"{word[:-3]}y", word[:-1]}
    found = {word[:-1]}
    if word.endswith("ices"):
        found |= {f"{word[:-4]}ix", f"{word[:-4]}ex"}
    if word.endswith(("ses", "xes", "zes", "ches", "shes")):
        found |= {word[:-2], f"{word[:-2]}is"}
    return found


def _plurals(word: str) -> set[str]:
    if word in _IRREGULAR:
        return {_IRREGULAR[word]}
    if word.endswith("y") and word[-2] not in "aeiou":
        return {f"{word[:-1]}ies"}
    if word.endswith("is"):
        return {f"{word[:-2]}es"}
    if word.endswith(("ix", "ex")):
        return {f"{word[:-2]}ices", f"{word}es"}
    return {f"{word}es"} if word.endswith(("s", "x", "z", "ch", "sh")) else {f"{word}s"}


def _words(token: str, text: str) -> tuple[str, ...]:
    """The words of a token. Raises TopicError where it holds what is no part of the grammar."""
    bare = token.strip('"')
    if strange := _NO_GRAMMAR.search(bare) or _FIELD.match(bare):
        raise TopicError(f"{_WORDS}; “{strange[0]}” is none of them.")
    pieces = (_EDGES.sub("", piece) for piece in re.split(r"[\s-]+", fold(bare)))
    words = tuple(piece for piece in pieces if piece.strip("*") or piece)
    for word in words:
        start, star, rest = word.partition("*")
        if star and (rest or sum(map(str.isalnum, start)) < _SHORTEST_PREFIX):
            raise TopicError(
                f"In {_shown(text)} the star must end a word of two letters or more, as in agent*."
            )
    return words


def _close(run: list[str], terms: list[Term]) -> None:
    """End a run of words that stand side by side."""
    if run:
        terms.append(Term(tuple(run)))
        run.clear()


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _found(pattern: str, folded_text: str) -> bool:
    return _compiled(pattern).search(folded_text) is not None


def _shown(text: str) -> str:
    printable = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return f"“{printable[:40]}”"


_ONE_FORM = {"news", "series", "species"}
_IRREGULAR = {
    "child": "children",
    "corpus": "corpora",
    "criterion": "criteria",
    "datum": "data",
    "medium": "media",
    "phenomenon": "phenomena",
    "stimulus": "stimuli",
}
_INSTEAD = {
    "OR": "Leave OR out: any of the words is enough; between topics stands a comma.",
    "NOT": "Write -word in place of NOT word.",
}
