"""What stands between the world and the pages: headers, the sender of a form, size, pace."""

import asyncio
import math
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from duckdb import DuckDBPyConnection
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import SecretStr
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows import clock
from flows.publication.kept_open import KeptOpen
from flows.publication.published import NotPublishedError, OlderPublicationError
from flows.web.limits import Buckets, RateLimits, client_name

BODY_MAX_BYTES = 200_000  # four fields of fifty phrases, in any script, percent-encoded
_BODY_SECONDS = 20
_FORM_LIFE_SECONDS = 24 * 3600
_ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # RFC 8058

PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# An issue is the mail as it was sent: its styles stand in its elements. It needs nothing else.
ISSUE_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


# What is for programs anywhere, also for those that run in another site's page.
FOR_EVERYBODY = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Refusal(HTTPException):
    """A request that is not served; the detail is the sentence that the reader sees."""


def not_published(error: NotPublishedError) -> Refusal:
    """What a page says for want of a publication that it can read."""
    if isinstance(error, OlderPublicationError):
        sentence = "This page waits for the next publication: an older version made this one."
        return Refusal(503, sentence)
    return Refusal(404, "No list is published yet.")


@contextmanager
def reading_published(published: KeptOpen) -> Iterator[DuckDBPyConnection]:
    """A connection to the published file. Raises Refusal (404, 503) where there is none to read."""
    try:
        with published.opened() as connection:
            yield connection
    except NotPublishedError as error:
        raise not_published(error) from None


def as_of_time(request: Request) -> datetime | None:
    """The time (UTC) of `?as_of=`, if one is asked for; written to the minute, that minute's end.

    Raises Refusal (400) where it is no time.
    """
    words = request.query_params.get("as_of")
    if not words:
        return None
    try:
        return clock.named_time(words.strip().replace(" ", "+"), clock.utc_now())
    except ValueError:
        raise Refusal(400, f"“{words[:40]}” is no time; write it as 2026-08-20T16:05Z.") from None


def security_headers(public_url: str) -> dict[str, str]:
    """The headers of every answer, unless the answer sets its own."""
    headers = {
        "Content-Security-Policy": PAGE_CSP,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
        "Cache-Control": "no-store",
    }
    if public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


class SecurityHeaders:
    """Puts the headers on every answer of the app inside it."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        """Wrap the app."""
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Guard:
    """Lets a form in, or says why not."""

    def __init__(self, public_url: str, limits: RateLimits) -> None:
        """Start with nobody known."""
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._reads = Buckets(limits.reads)
        self._posts = Buckets(limits.posts)
        self._subscriptions = Buckets(limits.subscriptions)

    async def form(self, request: Request) -> dict[str, str]:
        """The fields of a form; several values of one name are joined by semicolons.

        Raises Refusal: too many posts (429), sent from another site (403), too large (413), too
        slow (408), not a form (400).
        """
        form = await _read_form(request)
        # The signed link is all the authority a one-click unsubscribe has and needs; and a large
        # provider sends thousands of them from few addresses.
        if form != _ONE_CLICK:
            self._admit(request, self._posts)
            if self._is_from_elsewhere(request):
                raise Refusal(403, "This form was sent from another site. Fill it in here instead.")
        return form

    def admit_read(self, request: Request) -> None:
        """Count one more page or answer of this client. Raises Refusal (429)."""
        self._admit(request, self._reads)

    def admit_subscription(self, request: Request) -> None:
        """Count one more subscription of this client. Raises Refusal (429)."""
        self._admit(request, self._subscriptions)

    def _admit(self, request: Request, buckets: Buckets) -> None:
        if wait := buckets.take(client_name(request.client.host if request.client else "")):
            seconds = math.ceil(wait)
            raise Refusal(
                429,
                f"That was a lot at once. Try again in {seconds} seconds.",
                {"Retry-After": str(seconds)},
            )

    def _is_from_elsewhere(self, request: Request) -> bool:
        # Our own forms send `Origin: null`, since our pages give no referrer; so "null" says
        # nothing, and where it is all there is, the form's key or the signed link must do.
        if site := request.headers.get("sec-fetch-site"):
            return site not in {"same-origin", "none"}
        return request.headers.get("origin") not in {None, "null", self._origin}


async def _read_form(request: Request) -> dict[str, str]:
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > BODY_MAX_BYTES:
            raise Refusal(413, "This is more than the form takes. Shorten it and send it again.")
        return message

    try:
        async with asyncio.timeout(_BODY_SECONDS):
            form = await Request(request.scope, receive).form(
                max_files=0, max_fields=40, max_part_size=BODY_MAX_BYTES
            )
    except TimeoutError:
        raise Refusal(408, "The form took too long to arrive. Send it again.") from None
    return _joined(form)


def _joined(form: FormData) -> dict[str, str]:
    return {name: "; ".join(map(str, form.getlist(name))) for name in form}


class FormKeys:
    """Ties a form to the browser that was shown it: what it holds must fit a cookie of ours."""

    field_name = "form_key"
    _cookie_name = "papers_form"

    def __init__(self, keys: Sequence[SecretStr], public_url: str) -> None:
        """Sign with the first key, accept all."""
        self._serializer = URLSafeTimedSerializer(
            [key.get_secret_value() for key in reversed(keys)], salt="papers.form"
        )
        self._is_secure = public_url.startswith("https:")

    def issue(self, request: Request) -> tuple[str, str]:
        """A key for a form, and the browser's own name that it is for."""
        known = request.cookies.get(self._cookie_name, "")
        browser = known if re.fullmatch(r"[\w-]{22}", known, re.ASCII) else secrets.token_urlsafe()
        browser = browser[:22]
        key = self._serializer.dumps(browser)
        return (key if isinstance(key, str) else key.decode()), browser

    def remember(self, response: Response, browser: str) -> None:
        """Give the browser its name, until it is closed."""
        response.set_cookie(
            self._cookie_name, browser, httponly=True, samesite="strict", secure=self._is_secure
        )

    def fits(self, request: Request, key: str) -> bool:
        """Whether the form was shown to this browser, today."""
        try:
            browser = self._serializer.loads(key, max_age=_FORM_LIFE_SECONDS)
        except BadData:
            return False
        return bool(browser) and request.cookies.get(self._cookie_name) == browser
