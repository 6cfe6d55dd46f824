"""An issue sent by several at once: each reader one message, whoever dies, pauses or differs."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import ValidationError
from sqlalchemy import delete, insert, select

from flows.deliver import deliver, deliver_along
from flows.errors import OperationError
from flows.issues.frozen import frozen_digest, issue_files, write_files
from flows.mail_setup import open_mailing, post
from flows.mailing import subscribers as people
from flows.mailing.csv_lines import import_csv
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import counts, find_issue, open_issue
from flows.mailing.letters import letters
from flows.mailing.recipients import Reader
from flows.mailing.rules import parse_rule
from flows.mailing.sending import SendReport
from flows.mailing.sent_log import SentLog
from flows.mailing.tables import deliveries, shared_issues, subscribers
from flows.mailing.transports import Connection, SmtpTransport
from flows.newsletter.digest import Digest, DigestPaper, Edition, Proof
from flows.settings import Settings
from flows.sources.feed_day import closes_at
from tests.support.fork_server import ForkServer
from tests.support.likeness import NOTHING_ALIKE
from tests.support.relay import Relay, StartRelay

FRIDAY = date(2026, 8, 14)
CONNECTIONS = 4  # what a sender opens by default
RULES = ["", "robots", "vision; language"]
WORDS = ("Robots", "Vision", "Language", "Tides")
KILLS = 12


@pytest.fixture(scope="module")
def senders() -> Iterator[ForkServer]:
    started = ForkServer("tests.support.shard_sender")
    yield started
    started.stop()


@dataclass
class Shards:
    """An issue of a day, a list in PostgreSQL, and a home for each of its senders."""

    folder: Path
    url: str
    relay: Relay
    server: ForkServer
    homes: dict[str, dict[str, str]] = field(default_factory=dict)
    day: date = FRIDAY
    _said: dict[str, Path] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def environment(self, name: str) -> dict[str, str]:
        """The settings of the home of this name, by which a sender finds everything."""
        if name not in self.homes:
            (self.folder / name).mkdir()
            self.homes[name] = {
                "PAPERS_HOME": str(self.folder / name),
                "PAPERS_MAILING_URL": self.url,
                "PAPERS_MAIL_URL": f"smtp://127.0.0.1:{self.relay.port}?tls=none",
                "PAPERS_MAIL_FROM": "Daily Papers <papers@papers.example.org>",
                "PAPERS_PUBLIC_URL": "https://papers.example.org",
                "PAPERS_SECRET_KEY": "the key of all hosts",
                "PAPERS_MAIL_SHARDS": "3",
            }
        return self.homes[name]

    def settings(self, name: str) -> Settings:
        given: dict[str, Any] = {
            variable.removeprefix("PAPERS_").lower(): value
            for variable, value in self.environment(name).items()
        }
        return Settings(**given)

    def make(self, day: date = FRIDAY) -> None:
        """Freeze the issue of this day in the home of the leader, and in no other."""
        self.day = day
        papers = tuple(
            DigestPaper(f"2608.0000{rank}", rank, f"{word} of {day}", "We look.", 9, 0)
            for rank, word in enumerate(WORDS, 1)
        )
        settings = self.settings("leader")
        digest = Digest(day, "daily", papers, Proof(4, 4, closes_at(day), 30))
        write_files(settings.issue_folder(day), issue_files(digest, settings))

    def start(self, do: str, name: str, others: int = 2) -> int:
        said = self._said[name] = self.folder / f"{name}.{next(self._numbers)}"
        return self.server.start(
            do=do,
            day=str(self.day),
            now=(closes_at(self.day) + timedelta(hours=1)).isoformat(),
            others=others,
            settings=self.environment(name),
            says=str(said),
        )

    def start_three(self) -> list[int]:
        leader = self.start("lead", "leader")
        return [leader, *(self.start("along", name) for name in ("second", "third"))]

    def said(self, name: str) -> str:
        return self._said[name].read_text(encoding="utf-8")


@pytest.fixture
def shards(postgres: str, tmp_path: Path, relay: Relay, senders: ForkServer) -> Shards:
    name = f"papers_{uuid4().hex}"
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        connection.execute(SQL("create database {}").format(Identifier(name)))
    return Shards(tmp_path, postgres % name, relay, senders)


@pytest.fixture
def mailing(shards: Shards) -> Iterator[Mailing]:
    with closing(open_mailing(shards.settings("leader"))) as opened:
        yield opened


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few readers be many pages, in this process."""
    monkeypatch.setattr("flows.mailing.ledger.PAGE", 20)
    monkeypatch.setattr("flows.mailing.shared.PAGE", 20)


def _join(mailing: Mailing, number: int) -> list[str]:
    addresses = [f"reader{n}@example.org" for n in range(number)]
    lines = [f"{address},{RULES[n % 3]}" for n, address in enumerate(addresses)]
    done = import_csv(mailing, ["address,include", *lines], now=closes_at(FRIDAY))
    assert done.is_done
    return addresses


def _states(mailing: Mailing, shards: Shards) -> dict[str, int]:
    issue = find_issue(mailing, "daily", shards.day)
    assert issue is not None
    return counts(mailing, issue)


def _issue_state(mailing: Mailing, shards: Shards) -> tuple[str, str]:
    issue = find_issue(mailing, "daily", shards.day)
    assert issue is not None
    return issue.state, issue.sentence


def _senders_of(mailing: Mailing) -> set[int]:
    with mailing.read() as connection:
        return {int(each) for each in connection.scalars(select(deliveries.c.claimed_by)) if each}


def _unknown(mailing: Mailing, shards: Shards) -> set[str]:
    query = (
        select(subscribers.c.address)
        .join(deliveries)
        .where(deliveries.c.state == "unknown", deliveries.c.issue_date == shards.day)
    )
    with mailing.read() as connection:
        return {str(address) for address in connection.scalars(query)}


@pytest.mark.parametrize("number", [1200, pytest.param(4000, marks=pytest.mark.torture)])
def test_three_at_once_send_each_reader_the_leaders_letter_once(
    mailing: Mailing, shards: Shards, relay: Relay, number: int
) -> None:
    addresses = _join(mailing, number)
    shards.make()
    shards.start_three()
    assert shards.server.wait() == [0] * 3
    assert relay.counts == dict.fromkeys(addresses, 1)
    assert _states(mailing, shards) == {"sent": number}
    assert shards.said("leader") == f"done: Sent to {number:,}."
    assert _issue_state(mailing, shards) == ("done", f"Sent to {number:,}.")
    for name in shards.homes:
        assert f"daily 2026-08-14 {number}" in (shards.folder / name / "mailed.log").read_text()
    assert len(_senders_of(mailing)) == 3

    settings = shards.settings("leader")
    issue = find_issue(mailing, "daily", FRIDAY)
    assert issue is not None
    digest = frozen_digest(settings.issue_folder(FRIDAY))
    compose = letters(digest, post(settings), NOTHING_ALIKE, sent_at=issue.created_at)
    rules = [parse_rule({"include": words}) for words in RULES]
    written = [compose(rule) for rule in rules]
    ours = {}
    with mailing.read() as connection:
        for row in connection.execute(select(subscribers)):
            which = int(row.address[6:].split("@")[0]) % 3
            letter = written[which]
            assert letter is not None
            reader = Reader(row.id, row.public_id, row.address, rules[which], row.rule_key)
            ours[row.address] = letter(reader)
    assert dict(relay.taken) == ours


@dataclass
class _Strike:
    """Kills a process at the step of this number that the relay sees."""

    after: int
    victim: int = 0
    is_ready: threading.Event = field(default_factory=threading.Event)
    is_done: bool = False
    _steps: int = 0

    def __call__(self) -> None:
        self._steps += 1
        if self._steps >= self.after and self.victim and not self.is_done:
            self.is_done = True
            os.kill(self.victim, signal.SIGKILL)


def _assert_each_has_one_or_a_doubt(
    mailing: Mailing, shards: Shards, relay: Relay, addresses: list[str]
) -> set[str]:
    """Nobody has two messages, and who has none is in doubt; those who are."""
    unknown = _unknown(mailing, shards)
    assert set(relay.counts.values()) == {1}
    assert set(addresses) - set(relay.counts) <= unknown
    expected = {"sent": len(addresses) - len(unknown), "unknown": len(unknown)}
    assert _states(mailing, shards) == {state: n for state, n in expected.items() if n}
    return unknown


@pytest.mark.parametrize("victim", [0, pytest.param(1, marks=pytest.mark.torture)])
def test_who_is_killed_on_the_way_leaves_a_doubt_a_connection_and_the_others_the_rest(
    mailing: Mailing, shards: Shards, relay: Relay, victim: int
) -> None:
    addresses = _join(mailing, 900)
    shards.make()
    relay.meanwhile = strike = _Strike(1200)
    strike.victim = shards.start_three()[victim]
    statuses = shards.server.wait()
    assert [os.WIFSIGNALED(status) for status in statuses] == [n == victim for n in range(3)]

    unknown = _assert_each_has_one_or_a_doubt(mailing, shards, relay, addresses)
    assert len(unknown) <= CONNECTIONS
    state, sentence = _issue_state(mailing, shards)
    assert (state, sentence.startswith(f"Sent to {900 - len(unknown)}")) == ("done", True)


@pytest.mark.torture
def test_whoever_is_killed_and_when_a_rerun_leaves_nobody_with_two_or_none(
    mailing: Mailing, shards: Shards, relay: Relay
) -> None:
    addresses = _join(mailing, 900)
    chance = random.Random(13)  # noqa: S311
    died = Counter[str]()
    for kill in range(KILLS):
        shards.make(FRIDAY + timedelta(days=kill))
        relay.taken.clear()
        doubts_most = 0
        # The leader, another, or one after the other, and then a rerun of all three.
        for victim in ([0], [1], [0, 2], [1, 2])[kill % 4]:
            relay.meanwhile = strike = _Strike(chance.randrange(2, 1500))
            strike.victim = shards.start_three()[victim]
            statuses = shards.server.wait()
            for number, status in enumerate(statuses):
                assert status == 0 or (number == victim and os.WIFSIGNALED(status))
                died[f"{number}"] += os.WIFSIGNALED(status)
            doubts_most += CONNECTIONS
        relay.meanwhile = None
        shards.start_three()
        assert shards.server.wait() == [0] * 3

        unknown = _assert_each_has_one_or_a_doubt(mailing, shards, relay, addresses)
        assert len(unknown) <= doubts_most
        assert _issue_state(mailing, shards)[0] == "done"
    assert sum(died.values()) > KILLS / 2, died


def test_a_pause_by_one_stops_all_and_its_sentence_counts_them_all(
    mailing: Mailing, shards: Shards, relay: Relay, start_relay: StartRelay
) -> None:
    _join(mailing, 1200)
    shards.make()
    refusing = start_relay()
    refusing.says("RCPT", *["451 4.7.1 not from this host"] * 2000)
    shards.environment("second")["PAPERS_MAIL_URL"] = f"smtp://127.0.0.1:{refusing.port}?tls=none"
    shards.environment("leader")["PAPERS_MAIL_PER_SECOND"] = "300"
    shards.start_three()
    assert shards.server.wait() == [0] * 3
    state, sentence = _issue_state(mailing, shards)
    now = _states(mailing, shards)
    assert state == "paused"
    assert sentence.startswith("Paused: 20 of 20 messages went wrong, the last: 451 4.7.1")
    assert f"Sent to {len(relay.taken):,}, " in sentence
    assert 0 < len(relay.taken) < 1000
    assert "claimed" not in now
    assert now["sent"] == len(relay.taken)
    assert shards.said("leader").startswith("paused: ")
    assert shards.said("third").startswith("paused: ")


def test_who_leaves_while_several_send_gets_nothing(
    mailing: Mailing, shards: Shards, relay: Relay
) -> None:
    addresses = _join(mailing, 650)
    shards.make()
    leaving = addresses[500:]
    ids = {who: person.public_id for who in leaving if (person := people.find(mailing, who))}
    had = set[str]()

    def leave() -> None:
        relay.meanwhile = None
        for public_id in ids.values():
            people.unsubscribe(mailing, public_id, now=closes_at(FRIDAY))
        had.update(relay.counts)

    relay.meanwhile = leave
    shards.start_three()
    assert shards.server.wait() == [0] * 3
    under_way = 3 * CONNECTIONS
    assert len(set(leaving) & set(relay.counts) - had) <= under_way
    assert set(addresses[:500]) <= set(relay.counts)
    assert set(relay.counts.values()) == {1}
    states = _states(mailing, shards)
    assert states["sent"] == len(relay.taken)
    assert sum(states.values()) + len(set(leaving) - _with_entry(mailing)) == 650
    assert _issue_state(mailing, shards)[0] == "done"


def _with_entry(mailing: Mailing) -> set[str]:
    query = select(subscribers.c.address).join(deliveries)
    with mailing.read() as connection:
        return {str(address) for address in connection.scalars(query)}


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("PAPERS_SECRET_KEY", "another key", "the first key of PAPERS_SECRET_KEY is another one"),
        ("PAPERS_SECRET_KEY", "another,the key of all hosts", "the first key of PAPERS_SECRET_KEY"),
        ("PAPERS_MAIL_FROM", "papers@elsewhere.example.org", "PAPERS_MAIL_FROM is another one"),
        ("PAPERS_PUBLIC_URL", "https://elsewhere.example.org", "PAPERS_PUBLIC_URL is another one"),
        ("PAPERS_MAIL_URL", "files", "PAPERS_MAIL_URL names no relay"),
    ],
)
@pytest.mark.usefixtures("small_pages")
def test_who_would_send_other_letters_sends_none_and_says_which_setting_differs(
    mailing: Mailing, shards: Shards, relay: Relay, setting: str, value: str, said: str
) -> None:
    _join(mailing, 45)
    shards.make()
    refused = list[str]()

    def start_one(*_: object) -> int:
        shards.environment("second")[setting] = value
        with pytest.raises(OperationError) as raised:
            deliver_along(mailing, shards.settings("second"), "daily", FRIDAY)
        refused.append(str(raised.value))
        return 1

    assert _lead(mailing, shards, start_one).sentence == "Sent to 45."
    assert refused[0].startswith(f"Nothing is sent from here: {said}")
    assert "papers.env" in refused[0]
    assert "key of all hosts" not in refused[0]
    assert len(relay.taken) == 45
    assert len(_senders_of(mailing)) == 1
    with mailing.read() as connection:
        assert not connection.execute(select(shared_issues)).all()


def _lead(
    mailing: Mailing, shards: Shards, start_others: Callable[[Edition, date, int], int]
) -> SendReport:
    """Lead the issue in this process, with others that the test starts."""
    settings = shards.settings("leader")
    now = closes_at(shards.day) + timedelta(hours=1)
    folder = settings.issue_folder(shards.day)
    return deliver(mailing, folder, settings, now, start_others=start_others)


@pytest.mark.usefixtures("small_pages")
def test_another_version_is_told_by_a_letter_to_nobody(mailing: Mailing, shards: Shards) -> None:
    _join(mailing, 45)
    shards.make()

    def start_one(*_: object) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("flows.mailing.letters.UNSUBSCRIBE_WORD", "leave")
            with pytest.raises(OperationError, match="Install the same version on all hosts"):
                deliver_along(mailing, shards.settings("second"), "daily", FRIDAY)
        return 1

    assert _lead(mailing, shards, start_one).sentence == "Sent to 45."


@pytest.mark.usefixtures("small_pages")
def test_no_more_are_started_than_there_are_pages_and_none_without_a_pool_or_a_relay(
    mailing: Mailing, shards: Shards
) -> None:
    asked = list[int]()

    def start_none(_edition: str, _day: date, count: int) -> int:
        asked.append(count)
        return 0

    for day, readers, expected in ((0, 20, []), (1, 41, [2]), (2, 90, [2, 2])):
        _join(mailing, readers)
        shards.make(FRIDAY + timedelta(days=day))
        assert _lead(mailing, shards, start_none).sentence == f"Sent to {readers}."
        assert asked == expected
    shards.environment("leader")["PAPERS_MAIL_URL"] = "files"
    shards.make(FRIDAY + timedelta(days=3))
    assert _lead(mailing, shards, start_none).sentence == "Sent to 90."
    assert len(asked) == 2


@pytest.mark.usefixtures("small_pages")
def test_each_of_three_takes_a_third_of_the_relays_limit(
    mailing: Mailing, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    _join(mailing, 45)
    shards.make()
    paces = set[float]()
    monkeypatch.setattr("flows.mailing.sender.Sender._pace", lambda _, rate: paces.add(rate))
    shards.environment("leader")["PAPERS_MAIL_PER_SECOND"] = "9"
    others = list[SendReport | None]()

    def start_two(*_: object) -> int:
        others.append(deliver_along(mailing, shards.settings("second"), "daily", FRIDAY))
        return 2

    assert _lead(mailing, shards, start_two).sentence == "Sent to 45."
    assert paces == {3.0}
    assert others[0] is not None
    assert others[0].sentence == "45 messages tried from here. Sent to 45."


@pytest.mark.usefixtures("small_pages")
def test_senders_may_share_a_home(mailing: Mailing, shards: Shards, relay: Relay) -> None:
    addresses = _join(mailing, 45)
    shards.make()

    def send_along() -> None:
        deliver_along(mailing, shards.settings("leader"), "daily", FRIDAY)

    threads = [threading.Thread(target=send_along) for _ in range(2)]

    def start_two(*_: object) -> int:
        for thread in threads:
            thread.start()
        return 2

    report = _lead(mailing, shards, start_two)
    for thread in threads:
        thread.join()
    assert report.sentence == "Sent to 45."
    assert _issue_state(mailing, shards) == ("done", "Sent to 45.")
    assert relay.counts == dict.fromkeys(addresses, 1)


@pytest.mark.usefixtures("small_pages")
def test_who_comes_when_the_leader_is_over_or_dead_sends_nothing(
    mailing: Mailing, shards: Shards, relay: Relay
) -> None:
    _join(mailing, 45)
    shards.make()
    assert deliver_along(mailing, shards.settings("second"), "daily", FRIDAY) is None
    kept = list[dict[str, Any]]()

    def keep(*_: object) -> int:
        with mailing.read() as connection:
            kept.extend(dict(row._mapping) for row in connection.execute(select(shared_issues)))
        raise RuntimeError("the leader meets a bug")

    with pytest.raises(RuntimeError):
        _lead(mailing, shards, keep)
    assert deliver_along(mailing, shards.settings("second"), "daily", FRIDAY) is None
    with mailing.write() as connection:  # as kill -9 leaves it
        connection.execute(delete(shared_issues))
        connection.execute(insert(shared_issues).values(kept[0]))
    assert deliver_along(mailing, shards.settings("second"), "daily", FRIDAY) is None
    assert relay.taken == []
    assert _lead(mailing, shards, lambda *_: 0).sentence == "Sent to 45."


@pytest.mark.usefixtures("small_pages")
def test_who_ends_last_ends_the_issue_also_when_the_leader_did_not_wait(
    mailing: Mailing,
    shards: Shards,
    relay: Relay,
    start_relay: StartRelay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _join(mailing, 45)
    shards.make()
    monkeypatch.setattr("flows.mailing.sending._PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("flows.mailing.sending._LOOK_SECONDS", 0.1)
    slow = start_relay()
    shards.environment("second")["PAPERS_MAIL_URL"] = f"smtp://127.0.0.1:{slow.port}?tls=none"
    is_begun, may_go_on = threading.Event(), threading.Event()

    open_now = SmtpTransport.open

    def open_late(self: SmtpTransport) -> Connection:
        if self.port == slow.port:
            is_begun.set()
            assert may_go_on.wait(60)
        return open_now(self)

    monkeypatch.setattr(SmtpTransport, "open", open_late)
    others = list[SendReport | None]()

    def send_along() -> None:
        others.append(deliver_along(mailing, shards.settings("second"), "daily", FRIDAY))

    thread = threading.Thread(target=send_along)

    def start_one(*_: object) -> int:
        thread.start()
        assert is_begun.wait(30)
        return 1

    report = _lead(mailing, shards, start_one)
    assert report.issue.state == "sending"
    assert report.sentence.endswith(" claimed.")
    may_go_on.set()
    thread.join()
    assert others[0] is not None
    assert _issue_state(mailing, shards) == ("done", "Sent to 45.")
    with mailing.read() as connection:
        assert not connection.execute(select(shared_issues)).all()


@pytest.mark.usefixtures("small_pages")
def test_a_home_whose_log_knows_more_than_the_ledger_pauses_the_issue(
    mailing: Mailing, shards: Shards, relay: Relay
) -> None:
    _join(mailing, 45)
    shards.make()
    log = SentLog(Path(shards.environment("second")["PAPERS_HOME"]) / "mailed.log")
    log.begin(is_new=True)
    issue = open_issue(mailing, "daily", FRIDAY, due_at=closes_at(FRIDAY), now=closes_at(FRIDAY))
    log.note(issue, 30)

    def start_one(*_: object) -> int:
        with pytest.raises(OperationError, match="restored from a backup"):
            deliver_along(mailing, shards.settings("second"), "daily", FRIDAY)
        return 1

    report = _lead(mailing, shards, start_one)
    assert (report.is_blocked, report.issue.state) == (True, "paused")
    assert "restored from a backup" in report.sentence
    assert relay.taken == []


@pytest.mark.usefixtures("small_pages")
def test_without_the_leaders_publication_who_names_papers_is_left_to_others(
    mailing: Mailing, shards: Shards, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = _join(mailing, 45)
    rule = parse_rule({"like": "2608.00001"})
    for name in ("ada", "bo"):
        people.add(mailing, f"{name}@example.org", rule=rule, now=closes_at(FRIDAY))
    shards.make()
    leader = shards.settings("leader")
    monkeypatch.setattr(
        "flows.deliver.published_at", lambda settings: str(settings.home == leader.home)
    )
    monkeypatch.setattr("flows.deliver.published_likeness", lambda _settings: NOTHING_ALIKE)
    had = set[str]()

    def start_one(*_: object) -> int:
        report = deliver_along(mailing, shards.settings("second"), "daily", FRIDAY)
        assert report is not None
        assert report.issue.state == "sending"
        had.update(relay.counts)
        return 1

    report = _lead(mailing, shards, start_one)
    assert had == set(addresses)
    assert report.issue.state == "done"
    assert _with_entry(mailing) == {*addresses, "ada@example.org", "bo@example.org"}


def test_several_senders_need_a_list_that_several_hosts_reach(own_home: Path) -> None:
    postgresql = "postgresql://papers@db/mailing"
    assert Settings(home=own_home, mailing_url=postgresql, mail_shards=3).mail_shards == 3
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "PAPERS_MAILING_URL"),
        ({"mailing_url": "sqlite:///x"}, "PAPERS_MAILING_URL"),
        ({"mailing_url": postgresql, "state_url": "x"}, "PAPERS_STATE_URL"),
    )
    for given, said in wrong:
        with pytest.raises(ValidationError, match=said):
            Settings(home=own_home, mail_shards=3, **given)
    assert Settings(home=own_home).mail_shards == 1
