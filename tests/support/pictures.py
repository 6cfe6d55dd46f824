"""The pictures of the digest in README.md, taken in a browser from the newest digest of the demo.

Needs Debian's chromium and pngquant.

make demo && .venv/bin/python -m tests.support.pictures
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import duckdb
from playwright.sync_api import Browser, sync_playwright

from flows.newsletter.render import public, render
from flows.newsletter.site import Site
from flows.publication.published import read_digest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "infra" / "pictures"
DEMO = ROOT / "data" / "demo" / "published" / "papers.duckdb"
Scheme = Literal["light", "dark"]
WIDTH, HEIGHT, SCALE = 720, 640, 2  # about what a desk shows of a mail without scrolling


def picture(scheme: Scheme) -> Path:
    """Where the picture of this colour scheme is."""
    return FOLDER / f"digest-{scheme}.png"


def take(published: Path) -> list[Path]:
    """Take both pictures of the newest digest in a published file."""
    with duckdb.connect(str(published), read_only=True) as connection:
        newest = connection.sql("select max(digest_date) from marts.daily_digest_papers").fetchone()
    assert newest, "an aggregate gives a row"
    day: date = newest[0]
    digest = read_digest(published, day)
    if digest is None:
        sys.exit(f"{published} has no digest; `make demo` makes one.")
    html = public(render(digest, Site("https://papers.example.org"))).html
    taken = []
    with browser() as chromium:
        for scheme in get_args(Scheme):
            page = chromium.new_page(
                color_scheme=scheme,
                viewport={"width": WIDTH, "height": HEIGHT},
                device_scale_factor=SCALE,
            )
            page.set_content(html)
            taken.append(picture(scheme))
            page.screenshot(path=taken[-1])
            shrink(taken[-1])
    return taken


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def shrink(picture: Path) -> None:
    """Give a picture a palette: enough for text, and a third of the bytes."""
    subprocess.run(["pngquant", "--force", "--strip", "--ext=.png", str(picture)], check=True)


if __name__ == "__main__":
    for path in take(Path(sys.argv[1]) if sys.argv[1:] else DEMO):
        sys.stdout.write(f"{path.stat().st_size:,} bytes at {path.relative_to(ROOT)}\n")
