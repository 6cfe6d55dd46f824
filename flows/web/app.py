"""The reader pages as one ASGI app.

request ──Guard──▶ ReaderPages, PublicPages, HubApi ──▶ answer with the security headers
                        └─Postman──▶ the mail that was asked for
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from flows.mail_setup import secret_keys
from flows.mailing.database import Mailing, MailingError
from flows.mailing.letters import Post
from flows.mailing.subscribers import RefusedError
from flows.mailing.tokens import TokenError, Tokens
from flows.newsletter.site import Site
from flows.publication.kept_open import KeptOpen, now_published
from flows.publication.likeness import PublishedLikeness
from flows.publication.near import KeptMeanings
from flows.publication.people import KINDS
from flows.search.meaning import sentence_model
from flows.settings import Settings
from flows.sources.hub_grammar import BadRequestError
from flows.web.answers import Answers
from flows.web.archive import Archive
from flows.web.exports import FORMATS
from flows.web.guard import FormKeys, Guard, Refusal, SecurityHeaders, security_headers
from flows.web.hub_api import HubApi, complaint, preflight
from flows.web.insights_page import InsightsPage
from flows.web.limits import Buckets, RateLimits
from flows.web.lists import ListPages
from flows.web.pages import Pages
from flows.web.postman import Postman, SendMail
from flows.web.publications import PublicPages
from flows.web.readers import WISHES, Form, ReaderPages
from flows.web.rehearsal import Rehearser
from flows.web.search_page import SearchPage
from flows.web.sitemap import Sitemap

Endpoint = Callable[[Request], Awaitable[Response]]
Get = Callable[[Callable[[Request], Response]], Endpoint]
_USUAL_LIMITS = RateLimits()
_WISH = "/{}/{{token}}/{{paper_id}}"
_log = logging.getLogger(__name__)


def create_app(
    settings: Settings, mailing: Mailing, send_mail: SendMail, *, limits: RateLimits = _USUAL_LIMITS
) -> Starlette:
    """The reader pages of this list, under the path of PAPERS_PUBLIC_URL.

    `send_mail` is called in a thread of its own with an address and the mail to it.
    """
    keys = secret_keys(settings)
    site, tokens = Site(settings.public_url), Tokens(keys)
    pages = Pages(site)
    model, published = sentence_model(settings), KeptOpen(settings.published_path)
    likeness, vectors = PublishedLikeness(published), KeptMeanings()
    get_kept = partial(_get_kept, Answers(settings.published_path))
    archive = Archive(settings.issues_path)
    postman = Postman(mailing, pages, Post(site, tokens, settings.mail_from), send_mail)
    guard = Guard(settings.public_url, limits)
    readers = ReaderPages(
        mailing=mailing,
        pages=pages,
        tokens=tokens,
        archive=archive,
        rehearser=Rehearser(settings.published_path, likeness),
        postman=postman,
        guard=guard,
        form_keys=FormKeys(keys, settings.public_url),
        mails_to_address=Buckets(limits.mails_to_address),
        published=published,
    )
    headers = security_headers(settings.public_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(postman.close)

    routes: list[BaseRoute] = [
        *_reader_routes(readers, guard),
        *_public_routes(PublicPages(pages, archive, likeness)),
        *_search_routes(SearchPage(pages, published, model, vectors), get_kept),
        *_list_routes(ListPages(pages, published, vectors, archive), get_kept),
        *_insights_routes(InsightsPage(pages, published), get_kept),
        *_api_routes(HubApi(settings.public_url, published, model, vectors), get_kept),
        *_sitemap_routes(Sitemap(pages, published)),
        Route("/healthz", _get(lambda _request: _health(mailing, archive))),
    ]
    app = Starlette(
        routes=[Mount(pages.base, routes=routes)] if pages.base else routes,
        middleware=[Middleware(SecurityHeaders, headers=headers)],
        exception_handlers=_complaints(pages, headers),
        lifespan=lifespan,
    )
    app.state.guard = guard
    # it would redirect to whatever host the request names
    app.router.redirect_slashes = False
    return app


def _reader_routes(readers: ReaderPages, guard: Guard) -> list[Route]:
    def post(handler: Callable[[Request, Form], Response]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            form = await guard.form(request)
            return await run_in_threadpool(handler, request, form)

        return endpoint

    return [
        Route("/", _get(readers.home)),
        Route("/", post(readers.subscribe), methods=["POST"]),
        Route("/confirm/{token}", _get(readers.show_confirm)),
        Route("/confirm/{token}", post(readers.confirm), methods=["POST"]),
        Route("/preferences/{token}", _get(readers.show_preferences)),
        Route("/preferences/{token}", post(readers.preferences), methods=["POST"]),
        Route("/unsubscribe/{token}", _get(readers.show_unsubscribe)),
        Route("/unsubscribe/{token}", post(readers.unsubscribe), methods=["POST"]),
        *(Route(_WISH.format(each), _get(readers.show_wish(each))) for each in WISHES),
        *(Route(_WISH.format(each), post(readers.wish(each)), methods=["POST"]) for each in WISHES),
    ]


def _public_routes(public: PublicPages) -> list[Route]:
    return [
        Route("/issues", _get(public.issues_without_slash)),
        Route("/issues/", _get(public.issues)),
        Route("/issues/{name}", _get(public.issue_without_slash)),
        Route("/issues/{name}/", _get(public.issue)),
        Route("/issues/{name}/previous", _get(public.previous)),
        Route("/issues/{name}/next", _get(public.next)),
        Route("/issues/{name}/{file_name}", _get(public.issue)),
        Route("/feed.atom", _get(public.atom)),
        Route("/feed.json", _get(public.json)),
        Route("/llms.txt", _get(public.llms)),
        Route("/reader.css", _get(public.stylesheet)),
        Route("/icon.svg", _get(public.icon)),
    ]


def _search_routes(search: SearchPage, get: Get) -> list[Route]:
    return [
        Route("/papers/search", get(search.show)),
        Route("/papers/search.{format}", get(search.export)),
    ]


def _list_routes(lists: ListPages, get: Get) -> list[Route]:
    return [
        Route("/papers", get(lists.newest)),
        *(Route(f"/papers.{each}", get(lists.newest)) for each in FORMATS),
        *(Route(f"/papers/trending.{each}", get(lists.trending)) for each in FORMATS),
        Route("/papers/", get(lists.to_newest)),
        Route("/papers/date/{day}", get(lists.day)),
        Route("/papers/week/{week}", get(lists.week)),
        Route("/papers/month/{month}", get(lists.month)),
        Route("/papers/trending", get(lists.trending)),
        *(Route(f"/{kind}/{{handle:path}}", get(lists.people(kind))) for kind in KINDS),
        Route("/papers/{paper_id}", get(lists.paper)),
    ]


def _insights_routes(page: InsightsPage, get: Get) -> list[Route]:
    return [
        Route("/insights", get(page.show)),
        Route("/insights/{name}.csv", get(page.csv)),
    ]


def _api_routes(api: HubApi, get: Get) -> list[Route]:
    answers = {
        "/api/daily_papers": api.daily_papers,
        "/api/papers/search": api.search,
        "/api/papers/{paper_id}": api.paper,
    }
    return [Route(path, get(answer)) for path, answer in answers.items()] + [
        Route(path, _get(preflight), methods=["OPTIONS"]) for path in answers
    ]


def _sitemap_routes(sitemap: Sitemap) -> list[Route]:
    return [
        Route("/robots.txt", _get(sitemap.robots)),
        Route("/sitemap.xml", _get(sitemap.index)),
        Route("/sitemap/{name}.xml", _get(sitemap.part)),
    ]


def _get(handler: Callable[[Request], Response]) -> Endpoint:
    """The handler in a thread: it may wait for the database or the disk."""

    async def endpoint(request: Request) -> Response:
        request.app.state.guard.admit_read(request)
        return await run_in_threadpool(handler, request)

    return endpoint


def _get_kept(answers: Answers, handler: Callable[[Request], Response]) -> Endpoint:
    """The handler in a thread, unless the same was answered a moment ago."""

    async def endpoint(request: Request) -> Response:
        request.app.state.guard.admit_read(request)
        if found := answers.find(request):
            return found
        publication = now_published(answers.published)
        answer = await run_in_threadpool(handler, request)
        answers.keep(request, answer, publication)
        return answer

    return endpoint


def _health(mailing: Mailing, archive: Archive) -> Response:
    """Whether the list can be read, and the newest issue, for a watcher to see if it grows old."""
    with mailing.read() as connection:
        connection.execute(text("select 1 from subscribers limit 1"))
    newest = next((name for name in archive.names() if name.endswith("-daily")), None)
    return JSONResponse({"status": "ok", "newest_issue": newest})


def _complaints(
    pages: Pages, headers: dict[str, str]
) -> dict[int | type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """What a reader sees when something is not right: one clear page, never a traceback."""

    def is_api(request: Request) -> bool:
        return request.url.path.startswith(f"{pages.base}/api/")

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  starlette asks by this very type
        heading, usual = _heading(request, error.status_code)
        sentence = error.detail if isinstance(error, Refusal) else usual
        if is_api(request):
            own = error.detail if isinstance(error, Refusal) else ""
            return complaint(own, error.status_code, error.headers)
        return pages.notice(heading, sentence, error.status_code, error.headers)

    async def bad_request(_request: Request, error: Exception) -> Response:
        return complaint(str(error), 400)

    async def bad_link(_request: Request, error: Exception) -> Response:
        return pages.notice("This link does not work", str(error), 400)

    async def not_possible(_request: Request, error: Exception) -> Response:
        return pages.notice("This cannot be done", str(error), 409)

    async def busy(_request: Request, error: Exception) -> Response:
        _log.error("%s", error)
        sentence = "The list is busy. Try again soon."
        return pages.notice("One moment", sentence, 503, {"Retry-After": "60"})

    async def broken(request: Request, _error: Exception) -> Response:
        # this answer is made outside of the middleware that adds the headers
        sentence = "It is not your fault, and it is in our log."
        if is_api(request):
            return complaint(f"Something broke here. {sentence}", 500, headers)
        return pages.notice("Something broke here", sentence, 500, headers)

    return {
        HTTPException: refused,
        BadRequestError: bad_request,
        TokenError: bad_link,
        RefusedError: not_possible,
        MailingError: busy,
        Exception: broken,
    }


def _heading(request: Request, status: int) -> tuple[str, str]:
    """What stands over a refusal, and what it says where it has no sentence of its own."""
    if status == HTTPStatus.BAD_REQUEST and request.method != "POST":
        return "The address cannot be read", ""
    return _HEADINGS.get(status, ("This did not work", ""))


_HEADINGS = {
    400: ("The form cannot be read", "Go back, and send it again from the page."),
    403: ("Not from here", ""),
    404: ("There is no page here", "The address may be incomplete, or the page may be gone."),
    405: ("Not this way", "This page takes no such request."),
    408: ("That took too long", ""),
    413: ("That is too much", ""),
    429: ("One moment", ""),
    503: ("One moment", ""),
}
