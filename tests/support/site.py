"""The pages and the API of a home, on a real port."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import requests
import uvicorn

from flows.mail_setup import open_mailing
from flows.settings import Settings
from flows.web.app import create_app


@dataclass(frozen=True)
class Site:
    """A running site."""

    url: str

    def get(self, path: str, **given: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, **given)

    def options(self, path: str, **given: Any) -> requests.Response:
        return requests.options(f"{self.url}{path}", timeout=30, **given)

    def post(self, path: str, **given: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", timeout=30, **given)


def text_of(page: str) -> str:
    """What a page says, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@contextmanager
def serving(settings: Settings) -> Iterator[Site]:
    """Serve these settings' home while the block runs."""
    with (
        closing(open_mailing(settings)) as mailing,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        app = create_app(settings, mailing, lambda *_: None)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        thread.join(15)
