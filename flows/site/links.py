"""Where a page of the server lies as a file, and how one file leads to another.

/papers/date/2026-08-20 ──▶ papers/date/2026-08-20/index.html, linked as ../../date/2026-08-20/

Links are relative, so the folder may lie under any path of any host.
"""

import re
from hashlib import sha256
from urllib.parse import parse_qs, quote, unquote, urlsplit

from flows.web.pages import LIST_FORMATS

_LINK = re.compile(r'\b(href|action|src)="(/[^"]*|\?[^"]*)"')
# What is a file and no page; an organization may be called `vis.js`.
_FILE = re.compile(
    r"reader\.css|icon\.svg|papers/search/search\.js|insights/\w+\.csv|.+\.(atom|json|bib)"
)
_LONGEST_NAME = 150  # of a folder; most file systems take 255 bytes
_NUMBERED = re.compile(r"p\d+/$")


def folder_of(address: str) -> str:
    """The link to a page of the server from the top of the folder, with a slash at its end.

    A part of an address that is quoted stays one part: `A%2FB` becomes `A%252FB`, and its file lies
    in a folder called `A%2FB`.
    """
    parts = urlsplit(address)
    path = "/".join(quote(_short(part), safe="") for part in parts.path.strip("/").split("/"))
    if _FILE.fullmatch(path):
        return path + (f"?{parts.query}" if parts.query else "")
    number = int(parse_qs(parts.query).get("p", ["0"])[0])
    return (f"{path}/" if path else "") + (f"p{number}/" if number else "")


def _short(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    kept, dot, ending = name.rpartition(".")
    digest = sha256((kept if dot and ending in LIST_FORMATS else name).encode()).hexdigest()[:16]
    end = f".{ending}" if dot and ending in LIST_FORMATS else ""
    return f"{name[: _LONGEST_NAME - 30]}-{digest}{end}"


def file_of(address: str) -> str:
    """The path of the file of a page or an export, from the top of the folder."""
    link = unquote(folder_of(address).partition("?")[0])
    return f"{link}index.html" if link.endswith("/") or not link else link


def with_relative_links(page: str, address: str) -> str:
    """The page with its links to our own pages made relative to where it lies."""
    here = folder_of(address)
    up = "../" * here.count("/")

    def relative(found: re.Match[str]) -> str:
        attribute, target = found.groups()
        if target.startswith("?"):
            target = _numbered(here, target)
        elif target.startswith("/papers/search?"):
            target = f"papers/search/?{urlsplit(target).query}"
        else:
            target = folder_of(target.replace("&amp;", "&"))
        return f'{attribute}="{up}{target}"' if up or target else f'{attribute}="./"'

    return _LINK.sub(relative, page)


def _numbered(here: str, query: str) -> str:
    """Another page of the same list, which the server tells by `?p=`."""
    number = int(parse_qs(query[1:])["p"][0])
    return _NUMBERED.sub("", here) + (f"p{number}/" if number else "")
