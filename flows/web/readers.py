"""The pages of one reader: subscribe, confirm, choose, rehearse, pause, leave."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from flows import clock
from flows.mailing.addresses import AddressError, parse_address
from flows.mailing.database import Mailing
from flows.mailing.rehearsal import Rehearsal
from flows.mailing.rules import RULE_FIELDS, Rule, RuleError, liking, parse_rule, unliking
from flows.mailing.subscribers import (
    RefusedError,
    Subscriber,
    choose_for,
    confirm,
    find_public,
    pause,
    unsubscribe,
)
from flows.mailing.tables import EDITIONS
from flows.mailing.tokens import Purpose, Tokens
from flows.publication.kept_open import KeptOpen
from flows.publication.lists import DayList, calendar, day_list, newest_list_date
from flows.publication.paper_page import title_of
from flows.publication.published import NotPublishedError
from flows.sources.hub_item import canonical_id
from flows.warehouse.database import WarehouseBusyError
from flows.web.archive import Archive
from flows.web.guard import FormKeys, Guard, Refusal, reading_published
from flows.web.limits import Buckets
from flows.web.mail_history import DAYS, DayOfMail, mail_history
from flows.web.pages import Pages
from flows.web.postman import Postman
from flows.web.rehearsal import Rehearser

Form = Mapping[str, str]
_PAUSE_MAX = timedelta(days=366)
WISHES = {"like": ("More", liking), "unlike": ("Less", unliking)}
"""What the links beside a paper in a mail ask for, by the first part of their address."""


@dataclass(frozen=True)
class _Answers:
    """What a form held: the rule, unless fields have problems."""

    fields: Form
    rule: Rule | None
    problems: Mapping[str, str]


@dataclass(frozen=True)
class ReaderPages:
    """The pages, each a function of the request and, where it posts, of the form in it."""

    mailing: Mailing
    pages: Pages
    tokens: Tokens
    archive: Archive
    rehearser: Rehearser
    postman: Postman
    guard: Guard
    form_keys: FormKeys
    mails_to_address: Buckets
    published: KeptOpen

    def home(self, request: Request) -> Response:
        """The front page: what this is, the form, the newest issue."""
        return self._home(request, _chosen(Rule()))

    def subscribe(self, request: Request, form: Form) -> Response:
        """Ask the address whether it wants this; the answer is the same for every address."""
        answers = _answers(form)
        if not self.form_keys.fits(request, form.get(FormKeys.field_name, "")):
            key = "The form was open for too long, or your browser keeps no cookies for it."
            return self._home(request, _with(answers, "form", f"{key} Send it again."), status=403)
        try:
            address = parse_address(form.get("address", ""))
        except AddressError as error:
            answers = _with(answers, "address", str(error))
        if answers.rule is None:
            return self._home(request, answers, status=400)
        self.guard.admit_subscription(request)
        # Over the limit nothing is sent and nothing said: it is a stranger's mailbox to protect.
        if not self.mails_to_address.take(address.hash) and not self.postman.ask(
            address.text, answers.rule
        ):
            raise Refusal(503, "Too many people are subscribing at once. Try again in a minute.")
        return self.pages.page("asked.html", address=address.text)

    def show_confirm(self, request: Request) -> Response:
        """The button that confirms."""
        person = self._reader(Purpose.CONFIRM, request)
        return self.pages.page("confirm.html", person=person, issues=self.archive.newest(1))

    def confirm(self, request: Request, _form: Form) -> Response:
        """Take the reader onto the list."""
        person = self._reader(Purpose.CONFIRM, request)
        person = confirm(self.mailing, person.public_id, now=clock.utc_now())
        return self.pages.page(
            "confirmed.html",
            person=person,
            preferences_url=self._path(Purpose.PREFERENCES, person),
            rehearsal=self._rehearse(person.rule),
            issues=self.archive.newest(1),
        )

    def show_preferences(self, request: Request) -> Response:
        """The reader's choice, and what it would have sent."""
        person = self._reader(Purpose.PREFERENCES, request)
        return self._preferences(person, _chosen(person.rule))

    def preferences(self, request: Request, form: Form) -> Response:
        """Keep, or only rehearse, a choice; pause, or go on."""
        person = self._reader(Purpose.PREFERENCES, request)
        if not person.is_subscribed:
            return self._preferences(person, _chosen(person.rule), status=409)
        match form.get("do"):
            case "save" | "rehearse" as wish:
                return self._choose(person, _answers(form), is_kept=wish == "save")
            case "pause":
                return self._pause(person, form.get("until", ""))
            case "resume":
                person = pause(self.mailing, person.public_id, None, now=clock.utc_now())
                return self._saved(person, "Mail comes again from the next issue on.")
            case _:
                raise Refusal(400, "The form does not say what to do. Press one of its buttons.")

    def show_unsubscribe(self, request: Request) -> Response:
        """The button that leaves. Only that: mail scanners open every link."""
        person = self._reader(Purpose.UNSUBSCRIBE, request)
        return self.pages.page("unsubscribe.html", person=person)

    def unsubscribe(self, request: Request, form: Form) -> Response:
        """Take the reader off the list, by our button or a mail program's (RFC 8058)."""
        if not {"List-Unsubscribe", "leave"} & set(form):
            raise Refusal(400, "The form does not say what to do. Press its button.")
        public_id = self._public_id(Purpose.UNSUBSCRIBE, request)
        with suppress(RefusedError):  # who was never confirmed and is forgotten has left, too
            unsubscribe(self.mailing, public_id, now=clock.utc_now())
        return self.pages.page("left.html")

    def show_wish(self, name: str) -> Callable[[Request], Response]:
        """Show the button for more or less like a paper; the link alone changes nothing.

        Mail scanners open every link.
        """

        def show(request: Request) -> Response:
            self._taking(Purpose.LIKE, request)
            title = self._title(request)
            return self.pages.page("like.html", wish=WISHES[name][0], title=title, is_saved=False)

        return show

    def wish(self, name: str) -> Callable[[Request, Form], Response]:
        """Keep that the reader wants more or less like a paper."""

        def keep(request: Request, _form: Form) -> Response:
            person, title = self._taking(Purpose.LIKE, request), self._title(request)
            word, changed = WISHES[name]
            before, rule = person.rule, changed(person.rule, _paper_id(request))
            dropped = {*before.like, *before.unlike} - {*rule.like, *rule.unlike}
            person = choose_for(self.mailing, person.public_id, rule=rule)
            return self.pages.page(
                "like.html",
                wish=word,
                title=title,
                is_saved=True,
                dropped=sorted(dropped),
                rehearsal=self._rehearse(rule),
                preferences_url=self._path(Purpose.PREFERENCES, person),
            )

        return keep

    def _title(self, request: Request) -> str:
        """The title of the paper in the address."""
        paper_id = _paper_id(request)
        with reading_published(self.published) as connection:
            title = title_of(connection, paper_id)
        if title is None:
            raise Refusal(404, f"{paper_id} was on no list that was read.")
        return title

    def _choose(self, person: Subscriber, answers: _Answers, *, is_kept: bool) -> Response:
        if answers.rule is None:
            return self._preferences(person, answers, status=400)
        if not is_kept:
            return self._preferences(person, answers, said="This is a rehearsal; nothing is saved.")
        person = choose_for(self.mailing, person.public_id, rule=answers.rule)
        return self._saved(person, "Saved. It counts from the next issue on.")

    def _pause(self, person: Subscriber, until: str) -> Response:
        kept = _chosen(person.rule)
        if not (day := _date(until)):
            problem = "Give the day on which mail comes again, such as 2026-09-01."
            return self._preferences(person, _with(kept, "until", problem), status=400)
        try:
            person = pause(self.mailing, person.public_id, day, now=clock.utc_now())
        except RefusedError as error:
            return self._preferences(person, _with(kept, "until", str(error)), status=400)
        return self._saved(person, "No mail comes until then.")

    def _saved(self, person: Subscriber, said: str) -> Response:
        return self._preferences(person, _chosen(person.rule), said=said)

    def _preferences(
        self, person: Subscriber, answers: _Answers, *, status: int = 200, said: str = ""
    ) -> Response:
        today = clock.utc_now().date()
        return self.pages.page(
            "preferences.html",
            status,
            person=person,
            masked=_masked(person.address or ""),
            answers=answers,
            editions=self._editions(person.rule),
            organizations=self.rehearser.organizations(),
            said=said,
            rehearsal=self._rehearse(answers.rule or person.rule),
            history=self._history(person),
            first_day=today + timedelta(days=1),
            last_day=today + _PAUSE_MAX,
            unsubscribe_url=self._path(Purpose.UNSUBSCRIBE, person),
        )

    def _history(self, person: Subscriber) -> list[DayOfMail]:
        """The last thirty days of this reader's mail; none where no list can be read."""
        now = clock.utc_now()
        last = now.date()
        with suppress(NotPublishedError), self.published.opened() as connection:
            verdicts = calendar(connection, last - timedelta(days=DAYS + 3), last)
            return mail_history(self.mailing, person, verdicts, now)
        return []

    def _rehearse(self, rule: Rule) -> Rehearsal | None:
        # Choosing must work while a publication cannot be read; rehearsing need not.
        with suppress(NotPublishedError, WarehouseBusyError):
            return self.rehearser(rule)
        return None

    def _home(self, request: Request, answers: _Answers, *, status: int = 200) -> Response:
        form_key, browser = self.form_keys.issue(request)
        newest = self._newest_list()
        response = self.pages.page(
            "home.html",
            status,
            answers=answers,
            editions=self._editions(Rule()),
            organizations=self.rehearser.organizations(),
            form_key=form_key,
            list=newest,
            checks_page=newest and self.archive.checks_page(newest.list_date),
            issues=self.archive.newest(1),
        )
        self.form_keys.remember(response, browser)
        return response

    def _newest_list(self) -> DayList | None:
        """The newest complete list; None where none can be read."""
        with suppress(NotPublishedError), self.published.opened() as connection:
            day = newest_list_date(connection, is_complete=True)
            return day_list(connection, day) if day else None
        return None

    def _editions(self, rule: Rule) -> tuple[str, ...]:
        """The editions to choose from: those that come, and those that the reader has chosen."""
        coming = {name.rpartition("-")[2] for name in self.archive.names()}
        return tuple(name for name in EDITIONS if name in {"daily", *coming, *rule.editions})

    def _reader(self, purpose: Purpose, request: Request) -> Subscriber:
        person = find_public(self.mailing, self._public_id(purpose, request))
        if person is None:
            raise RefusedError("This link leads to nobody on the list any more.")
        return person

    def _taking(self, purpose: Purpose, request: Request) -> Subscriber:
        """The reader of this link, who gets mail or has paused it."""
        person = self._reader(purpose, request)
        if not person.is_subscribed:
            raise RefusedError("Nothing is sent to this address, so there is nothing to choose.")
        return person

    def _public_id(self, purpose: Purpose, request: Request) -> str:
        return self.tokens.read(purpose, request.path_params["token"])

    def _path(self, purpose: Purpose, person: Subscriber) -> str:
        token = self.tokens.sign(purpose, person.public_id)
        return f"{self.pages.base}/{purpose.value}/{token}"


def _paper_id(request: Request) -> str:
    return canonical_id(request.path_params["paper_id"])


def _chosen(rule: Rule) -> _Answers:
    """A choice as a form shows it before anybody has typed."""
    return _Answers({"address": ""} | rule.fields(", "), rule, {})


def _answers(form: Form) -> _Answers:
    """Every field is read by itself, so that each problem stands beside its field."""
    problems = {}
    for name in RULE_FIELDS:
        try:
            parse_rule({name: form.get(name, "")})
        except RuleError as error:
            problems[name] = str(error)
    rule = None
    if not problems:
        try:
            rule = parse_rule(form)
        except RuleError as error:  # each field can be kept, but not beside the others
            problems["unlike"] = str(error)
    return _Answers({**_chosen(Rule()).fields, **form}, rule, problems)


def _with(answers: _Answers, name: str, problem: str) -> _Answers:
    return _Answers(answers.fields, None, {name: problem, **answers.problems})


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


def _masked(address: str) -> str:
    """`a…@example.org`: enough for its owner, who may have several; too little for a forwarder."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
