"""Foreign text made fit to print: one line, bounded, and no link but a plain web address."""

import re
import unicodedata
from functools import lru_cache
from textwrap import fill
from urllib.parse import urlsplit

# The same papers stand in the mails of hundreds of rules: their texts are made fit once.
_of_an_issue = lru_cache(2048)

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# "et al. The" and "e.g. BERT" are not ends of sentences.
_ABBREVIATIONS = ("et al.", "e.g.", "i.e.", "vs.", "cf.", "Fig.", "Eq.", "Sec.", "Dr.", "No.")
_SENTENCE_END = re.compile(r"[.!?][\"”')\]]*(?=\s+[^\sa-z])")
# A cut name does not end in "with…".
_DANGLING = re.compile(r"(?: (?:an?|and|as|at|by|for|from|in|is|of|on|or|the|to|via|with))+…$")
_HOST = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+", re.ASCII)
_NOT_IN_A_URL = re.compile(r"[\s\\\"'<>`{}|^]")
_LATEX_STYLE = re.compile(r"\\(?:text\w*|emph|math\w+|underline|href\{[^{}]*\}|url)\s*\{([^{}]*)\}")
_LATEX_ESCAPE = re.compile(r"\\([%&_#${}])")
_LATEX_BLANK = re.compile(r"\\[ ,;:!]|(?<=\w)~(?=\w)")
_LATEX_ACCENT = re.compile(
    r"""\\(?:([`'^"~=.])\s*(?:\{\s*\\?([^\W\d_])\s*\}|([^\W\d_]))"""
    r"""|([cvuHr])\{\s*\\?([^\W\d_])\s*\})"""
)
_LATEX_GROUP = re.compile(r"""\{(\\[`'^"~=.]\s*[^\W\d_])\}""")
_ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "c": "\u0327",
}
# Where an abstract begins to say what the paper does; what stands before is known to its readers.
_CLAIM = re.compile(
    r"(?:in|with) this (?:paper|work|study|report|article|survey|technical report)\b"
    r"|this (?:paper|work|study|report|article|survey|technical report)\b"
    r"|(?:here|therefore|thus|hence|to this end|to (?:address|tackle|solve|bridge|fill|overcome"
    r"|mitigate|close|remedy|resolve|answer|study|handle)\b[^.]{0,120}),? we\b"
    r"|we (?:\w+ly |thus |therefore |then )?(?:propose|present|introduce|develop|describe|study"
    r"|show|investigate|design|build|release|explore|demonstrate|address|report|train|formulate"
    r"|formali[sz]e|construct|revisit|examine|analy[sz]e|create|devise|establish|unveil)\b",
    re.IGNORECASE,
)
_MARKDOWN_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def _fit_to_print(char: str) -> bool:
    """Whether a character may be shown: no surrogate, nothing that turns the text around it round.

    Nor private use: the rendering marks its reader-only places with it, and none may be forged.
    """
    return char not in _BIDI_CONTROLS and unicodedata.category(char) not in {"Cs", "Co", "Cn"}


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line of at most `limit` characters; runs of white space become one space."""
    # Most text is; looking at each character takes a third of the time that a page takes.
    if not text.isprintable():
        spaced = (" " if unicodedata.category(char) == "Cc" else char for char in text)
        text = "".join(filter(_fit_to_print, spaced))
    return cut(" ".join(text.split()), limit)


def cut(text: str, limit: int) -> str:
    """The text, or its start up to a whole word and "…": at most `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    whole_words = head[: head.rindex(" ")] if " " in head[limit // 2 :] else head[:-1]
    return whole_words.rstrip(" ,;:.-") + "…"


def plain(text: str) -> str:
    r"""Running text without the marks of LaTeX and Markdown: `\emph{x}`, `**x**` read x."""
    styled = _LATEX_GROUP.sub(r"\1", _LATEX_STYLE.sub(r"\1", text))
    styled = _LATEX_ACCENT.sub(_accented, styled)
    return _MARKDOWN_BOLD.sub(r"\1", _LATEX_ESCAPE.sub(r"\1", _LATEX_BLANK.sub(" ", styled)))


@_of_an_issue
def title_line(title: str, limit: int = 300) -> str:
    r"""A title on one line, without the marks of LaTeX: `R\&D` reads R&D."""
    return one_line(plain(title), limit)


def _accented(found: re.Match[str]) -> str:
    mark, letter = found[1] or found[4], found[2] or found[3] or found[5]
    return unicodedata.normalize("NFC", letter + _ACCENTS[mark])


@_of_an_issue
def claim(abstract: str) -> str:
    """The abstract from the sentence on that says what the paper does; all of it where none is."""
    line = one_line(plain(abstract), limit=100_000)
    starts = [0, *(match.end() + 1 for match in _SENTENCE_END.finditer(line))]
    return next((line[start:] for start in starts if _CLAIM.match(line, start)), line)


@_of_an_issue
def excerpt(text: str, limit: int = 340) -> str:
    """The first whole sentences that fit `limit` characters, with " …" where something follows."""
    line = one_line(plain(text), limit=100_000)
    if len(line) <= limit:
        return line
    ends = (match.end() for match in _SENTENCE_END.finditer(line[: limit + 2]))
    whole = [end for end in ends if end <= limit and not line[:end].endswith(_ABBREVIATIONS)]
    # A first sentence of a few words says less than a cut second one.
    return f"{line[: whole[-1]]} …" if whole and whole[-1] >= limit // 4 else cut(line, limit)


def short_name(title: str, limit: int = 32) -> str:
    """What people call the paper: its title up to the colon where that is short, else its start."""
    line = title_line(title)
    name = line.partition(":")[0].strip()
    return name if 0 < len(name) <= limit else _DANGLING.sub("…", cut(line, limit))


def safe_url(url: str | None) -> str | None:
    """The address if a reader may be sent there, else None: http(s), a real host, no blanks."""
    address = (url or "").strip(" ")
    if not address or len(address) > 500 or _NOT_IN_A_URL.search(address):
        return None
    if not all(map(_fit_to_print, address)) or any(not char.isprintable() for char in address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises on a port that is none
    except ValueError:
        return None
    # "https://google.com@elsewhere" shows one host and leads to another.
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return None
    return address if parts.hostname and _HOST.fullmatch(parts.hostname) else None


@_of_an_issue
def wrapped(words: str, indent: int = 0) -> str:
    """The words in lines of at most 72 characters; a link or a short fact is never broken."""
    blank = " " * indent
    facts = words.split(" · ")
    whole = [fact.replace(" ", _KEPT) if len(fact) <= _SHORT_FACT else fact for fact in facts]
    return fill(
        f"{_KEPT}· ".join(whole) if len(facts) > 1 else words,
        72,
        initial_indent=blank,
        subsequent_indent=blank or "    ",
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_KEPT, " ")


_KEPT = "\N{NO-BREAK SPACE}"  # where no line ends
_SHORT_FACT = 24
