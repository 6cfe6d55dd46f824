"""The pages in a browser: what axe-core finds, what a keyboard can do, what is loaded."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from flows.mailing.rules import Rule
from flows.mailing.subscribers import subscribe, unsubscribe
from flows.mailing.tokens import Purpose
from tests.support import browser
from tests.support.browser import violations
from tests.web.conftest import NOW, Web


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def _pages(web: Web) -> dict[str, str]:
    """Every page by name, as a path."""
    ana, gone = web.add(), web.add("gone@example.org")
    unsubscribe(web.mailing, gone.public_id, now=NOW)
    new = subscribe(web.mailing, "new@example.org", rule=Rule(), now=NOW)
    assert new
    return {
        "front page": "/",
        "confirm": web.path(Purpose.CONFIRM, new),
        "confirmed already": web.path(Purpose.CONFIRM, ana),
        "preferences": web.path(Purpose.PREFERENCES, ana),
        "preferences of who left": web.path(Purpose.PREFERENCES, gone),
        "unsubscribe": web.path(Purpose.UNSUBSCRIBE, ana),
        "left": web.path(Purpose.UNSUBSCRIBE, gone),
        "archive": "/issues/",
        "issue": "/issues/2026-08-20-daily/",
        "no such page": "/nowhere",
    }


def test_axe_finds_no_violation_on_any_page_and_nothing_comes_from_elsewhere(
    web: Web, chromium: Browser
) -> None:
    paths = _pages(web)
    page = chromium.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    found = []
    for name, path in paths.items():
        page.goto(f"{web.url}{path}")
        found += violations(page, name)
    page.close()
    assert found == []
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(web.url).netloc}
    assert all("404" in line for line in said), said


def test_axe_finds_no_violation_in_the_answers_to_forms(web: Web, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(web.url)
    page.get_by_text("Choose topics").click()
    page.get_by_label("Words to include").fill("x" * 101)
    page.get_by_label("How many papers").fill("ten")
    page.get_by_label("Your mail address").fill("ana@example")
    page.get_by_role("button", name="Subscribe").first.click()
    assert page.get_by_label("Words to include").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "address"
    found = violations(page, "front page with problems")

    page.get_by_label("Words to include").fill("robots")
    page.get_by_label("How many papers").fill("10")
    page.get_by_label("Your mail address").fill("ana@example.org")
    page.get_by_role("button", name="Subscribe").first.click()
    found += violations(page, "asked")

    _, text = web.mail()
    page.goto(next(word for word in text.split() if word.startswith("http")))
    page.get_by_role("button").click()
    found += violations(page, "confirmed")
    page.get_by_role("link", name="Choose topics").click()
    page.get_by_role("button", name="Rehearse").click()
    assert page.get_by_role("status").inner_text() == "This is a rehearsal; nothing is saved."
    found += violations(page, "rehearsed")
    page.get_by_label("Minimum upvotes").fill("many")
    page.get_by_role("button", name="Save").click()
    found += violations(page, "preferences with problems")
    page.get_by_role("link", name="Unsubscribe").click()
    page.get_by_role("button").click()
    found += violations(page, "left")
    page.close()
    assert found == []
    assert web.state() == "unsubscribed"


def test_a_keyboard_without_javascript_subscribes_chooses_and_leaves(
    web: Web, chromium: Browser
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(web.url)
    _tab_to(page, "Your mail address")
    page.keyboard.type("ana@example.org")
    _tab_to(page, "Choose topics")
    page.keyboard.press("Enter")
    _tab_to(page, "Words to include")
    page.keyboard.type("robots, maps")
    _tab_to(page, "Subscribe")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Look into your mail").wait_for()

    _, text = web.mail()
    page.goto(next(word for word in text.split() if word.startswith("http")))
    _tab_to(page, "Yes, send me Daily Papers")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="You are on the list").wait_for()
    assert web.state() == "active"
    assert web.known().rule.include == ("robots", "maps")

    page.goto(f"{web.url}{web.path(Purpose.UNSUBSCRIBE, web.known())}")
    _tab_to(page, "Unsubscribe")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You have left").wait_for()
    context.close()
    assert web.state() == "unsubscribed"


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus has this name."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in focused.aria_snapshot():
            return
    raise AssertionError(f"Tab never came to “{name}”")
