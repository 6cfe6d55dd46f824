"""The mails that the subscribe page asks for: written and sent after the page has answered.

Whatever the list knows of an address, the page has answered before it is looked up; only the
mailbox learns it.
"""

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from threading import BoundedSemaphore

from flows import clock
from flows.mailing.database import Mailing
from flows.mailing.letters import Post
from flows.mailing.rules import Rule
from flows.mailing.subscribers import Subscriber, subscribe
from flows.mailing.tokens import Purpose
from flows.mailing.transports import TransportError
from flows.newsletter.message import message
from flows.newsletter.render import Rendering
from flows.web.pages import Pages

SendMail = Callable[[str, EmailMessage], None]  # to whom, what; raises TransportError
_WAITING_MAX = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Postman:
    """Subscribes people and writes to them, a few at a time, in threads of its own."""

    mailing: Mailing
    pages: Pages
    post: Post
    send_mail: SendMail
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "postman"))
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_WAITING_MAX))

    def ask(self, address: str, rule: Rule) -> bool:
        """Subscribe this address soon, and write to it; False where too many wait already."""
        if not self._room.acquire(blocking=False):
            return False
        self._pool.submit(self._deliver, address, rule).add_done_callback(self._done)
        return True

    def close(self) -> None:
        """Finish what was asked for."""
        self._pool.shutdown()

    def _deliver(self, address: str, rule: Rule) -> None:
        now = clock.utc_now()
        person = subscribe(self.mailing, address, rule=rule, now=now)
        if person and person.address:
            self.send_mail(person.address, answer(person, self.pages, self.post, now))

    def _done(self, delivery: Future[None]) -> None:
        self._room.release()
        error = delivery.exception()
        if isinstance(error, TransportError):
            _log.warning("A mail that a reader asked for was not sent: %s", error)
        elif error:
            # its type only: a database error repeats the values, and so the address
            _log.error("A subscription failed: %s", type(error).__name__)


def answer(person: Subscriber, pages: Pages, post: Post, now: datetime) -> EmailMessage:
    """The mail to who asked: a link to confirm by, or, if they are on the list, to choose by."""
    is_new = person.state in {"unconfirmed", "unsubscribed"}
    way_out = post.way_out(person.public_id)
    subject = "Confirm your subscription" if is_new else "You are on the list already"
    values = {
        "subject": subject,
        "is_new": is_new,
        "standing": person.standing,
        "url": post.url(Purpose.CONFIRM if is_new else Purpose.PREFERENCES, person.public_id),
        "unsubscribe_url": way_out.url,
    }
    return message(
        Rendering(
            subject=f"Daily Papers: {subject[0].lower()}{subject[1:]}",
            preheader="",
            html=pages.mail("mail.html", **values),
            text=pages.text("mail.txt", **values),
        ),
        sender=post.sender,
        to=person.address,
        message_id=f"<answer.{secrets.token_hex(10)}@{post.domain}>",
        date=now,
        list_id=post.list_id,
        unsubscribe=None if is_new else way_out,
    )
