"""What a mailing list owes its readers and their mail providers, checked on the mail's own bytes.

Each finding is one plain sentence. The rules: RFC 5322, 2919, 2369 and 8058, the large providers'
sender rules, and WCAG's contrast of 4.5:1, in the light and in the dark.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser

from flows.newsletter.digest import PAPER_ID

_HTML_LIMIT_BYTES = 100_000  # Gmail cuts at 102 kB, and the way out is at the end
CONTRAST = 4.5

_PAPER_LINK = re.compile(rf"https?://[^\s\"'<>]+/papers/{PAPER_ID}")
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_HEX_COLOUR = re.compile(r"#(?:[0-9a-f]{3}){1,2}", re.IGNORECASE)
_DARK_BLOCK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMPOUND = re.compile(r"([a-z][a-z0-9]*)?((?:\.[\w-]+)*)")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr")
)
_UNSEEN = frozenset({"head", "style", "script", "title"})


def lint(raw: bytes) -> list[str]:
    """One sentence a broken rule, none for a mail that may go out. Never raises on bad bytes."""
    try:
        mail = message_from_bytes(raw, _class=EmailMessage, policy=SMTP.clone(raise_on_defect=True))
        return [
            *_header_lines(raw),
            *_headers(mail),
            *_addresses(mail),
            *_way_out(mail),
            *_parts(mail),
        ]
    except (MessageError, ValueError, LookupError) as error:
        return [f"The message does not parse: {error or type(error).__name__}."]


def lint_arrived(raw: bytes) -> list[str]:
    """The same for a mail as a mailbox got it, and what the relay's signature covers (RFC 8058)."""
    findings = lint(raw)
    try:
        signatures = message_from_bytes(raw, policy=SMTP).get_all("DKIM-Signature", [])
        covered = [_covered(str(signature)) for signature in signatures]
    except (MessageError, ValueError, LookupError):
        return findings
    if not covered:
        findings.append("There is no DKIM signature: the relay must sign what it sends.")
    elif not any({"list-unsubscribe", "list-unsubscribe-post"} <= names for names in covered):
        findings.append("No DKIM signature covers both List-Unsubscribe headers.")
    return findings


def _covered(signature: str) -> set[str]:
    """The headers that a DKIM-Signature names in its `h=` (RFC 6376), in lower case."""
    tags = (tag.partition("=") for tag in signature.split(";"))
    named = "".join(value for name, _, value in tags if name.strip() == "h")
    return {name.strip().lower() for name in named.split(":")}


def _header_lines(raw: bytes) -> Iterator[str]:
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if not head.isascii():
        yield "A header holds bytes that are not ASCII."
    if any(len(line) > 998 for line in head.split(b"\n")):
        yield "A header line is longer than 998 bytes."


def _headers(mail: EmailMessage) -> Iterator[str]:
    for name in ("From", "Date", "Message-ID", "Subject", "MIME-Version", "List-Id"):
        if (count := len(mail.get_all(name, []))) != 1:
            yield f"There must be one {name} header, and there are {count}."
    for name, value in mail.items():
        if re.search(r"[\r\n]", str(value)):
            yield f"The {name} header holds a newline."
        for defect in getattr(value, "defects", ()):
            yield f"The {name} header is malformed: {defect or type(defect).__name__}."
    if not re.fullmatch(r"<[^\s<>@]+@[^\s<>@]+>", str(mail["Message-ID"] or "").strip()):
        yield "Message-ID is not of the form <left@right>."
    if not re.search(r"<[\w.-]+>\s*$", str(mail["List-Id"] or "")):
        yield "List-Id does not end in <an.id.of.the.list>."
    if not str(mail["Subject"] or "").strip():
        yield "The subject is empty."
    date = mail["Date"]
    if isinstance(date, DateHeader) and (date.datetime is None or date.datetime.tzinfo is None):
        yield "Date does not say its time zone."


def _addresses(mail: EmailMessage) -> Iterator[str]:
    sender, recipients = mail["From"], mail.get_all("To", [])
    if isinstance(sender, AddressHeader) and len(sender.addresses) != 1:
        yield f"From must name one address, and names {len(sender.addresses)}."
    if len(recipients) > 1 or any(len(to.addresses) != 1 for to in recipients):
        yield "To must name one reader and no other."
    if mail["Cc"] is not None or mail["Bcc"] is not None:
        yield "A reader's mail has neither Cc nor Bcc."


def _way_out(mail: EmailMessage) -> Iterator[str]:
    """What the mail to a reader needs: a way out without a login, in one click (RFC 8058)."""
    if mail["To"] is None and mail["List-Unsubscribe"] is None:
        return
    targets = re.findall(r"<([^<>]*)>", str(mail["List-Unsubscribe"] or ""))
    if not any(re.fullmatch(r"https://[^\s/]+\S*", target) for target in targets):
        yield "List-Unsubscribe offers no https link."
    if not any(re.fullmatch(r"mailto:[^\s@]+@\S+", target) for target in targets):
        yield "List-Unsubscribe offers no mail address."
    if any(not re.match(r"(https://|mailto:)\S+$", target) for target in targets):
        yield "List-Unsubscribe offers something that is neither https nor mailto."
    if str(mail["List-Unsubscribe-Post"] or "") != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not List-Unsubscribe=One-Click."


def _parts(mail: EmailMessage) -> Iterator[str]:
    parts = list(mail.iter_parts()) if mail.is_multipart() else []
    kinds = [part.get_content_type() for part in parts]
    if mail.get_content_type() != "multipart/alternative" or kinds != ["text/plain", "text/html"]:
        yield "The mail is not multipart/alternative with the text first and the HTML second."
    elif any(part.get_content_charset() != "utf-8" for part in parts):
        yield "A part does not say that it is UTF-8."
    else:
        text, html = (part.get_content() for part in parts)
        yield from _bodies(text, html, has_reader=mail["To"] is not None)


def _bodies(text: str, html: str, *, has_reader: bool) -> Iterator[str]:
    if not text.strip():
        yield "The text part is empty."
    if _PRIVATE_USE.search(text + html):
        yield "A part still holds a place that was to be filled for the reader."
    in_text, in_html = (Counter(_PAPER_LINK.findall(body)) for body in (text, html))
    if in_text != in_html:
        yield (
            f"The parts differ in papers: the text links {in_text.total()}, "
            f"the HTML {in_html.total()}."
        )
    if (size := len(html.encode())) >= _HTML_LIMIT_BYTES:
        yield f"The HTML has {size:,} bytes; from {_HTML_LIMIT_BYTES:,} on, clients cut it."
    page = _Page(html)
    yield from page.findings()
    if has_reader and not any("unsubscribe" in link.words.lower() for link in page.links):
        yield "The HTML has no link to unsubscribe."
    if has_reader and "unsubscribe" not in text.lower():
        yield "The text does not say how to unsubscribe."


@dataclass
class _Element:
    """An open element, with the colours that hold inside it."""

    tag: str
    classes: frozenset[str] = frozenset()
    attributes: dict[str, str] = field(default_factory=dict)
    style: dict[str, str] = field(default_factory=dict)
    light: tuple[str, str] = ("#000000", "#ffffff")  # text, background
    dark: tuple[str, str] = ("#000000", "#ffffff")
    is_hidden: bool = False
    own_text: str = ""


@dataclass(frozen=True)
class _Link:
    """A link: where to, its words, whether underlined, and the elements it stands in."""

    address: str
    words: str
    is_underlined: bool
    parent: _Element
    is_heading: bool


class _Page(HTMLParser):
    """Reads the HTML once, in order, as a client paints it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
        self.dark_rules = [
            (selector.strip(), _declarations(body, important_only=True))
            for block in _DARK_BLOCK.finditer(self.styles)
            for selectors, body in _RULE.findall(block[1])
            for selector in selectors.split(",")
        ]
        self.open = [_Element("")]
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.links: list[_Link] = []
        self.headings: list[int] = []
        self.title = ""
        self.preheader = ""
        self.has_visible_text = False
        # The first words seen in each scheme, text colour and background.
        self.painted: dict[tuple[str, str, str], str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element: what it inherits, what it says itself, and what the dark rules add."""
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag in _VOID:
            return
        parent = self.open[-1]
        element = _Element(
            tag,
            frozenset(attributes.get("class", "").split()),
            attributes,
            _declarations(attributes.get("style", "")),
        )
        self.open.append(element)
        element.is_hidden = (
            parent.is_hidden
            or tag in _UNSEEN
            or element.style.get("display") == "none"
            or "hidden" in attributes
        )
        element.light = _colours(parent.light, [element.style])
        matching = [style for selector, style in self.dark_rules if _matches(selector, self.open)]
        # An inlined colour holds in the dark too, unless an !important rule overrules it there.
        element.dark = _colours(parent.dark, [element.style, *matching])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and what was left open in it."""
        if tag not in [element.tag for element in self.open]:
            return
        while self.open[-1].tag != tag:
            self.open.pop()
        element = self.open.pop()
        if tag == "a" and "href" in element.attributes:
            heading = any(re.fullmatch("h[1-6]", outer.tag) for outer in self.open)
            is_underlined = "underline" in element.style.get("text-decoration", "underline")
            address = element.attributes["href"]
            words = " ".join(element.own_text.split())
            self.links.append(_Link(address, words, is_underlined, self.open[-1], heading))

    def handle_data(self, data: str) -> None:
        """Judge a run of text where it stands."""
        element = self.open[-1]
        element.own_text += data
        if element.tag == "title":
            self.title += data
        if not data.strip() or any(outer.tag in _UNSEEN for outer in self.open):
            return
        if element.is_hidden:
            self.preheader += "" if self.has_visible_text else data
            return
        self.has_visible_text = True
        for scheme, (text, background) in (("light", element.light), ("dark", element.dark)):
            self.painted.setdefault((scheme, text, background), " ".join(data.split())[:40])

    def findings(self) -> Iterator[str]:
        """What a reader would stumble over."""
        yield from self._document()
        yield from self._elements()
        yield from self._links()
        yield from self._contrast()

    def _document(self) -> Iterator[str]:
        named = dict(self.tags[::-1])  # the first of each tag
        metas = {
            given.get("name"): given.get("content", "") for tag, given in self.tags if tag == "meta"
        }
        if not self.html.lstrip().lower().startswith("<!doctype html>"):
            yield "The HTML does not begin with <!DOCTYPE html>."
        if not named.get("html", {}).get("lang"):
            yield "The HTML does not say its language (lang)."
        if not self.title.strip():
            yield "The HTML has no title."
        if not {"light", "dark"} <= set((metas.get("color-scheme") or "").split()):
            yield 'The meta tag color-scheme does not say "light dark".'
        if not self.dark_rules:
            yield "There are no styles for prefers-color-scheme: dark."
        if re.search(r"@font-face|@import|url\(", self.styles + str(self.tags)):
            yield "The styles fetch something from elsewhere."
        if not self.preheader.strip("\u00a0\u034f\u200c "):
            yield "There is no preheader: hidden text before the first visible words."
        if self.headings.count(1) != 1:
            yield f"There must be one h1, and there are {self.headings.count(1)}."
        if any(
            below > above + 1
            for above, below in zip([0, *self.headings], self.headings, strict=False)
        ):
            yield "The headings skip a level."

    def _elements(self) -> Iterator[str]:
        for tag, given in self.tags:
            if tag in {"script", "iframe", "object", "embed", "form", "link", "base"}:
                yield f"A mail has no <{tag}>."
            if tag == "table" and given.get("role") != "presentation":
                yield 'A layout table lacks role="presentation".'
            if tag == "img" and "alt" not in given:
                yield f"An image lacks its alt text: {given.get('src', '')[:80]}."
            for name in given:
                if name.startswith("on"):
                    yield f"A mail has no {name} handler."

    def _links(self) -> Iterator[str]:
        for link in self.links:
            if not re.match(r"(https?://[^\s/]|mailto:\S)", link.address) or re.search(
                r"\s", link.address
            ):
                yield f"A link is not an absolute web address: {link.address[:80] or '(empty)'}."
            if not link.words:
                yield f"A link has no words: {link.address[:80]}."
            is_in_text = bool(link.parent.own_text.strip()) and not link.is_heading
            if is_in_text and not link.is_underlined:
                yield f"A link in running text is not underlined: {link.words[:40]}."

    def _contrast(self) -> Iterator[str]:
        for (scheme, text, background), sample in self.painted.items():
            strange = [colour for colour in (text, background) if not _HEX_COLOUR.fullmatch(colour)]
            if strange:
                yield f"The colour {strange[0]} is not a hex value, so its contrast is unknown."
            elif (ratio := contrast(text, background)) < CONTRAST:
                yield (
                    f"In the {scheme}, {text} on {background} has a contrast of {ratio:.1f}, "
                    f"below {CONTRAST}: “{sample}”."
                )


def contrast(text: str, background: str) -> float:
    """WCAG's contrast of two hex colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(text), _luminance(background)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    levels = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _declarations(style: str, *, important_only: bool = False) -> dict[str, str]:
    parts = (part for part in style.split(";") if "!important" in part or not important_only)
    pairs = (part.partition(":") for part in parts if ":" in part)
    return {
        name.strip().lower(): value.replace("!important", "").strip().lower()
        for name, _, value in pairs
    }


def _colours(inherited: tuple[str, str], styles: Iterable[dict[str, str]]) -> tuple[str, str]:
    text, background = inherited
    for style in styles:
        text = style.get("color", text)
        background = style.get("background-color", style.get("background", background))
    return text, background


def _matches(selector: str, open_elements: list[_Element]) -> bool:
    """Whether a selector of tags, classes and descendants means the innermost open element."""
    *outer, last = selector.split() or [""]
    if not _is(last, open_elements[-1]):
        return False
    ancestors = iter(open_elements[:-1])
    return all(any(_is(compound, element) for element in ancestors) for compound in outer)


def _is(compound: str, element: _Element) -> bool:
    match = _COMPOUND.fullmatch(compound)
    if not match or not compound:
        return False
    tag, classes = match[1], set(match[2].split(".")) - {""}
    return (tag is None or tag == element.tag) and classes <= element.classes
