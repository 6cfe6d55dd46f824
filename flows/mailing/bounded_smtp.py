"""SMTP whose every answer is given a time as a whole, and that another thread can cut off.

smtplib alone waits so long for each byte: a relay that sends one now and then, as tarpits do, would
hold a run for ever.
"""

import io
import smtplib
import socket
import time
from contextlib import suppress
from typing import Any
from weakref import WeakSet


class BoundedSmtp(smtplib.SMTP):
    """`answer_seconds`: how long the next answers may take, each as a whole; `timeout` at first."""

    answer_seconds: float | None = None
    _answer_ends_at = 0.0

    def __init__(
        self,
        host: str,
        port: int,
        local_hostname: str,
        *,
        known_to: WeakSet["BoundedSmtp"],
        **options: Any,  # noqa: ANN401  as smtplib has them
    ) -> None:
        """Connect, known from before that on to who may cut it off."""
        known_to.add(self)
        super().__init__(host, port, local_hostname, **options)

    def getreply(self) -> tuple[int, bytes]:
        """The next answer of the other side, of however many lines.

        Raises:
            SMTPServerDisconnected: it did not come in time, or not as an answer.
        """
        seconds = self.answer_seconds or self.timeout
        self._answer_ends_at = time.monotonic() + seconds
        if self.file is None and self.sock:
            self.file = io.BufferedReader(_Answers(self, self.sock))
        try:
            return super().getreply()
        finally:
            if self.sock:
                self.sock.settimeout(self.timeout)

    def seconds_left(self) -> float:
        """How long the answer may still take. Raises TimeoutError where that is over."""
        left = self._answer_ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def cut(self) -> None:
        """End what another thread waits for: it finds the line dead."""
        if self.sock:
            with suppress(OSError):  # it is closed already
                self.sock.shutdown(socket.SHUT_RDWR)


class BoundedSmtpOverTls(BoundedSmtp, smtplib.SMTP_SSL):
    """The same where the line is encrypted from its first byte."""


class _Answers(io.RawIOBase):
    """What the other side sends, while the answer it belongs to is in time."""

    def __init__(self, smtp: BoundedSmtp, line: socket.socket) -> None:
        self._smtp, self._line = smtp, line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._line.settimeout(self._smtp.seconds_left())
        return self._line.recv_into(buffer)
