"""A list or a paper in another form: feeds for readers' programs, citations for reference managers.

.atom RFC 4287   .json JSON Feed 1.1   .bib BibTeX   .ris RIS   .csl CSL-JSON   .md Markdown
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from flows.newsletter.site import Site
from flows.newsletter.text import excerpt, one_line, title_line
from flows.publication.cards import Card
from flows.publication.lists import OF_NOW
from flows.wording import counted

# Ids never change with the address of the pages (RFC 4287, 4.2.6).
_ID_OF_PAPER = "tag:huggingface.co,2023:daily-papers/{}"
_ID_OF_FEED = "tag:huggingface.co,2023:daily-papers/feed"
_WITHDRAWN = "Withdrawn."
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when a list without papers was last changed
# BibTeX counts every brace, also one behind a backslash: a single one would never be closed.
_SPECIAL = {char: f"\\{char}" for char in "&%$#_"} | {
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


@dataclass(frozen=True)
class Export:
    """What is exported: the page's own address without a slash before it, its title, its papers.

    `query` is what stands behind the address, without its question mark, where other papers stand
    there without it.
    """

    address: str
    title: str
    cards: tuple[Card, ...]
    query: str = ""

    @property
    def subtitle(self) -> str:
        """What is to be known beside the title; empty where nothing is."""
        return OF_NOW if self.query.startswith("as_of=") else ""

    def place(self, root: str, ending: str = "") -> str:
        """Where the page is, or with `.atom` and the like behind its address the same in a form."""
        tail = f"?{self.query}" if self.query else ""
        return f"{root.rstrip('/')}/{quote(self.address)}{ending}{tail}"


def export(exported: Export, format_: str, site: Site) -> tuple[bytes, str]:
    """The bytes and the media type of a list of papers in one of FORMATS."""
    write, media_type = FORMATS[format_]
    return write(exported, site).encode(), media_type


def _atom(exported: Export, site: Site) -> str:
    root = site.public_url.rstrip("/")
    updated = max((card.last_read_at for card in exported.cards), default=_NEVER)
    entries = "".join(_entry(card, root) for card in exported.cards)
    own, page = exported.place(root, ".atom"), exported.place(root)
    subtitle = f"<subtitle>{_xml(exported.subtitle)}</subtitle>\n" if exported.subtitle else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"<title>{_xml(exported.title)}</title>\n{subtitle}"
        f"<id>{escape(exported.place(_ID_OF_FEED))}</id>\n"
        f'<link rel="self" type="application/atom+xml" href="{escape(own)}"/>\n'
        f'<link rel="alternate" type="text/html" href="{escape(page)}"/>\n'
        f"<updated>{_time(updated)}</updated>\n"
        f"<author><name>Daily Papers</name></author>\n{entries}</feed>\n"
    )


def _entry(card: Card, root: str) -> str:
    authors = "".join(f"<author><name>{_xml(name)}</name></author>" for name in _authors(card))
    return (
        f"<entry>\n<title>{_xml(_headline(card))}</title>\n"
        f"<id>{_ID_OF_PAPER.format(card.paper_id)}</id>\n"
        f'<link rel="alternate" type="text/html" href="{_xml(root)}/papers/{card.paper_id}"/>\n'
        f"<updated>{_time(card.last_read_at)}</updated>\n"
        f"<published>{card.first_listed_on}T00:00:00Z</published>\n{authors}\n"
        f"<summary>{_xml(excerpt(card.ai_summary or card.abstract))}</summary>\n</entry>\n"
    )


def _json(exported: Export, site: Site) -> str:
    root = site.public_url.rstrip("/")
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": exported.title,
        **({"description": exported.subtitle} if exported.subtitle else {}),
        "home_page_url": exported.place(root),
        "feed_url": exported.place(root, ".json"),
        "language": "en",
        "items": [
            {
                "id": _ID_OF_PAPER.format(card.paper_id),
                "url": f"{root}/papers/{card.paper_id}",
                "external_url": f"https://arxiv.org/abs/{card.paper_id}",
                "title": _headline(card),
                "summary": excerpt(card.ai_summary or card.abstract),
                "content_text": card.abstract,
                "date_published": f"{card.first_listed_on}T00:00:00Z",
                "date_modified": _time(card.last_read_at),
                "authors": [{"name": name} for name in _authors(card)],
                "_paper": {
                    "rank": card.rank,
                    "upvotes": card.upvotes_count,
                    "comments": card.comments_count,
                    "organization": card.organization_name,
                    "code": card.github_url,
                    "withdrawn": card.is_withdrawn,
                },
            }
            for card in exported.cards
        ],
    }
    return json.dumps(feed, ensure_ascii=False)


def _bibtex(exported: Export, _site: Site) -> str:
    return "\n".join(_bibtex_entry(card) for card in exported.cards)


def _bibtex_entry(card: Card) -> str:
    fields = {
        "title": "{" + _tex(card.title) + "}",
        "author": " and ".join(_tex(name) for name in _authors(card)),
        "year": str((card.published_on or card.first_listed_on).year),
        "eprint": card.paper_id,
        "archiveprefix": "arXiv",
        "url": f"https://arxiv.org/abs/{card.paper_id}",
        "note": _WITHDRAWN if card.is_withdrawn else "",
    }
    lines = (f"  {name} = {{{value}}}," for name, value in fields.items() if value)
    return f"@misc{{arxiv{card.paper_id},\n" + "\n".join(lines) + "\n}\n"


def _ris(exported: Export, _site: Site) -> str:
    return "".join(_ris_entry(card) for card in exported.cards)


def _ris_entry(card: Card) -> str:
    day = card.published_on or card.first_listed_on
    lines = [
        ("TY", "GEN"),
        ("TI", one_line(card.title)),
        *(("AU", ", ".join(filter(None, _parted(name)))) for name in _authors(card)),
        ("PY", str(day.year)),
        ("DA", f"{day:%Y/%m/%d}"),
        ("AB", one_line(card.abstract, 20_000)),
        ("PB", "arXiv"),
        ("AN", f"arXiv:{card.paper_id}"),
        ("UR", f"https://arxiv.org/abs/{card.paper_id}"),
        *([("N1", _WITHDRAWN)] if card.is_withdrawn else []),
        ("ER", ""),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines)


def _csl(exported: Export, _site: Site) -> str:
    return json.dumps([_csl_entry(card) for card in exported.cards], ensure_ascii=False, indent=1)


def _csl_entry(card: Card) -> dict[str, object]:
    day = card.published_on or card.first_listed_on
    entry: dict[str, object] = {
        "id": f"arXiv:{card.paper_id}",
        "type": "article",
        "title": one_line(card.title),
        "author": [_csl_name(name) for name in _authors(card)],
        "issued": {"date-parts": [[day.year, day.month, day.day]]},
        "abstract": one_line(card.abstract, 20_000),
        "number": card.paper_id,
        "publisher": "arXiv",
        "URL": f"https://arxiv.org/abs/{card.paper_id}",
    }
    return entry | {"note": _WITHDRAWN} if card.is_withdrawn else entry


def _csl_name(name: str) -> dict[str, str]:
    family, given = _parted(name)
    return {"family": family, "given": given} if given else {"literal": family}


def _markdown(exported: Export, site: Site) -> str:
    """A paper under its own title; the papers of a list under the list's."""
    cards = exported.cards
    if len(cards) == 1 and exported.address == f"papers/{cards[0].paper_id}":
        return _markdown_of(cards[0], "#", site)
    listed = "\n".join(_markdown_of(card, "##", site) for card in cards)
    head = [f"# {one_line(exported.title)}", exported.subtitle, listed]
    return "\n\n".join(filter(None, head))


def _markdown_of(card: Card, level: str, site: Site) -> str:
    root = site.public_url.rstrip("/")
    facts = [
        f"**{_WITHDRAWN}**" if card.is_withdrawn else None,
        _marked(", ".join(_authors(card))),
        _marked(card.organization_name or ""),
        f"{counted(card.upvotes_count, 'vote')}, listed on {card.first_listed_on}",
        f"<https://arxiv.org/abs/{card.paper_id}>, <{root}/papers/{card.paper_id}>",
        f"<{card.github_url}>" if card.github_url else None,
    ]
    lines = "  \n".join(filter(None, facts))
    title, abstract = _marked(one_line(card.title)), _marked(card.abstract.strip())
    return f"{level} {title}\n\n{lines}\n\n{abstract}\n"


def _headline(card: Card) -> str:
    """The title as a feed shows it: nobody should open a withdrawn paper for want of a word."""
    return f"{_WITHDRAWN} {one_line(card.title)}" if card.is_withdrawn else one_line(card.title)


def _authors(card: Card) -> tuple[str, ...]:
    return tuple(filter(None, (title_line(name, 200) for name in card.author_names)))


def _parted(name: str) -> tuple[str, str]:
    """The family name and the rest: the last word and those before it, as BibTeX parts a name."""
    given, _, family = name.rpartition(" ")
    return family, given


def _marked(text: str) -> str:
    """Foreign text for Markdown, which would take `<think>` for a tag that shows nothing."""
    return text.replace("<", "&lt;")


def _tex(text: str) -> str:
    """The text for LaTeX; what came in LaTeX's own marks, such as accents, is text before."""
    return "".join(_SPECIAL.get(char, char) for char in title_line(text))


def _xml(text: str) -> str:
    return escape(re.sub(r"[\x00-\x1f\ufffe\uffff]", " ", one_line(text, 2_000)))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%FT%TZ}"


FORMATS: dict[str, tuple[Callable[[Export, Site], str], str]] = {
    "atom": (_atom, "application/atom+xml"),
    "json": (_json, "application/feed+json"),
    "bib": (_bibtex, "application/x-bibtex"),
    "ris": (_ris, "application/x-research-info-systems"),
    "csl": (_csl, "application/vnd.citationstyles.csl+json"),
    "md": (_markdown, "text/markdown"),
}
