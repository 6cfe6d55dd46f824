"""The public pages as files: the server's own, linked under any path, searched in the page."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

import duckdb
import html5lib
import pytest
from playwright.sync_api import Browser

from flows.publication.kept_open import KeptOpen
from flows.publication.people import KINDS, handles
from flows.publication.published import opened
from flows.search.find import Question, find
from flows.settings import Settings
from flows.site.addresses import _is_name_of_a_folder, named_pages
from flows.site.folder import MANIFEST, SiteReport, write_site
from flows.site.links import file_of, folder_of, with_relative_links
from flows.sources.sample.days import items_at
from tests.support import browser
from tests.support.browser import violations
from tests.support.console import Papers
from tests.support.dbt_build import Warehouse
from tests.support.publishing import publish_built
from tests.support.search_publication import index, paper, publish
from tests.support.site import serving

DAYS = [date(2026, 8, day) for day in (10, 11, 12, 13, 14)]


def _read(warehouse: Warehouse, day: date, hours: float, count: int) -> None:
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
    items = items_at(day, at, count)
    for item in items[::3]:  # somebody who has many papers
        item["paper"]["authors"][0] = {"name": "Ana Maria Rivera-Ito", "hidden": False}
        item["submittedBy"] = item["submittedBy"] | {"name": "curator"}
        item["paper"]["submittedOnDailyBy"] = item["submittedBy"]
    warehouse.read(f"{at:%F %H:%M}", items, day=str(day), verdict="complete")


def _write(home: Path, folder: Path) -> SiteReport:
    return write_site(Settings(home=home, embedding_model="none"), folder, lambda things, _: things)


@dataclass(frozen=True)
class Written:
    """A home, and the folder that its pages were written into."""

    home: Path
    folder: Path

    @property
    def files(self) -> set[str]:
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    home = tmp_path_factory.mktemp("home")
    warehouse = Warehouse(home, home / "warehouse.duckdb")
    for day in DAYS:
        _read(warehouse, day, 27, 20)
    publish_built(warehouse, Settings(home=home, embedding_model="none"))
    folder = tmp_path_factory.mktemp("top") / "sub"
    _write(home, folder)
    return Written(home, folder)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url(written: Written) -> Iterator[str]:
    """The folder served under a path, as a code host does it."""
    handler = partial(_Quiet, directory=str(written.folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/sub"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def _links(page: str) -> list[str]:
    found = re.findall(r'\b(?:href|src|action)="([^"]*)"', page)
    return [unescape(each) for each in found]


def test_every_link_leads_to_a_file_of_the_folder(written: Written) -> None:
    files, count = written.files, 0
    for name in sorted(files):
        if not name.endswith(".html"):
            continue
        here = f"http://host/sub/{quote(name.removesuffix('index.html'))}"
        for link in _links((written.folder / name).read_text()):
            place = urlsplit(urljoin(here, link))
            if place.netloc != "host":
                continue
            path = unquote(place.path)
            if name == "404.html" and link.startswith("/"):
                path = f"/sub{path}" + ("" if "." in path or path == "/" else "/")
            assert path.startswith("/sub/"), f"{name} leads out by {link}"
            path = path.removeprefix("/sub/")
            assert path + ("index.html" if path.endswith("/") or not path else "") in files, link
            count += 1
    assert count > 1000


def test_who_has_many_papers_has_a_page_and_others_are_searched_for(written: Written) -> None:
    with opened(written.home / "published" / "papers.duckdb") as connection:
        pages = named_pages(connection)
        authors = connection.execute(
            "select distinct author_name from marts.paper_authors"
            " where hub_user is null and not is_hidden"
        ).fetchall()
    assert {kind for kind, _ in pages} == set(KINDS)
    assert min(count for (kind, _), count in pages.items() if kind != "organizations") >= 10
    with serving(Settings(home=written.home, embedding_model="none")) as server:
        titles = re.compile(r"<h2><a [^>]*>([^<]*)")
        for kind, handle in [min(page for page in pages if page[0] == kind) for kind in KINDS]:
            address = f"/{kind}/{quote(handle, safe='')}"
            here = (written.folder / file_of(address)).read_text()
            assert titles.findall(here) == titles.findall(server.get(address).text) != []
            assert (written.folder / file_of(f"{address}.atom")).exists()
    everywhere = " ".join((written.folder / name).read_text() for name in written.files
                          if re.fullmatch(r"papers/\d{4}\.\d+/index\.html", name))  # fmt: skip
    rare = [name for (name,) in authors if ("authors", name) not in pages]
    assert rare
    assert all(f"search/?q=%22{quote(name, safe='')}%22" in everywhere for name in rare)
    with_pages = [quote(quote(handle, safe="")) for kind, handle in pages if kind == "keywords"]
    assert all(f"keywords/{handle}/" in everywhere for handle in with_pages)
    named = [name for name in written.files if name.split("/")[0] in KINDS[1:]]
    assert len(named) < len(written.files) / 2, "pages of names must not be most of the site"


@pytest.mark.parametrize("handle", ["..", ".", "agent.json", "a.md"])
def test_a_name_that_cannot_be_a_folder_has_no_page(handle: str, tmp_path: Path) -> None:
    index(tmp_path, [paper(f"2608.0000{n}", ai_keywords=[handle, "agents"]) for n in range(6)])
    with duckdb.connect(str(publish(tmp_path))) as connection:
        found = handles(connection, "keywords", 5)
        assert set(found) == {handle, "agents"}
        assert [name for name in found if _is_name_of_a_folder(name)] == ["agents"]


def test_each_list_is_the_servers_in_its_order(written: Written) -> None:
    ids = re.compile(r'<li class="card".*?<h2><a href="[^"]*?([^"/]+)/?">', re.DOTALL)
    with serving(Settings(home=written.home, embedding_model="none")) as server:
        for address in ("/papers", "/papers/date/2026-08-13", "/papers/week/2026-W33"):
            there = ids.findall(server.get(address).text)
            here = ids.findall((written.folder / file_of(address)).read_text())
            assert here == there
            assert len(here) >= 20
        paper = there[0]
        bib = server.get(f"/papers/{paper}.bib").content
    assert (written.folder / "papers" / f"{paper}.bib").read_bytes() == bib


def test_pages_are_valid_and_only_search_has_a_script(written: Written) -> None:
    for name in written.files:
        if name.endswith(".html"):
            page = (written.folder / name).read_text()
            if name.count("2608.") == 0 or name < "papers/2608.2":
                html5lib.HTMLParser(strict=True).parse(page)
            assert ("<script" in page) is (name == "papers/search/index.html"), name
            assert "default-src 'none'; script-src 'self'" in page
            assert "as_of=" not in page


def test_a_second_time_only_what_changed_is_written_and_what_is_gone_removed(
    tmp_path: Path,
) -> None:
    warehouse = Warehouse(tmp_path, tmp_path / "warehouse.duckdb")
    _read(warehouse, DAYS[0], 27, 4)
    _read(warehouse, DAYS[1], 27, 4)
    publish_built(warehouse, Settings(home=tmp_path, embedding_model="none"))
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / ".git").mkdir()
    first = _write(tmp_path, folder)
    assert first.written_count == first.file_count > 20
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert _write(tmp_path, folder) == SiteReport(first.file_count, 0, 0)
    (folder / MANIFEST).write_text("[]")  # as a first call leaves it that is killed
    assert _write(tmp_path, folder) == SiteReport(first.file_count, 0, 0)
    (folder / "CNAME").write_text("papers.example.org")

    warehouse.execute("delete from raw.readings where list_date = ?", DAYS[1])
    warehouse.execute("delete from raw.items where list_date = ?", DAYS[1])
    warehouse.stale.add(DAYS[1])
    publish_built(warehouse, Settings(home=tmp_path, embedding_model="none"))
    after = _write(tmp_path, folder)
    assert after.removed_count > 4
    assert not (folder / "papers" / "date" / str(DAYS[1])).exists()
    assert (folder / "papers" / "date" / str(DAYS[0]) / "index.html").exists()
    assert (folder / "CNAME").read_text() == "papers.example.org"
    icon = folder / "icon.svg"
    assert icon.stat().st_mtime_ns == stamps[icon]
    assert set(json.loads((folder / MANIFEST).read_text())) == {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    } - {MANIFEST, "CNAME"}


@pytest.mark.parametrize(
    ("address", "file", "link"),
    [
        ("/", "index.html", ""),
        ("/papers/date/2026-08-20", "papers/date/2026-08-20/index.html", "papers/date/2026-08-20/"),
        ("/papers/2608.12313.bib", "papers/2608.12313.bib", "papers/2608.12313.bib"),
        ("/organizations/A%2FB%20Lab", "organizations/A%2FB%20Lab/index.html",
         "organizations/A%252FB%2520Lab/"),
        ("/organizations/vis.js", "organizations/vis.js/index.html", "organizations/vis.js/"),
        ("/organizations/Lab?p=2", "organizations/Lab/p2/index.html", "organizations/Lab/p2/"),
    ],
)  # fmt: skip
def test_an_address_has_its_place(address: str, file: str, link: str) -> None:
    assert (file_of(address), folder_of(address)) == (file, link)


def test_a_name_too_long_for_a_file_system_is_cut_and_stays_its_own() -> None:
    names = [quote("研究" * 20 + end, safe="") for end in "ab"]
    files = {file_of(f"/organizations/{name}{dot}") for name in names for dot in ("", ".atom")}
    assert len(files) == 4
    assert all(len(part) < 255 for file in files for part in file.split("/"))
    page, feed = (file_of(f"/organizations/{names[0]}{dot}") for dot in ("", ".atom"))
    assert page.removesuffix("/index.html") == feed.removesuffix(".atom")


def test_links_are_relative_to_where_the_page_lies() -> None:
    page = '<a href="/papers"></a><a href="?p=0"></a><a href="https://arxiv.org/"></a>'
    here = "/organizations/Lab?p=1"
    assert with_relative_links(page, here) == (
        '<a href="../../../papers/"></a><a href="../../../organizations/Lab/"></a>'
        '<a href="https://arxiv.org/"></a>'
    )
    assert with_relative_links('<a href="/"></a>', "/") == '<a href="./"></a>'


def _questions(home: Path) -> list[str]:
    with opened(home / "published" / "papers.duckdb") as connection:
        rows = connection.execute(
            "select title, abstract, author_names[1], paper_id from marts.papers order by paper_id"
        ).fetchall()
        words = connection.execute(
            "select word from search.words where length(word) > 7 order by hash(word) limit 20"
        ).fetchall()
    asked = [title for title, *_ in rows[::9]]
    asked += [" ".join(abstract.split()[4:9]) for _, abstract, *_ in rows[::11]]
    asked += [author for _, _, author, _ in rows[::25]]
    asked += [f"https://arxiv.org/abs/{rows[3][3]}v2", "atten*", "Modèle multilingual", "the of"]
    for (word,) in words:
        exchanged = f"{word[:3]}{word[4]}{word[3]}{word[5:]}"
        asked += [word, f"{word[:4]}{word[5:]}", f"{word[:5]}*", exchanged]
        asked += [f"{word}ing models", f"language{word}"]
    return [*asked, "large language model", "llm agents", "languagemodel", "3d scene"]


def test_search_in_the_page_finds_what_the_server_finds_by_words(
    written: Written, url: str, chromium: Browser
) -> None:
    page = chromium.new_page()
    page.goto(f"{url}/papers/search/")
    odd = "Łukasz ĐURIĆ Søren weiß Æon œuvre Ténèbres"
    assert page.evaluate("plain", odd) == "lukasz duric soren weiss aeon oeuvre tenebres"
    asked = _questions(written.home)
    assert len(asked) > 140
    found = {}
    for text in asked:
        found[text] = page.evaluate(
            "async (text) => (await search_papers(text)).hits.slice(0, 50)"
            ".map((hit) => [hit.paper_id, hit.score])",
            text,
        )
    page.close()
    different, hit_count = [], 0
    with KeptOpen(written.home / "published" / "papers.duckdb").opened() as connection:
        for text in asked:
            rows = connection.execute(
                "select paper_id, score from search_papers(?, most := 50)", [text]
            ).fetchall()
            hit_count += len(rows)
            here = [(paper_id, pytest.approx(score)) for paper_id, score in found[text]]
            if sorted(rows) != sorted(here):
                different.append((text, rows[:3], found[text][:3]))
    assert hit_count > 1000
    assert different == []


def test_a_word_with_a_minus_leaves_its_papers_out(
    written: Written, url: str, chromium: Browser
) -> None:
    page = chromium.new_page()
    page.goto(f"{url}/papers/search/")
    ids = "async (text) => (await search_papers(text)).hits.map((hit) => hit.paper_id)"
    both, without = (set(page.evaluate(ids, text)) for text in ("agents", "agents -science"))
    with opened(written.home / "published" / "papers.duckdb") as connection:
        hits = find(connection, Question("agents -science", most=1000))
    for asked, said in (
        ("evaluation AND robots", "AND is not known here: any of the words is enough."),
        ("evaluation OR robots", "Leave OR out: any of the words is enough."),
        ("agents NOT robots", "Write -word in place of NOT word."),
        ("robots a*", "A star must end a word of two letters or more, as in agent*."),
        ("robo*ts", "A star must end a word of two letters or more, as in agent*."),
    ):
        page.goto(f"{url}/papers/search/?{urlencode({'q': asked})}")
        page.get_by_text(said).wait_for()
        assert (page.locator("#found li").count() > 0) is (" AND " in asked)
    page.goto(f"{url}/papers/search/?q=zzzzqqqq")
    page.get_by_text("0 papers. Try fewer words or another spelling.").wait_for()
    page.close()
    # The server looks for the very word, agent or agents; the page for its stem, agentic too.
    assert {hit.paper_id for hit in hits} <= without
    assert 0 < len(hits) <= len(without) < len(both)


@pytest.mark.parametrize("left_out", ['-"language models"', "-long-horizon", "-robo*"])
def test_what_is_left_out_of_a_phrase_needs_all_its_words(
    written: Written, url: str, chromium: Browser, left_out: str
) -> None:
    page = chromium.new_page()
    page.goto(f"{url}/papers/search/")
    ids = "async (text) => (await search_papers(text)).hits.map((hit) => hit.paper_id)"
    both, without = (set(page.evaluate(ids, text)) for text in ("agents", f"agents {left_out}"))
    page.close()
    query = """
        select paper_id from marts.papers
        where regexp_matches(
            lower(concat_ws(
                ' ', title, abstract, ai_summary, organization_name,
                array_to_string(ai_keywords, ' '), array_to_string(author_names, ' ')
            )),
            ?
        )
    """
    words = re.findall(r"\w+", left_out)
    having = []
    with opened(written.home / "published" / "papers.duckdb") as connection:
        for word in words:
            pattern = rf"\b{word}" if "*" in left_out else rf"\b{word.removesuffix('s')}s?\b"
            having.append({row[0] for row in connection.execute(query, [pattern]).fetchall()})
    assert both - without == both & set.intersection(*having)


def test_a_question_in_the_address_is_answered_in_words_and_cards(
    written: Written, url: str, chromium: Browser
) -> None:
    with opened(written.home / "published" / "papers.duckdb") as connection:
        expected = [hit.title for hit in find(connection, Question("multilingual", most=50))]
    page = chromium.new_page()
    page.goto(f"{url}/papers/")
    page.get_by_label("Search all papers").fill("multilingaul")
    page.keyboard.press("Enter")
    page.locator("#found h2").first.wait_for()
    said = page.get_by_role("status").inner_text()
    assert "“multilingaul” was taken for “multilingual”." in said
    assert page.locator("#found h2").all_inner_texts() == expected
    found = violations(page, "search")
    page.locator("#found h2 a").first.click()
    assert page.locator("h1").inner_text() == expected[0]
    found += violations(page, "paper")
    page.goto(f"{url}/papers/search/?q=the+of")
    page.get_by_text("There is no word here").wait_for()
    page.close()
    assert found == []


def test_the_command_says_what_it_wrote_and_what_stops_it(
    own_home: Path,
    written: Written,
    monkeypatch: pytest.MonkeyPatch,
    papers: Papers,
    tmp_path: Path,
) -> None:
    code, _, said = papers("site", str(tmp_path / "new"))
    assert (code, "Nothing is published yet" in said) == (1, True)
    assert not (tmp_path / "new").exists()
    code, _, said = papers("site", "")
    assert (code, "The name of the folder is empty" in said) == (2, True)
    monkeypatch.setenv("PAPERS_HOME", str(written.home))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    code, _, said = papers("site", str(other))
    assert (code, "holds files that `papers site` did not write" in said) == (2, True)
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]
    code, _, said = papers("site", str(other / "thesis.tex"))
    assert (code, "is no folder" in said) == (2, True)
    code, _, said = papers("site", str(other / "thesis.tex" / "sub"))
    assert code == 2
    assert re.search(r"cannot be written: .*; name another folder\.", said)
    code, told, said = papers("site", str(written.folder))
    assert code == 0
    assert re.search(r"[\d,]+ files: 0 written", told)
    assert "The feeds name http://localhost:8080: set PAPERS_PUBLIC_URL" in said


def _interrupted(written: Written, folder: Path, there: str) -> None:
    """Stop `papers site` once this file is there; one word is said, and a second call goes on."""
    environment = os.environ | {"PAPERS_HOME": str(written.home), "PAPERS_EMBEDDING_MODEL": "none"}
    began = subprocess.Popen(
        [sys.executable, "-m", "flows", "site", str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (folder / there).exists() and began.poll() is None:
        time.sleep(0.01)
    os.killpg(began.pid, signal.SIGINT)  # a terminal sends it to every process
    _, said = began.communicate(timeout=120)
    assert (began.returncode, said) == (130, "Interrupted.\n")
    _write(written.home, folder)
    assert {str(p.relative_to(folder)) for p in folder.rglob("*.html")} == {
        name for name in written.files if name.endswith(".html")
    }


def test_ctrl_c_ends_it_with_one_word_and_the_same_command_goes_on(
    written: Written, tmp_path: Path
) -> None:
    _interrupted(written, tmp_path / "site", "papers/search/words.json")


@pytest.mark.torture
@pytest.mark.parametrize("there", [MANIFEST, ".nojekyll"])
def test_ctrl_c_at_the_first_file_and_at_one_of_the_last_is_as_good(
    written: Written, tmp_path: Path, there: str
) -> None:
    _interrupted(written, tmp_path / "site", there)
