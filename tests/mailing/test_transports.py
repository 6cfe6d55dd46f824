import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from flows.mailing.refusals import is_address_bad
from flows.mailing.transports import (
    FileTransport,
    Parcel,
    SendResult,
    SmtpTransport,
    StaleConnectionError,
    TransportError,
    parse_mail_url,
)

if TYPE_CHECKING:
    from tests.support.relay import Relay, StartRelay

PARCEL = Parcel("0123456789abcdef0123", "ada@example.org", b"To: ada@example.org\r\n\r\n.dot\r\n")
SENDER = "papers@papers.example.org"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key for 127.0.0.1 in one file, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "relay.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=relay", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out",
         path.with_suffix(".crt")],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"openssl cannot make a certificate: {made.stderr.decode()}")
    with path.open("ab") as file:
        file.write(path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))


def _send(transport: SmtpTransport, *, may_send: Callable[[], bool] = lambda: True) -> SendResult:
    connection = transport.open()
    try:
        return connection.send(PARCEL, may_send)
    finally:
        connection.close()


def test_a_message_arrives_as_it_is(relay: "Relay") -> None:
    assert _send(relay.transport()) == SendResult("sent")
    assert relay.taken == [("ada@example.org", PARCEL.content)]


def test_many_messages_share_a_connection(relay: "Relay") -> None:
    connection = relay.transport().open()
    relay.says("RCPT", "550 5.1.1 nobody here", to="bo@example.org")
    states = [
        connection.send(Parcel("1" * 20, to, b"\r\nx\r\n"), lambda: True).state
        for to in ("ada@example.org", "bo@example.org", "cy@example.org")
    ]
    connection.close()
    assert states == ["sent", "failed", "sent"]
    assert relay.sessions == 1


@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        ("RCPT", "451 4.7.1 greylisted", SendResult("deferred", "451 4.7.1 greylisted")),
        ("RCPT", "550 5.1.1 no such user", SendResult("failed", "550 5.1.1 no such user", True)),
        ("RCPT", "550 unknown user", SendResult("failed", "550 unknown user", True)),
        ("RCPT", "550 unknown", SendResult("failed", "550 unknown")),
        ("RCPT", "552 5.2.2 mailbox full", SendResult("failed", "552 5.2.2 mailbox full")),
        ("RCPT", "554 5.7.1 relay denied", SendResult("failed", "554 5.7.1 relay denied")),
        ("RCPT", "421 closing", SendResult("deferred", "421 closing", is_cut=True)),
        ("MAIL", "550 you may not send", SendResult("deferred", "550 you may not send")),
        ("MAIL", "421 too many", SendResult("deferred", "421 too many", is_cut=True)),
        ("DATA", "451 not now", SendResult("deferred", "451 not now")),
        ("DATA", "554 no recipients", SendResult("failed", "554 no recipients")),
        ("END", "451 4.3.0 disk full", SendResult("deferred", "451 4.3.0 disk full")),
        ("END", "421 4.3.2 shutdown", SendResult("deferred", "421 4.3.2 shutdown", is_cut=True)),
        ("END", "550 5.1.1 no such user", SendResult("failed", "550 5.1.1 no such user", True)),
        ("END", "554 5.7.1 spam", SendResult("failed", "554 5.7.1 spam")),
        ("END", "550 content refused", SendResult("failed", "550 content refused")),
        ("RCPT", "550 <ada@example.org>: no", SendResult("failed", "550 <…>: no")),
    ],
)
@pytest.mark.parametrize("offers", [(), ("PIPELINING",)], ids=["one by one", "pipelined"])
def test_each_answer_has_its_outcome(
    relay: "Relay", step: str, answer: str, outcome: SendResult, offers: tuple[str, ...]
) -> None:
    relay.offers = offers
    relay.says(step, answer)
    connection = relay.transport().open()
    assert connection.send(PARCEL, lambda: True) == outcome
    assert relay.taken == []
    if not outcome.is_cut:
        assert connection.send(PARCEL, lambda: True) == SendResult("sent")
    connection.close()


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [
        ("RCPT", "drop", "deferred"),
        ("RCPT", "hang", "deferred"),
        ("DATA", "drop", "deferred"),
        ("DATA", "hang", "deferred"),
        ("END", "drop", "unknown"),
        ("END", "take and drop", "unknown"),
        ("END", "hang", "unknown"),
    ],
)
def test_a_cut_is_a_doubt_only_after_data(
    relay: "Relay", step: str, answer: str, state: str
) -> None:
    relay.says(step, answer)
    outcome = _send(relay.transport(timeout=0.3, final_timeout=0.3))
    assert (outcome.state, outcome.is_cut) == (state, True)
    assert outcome.reason.startswith(f"cut off {'after' if step == 'END' else 'before'} DATA")


def test_a_connection_that_went_stale_has_begun_nothing(relay: "Relay") -> None:
    connection = relay.transport().open()
    relay.says("MAIL", "drop")
    with pytest.raises(StaleConnectionError):
        connection.send(PARCEL, lambda: pytest.fail("nothing may be marked"))
    connection.close()


def test_a_message_is_withheld_at_the_last_moment(relay: "Relay") -> None:
    connection = relay.transport().open()
    assert connection.send(PARCEL, lambda: False) == SendResult("withheld")
    assert connection.send(PARCEL, lambda: True) == SendResult("sent")
    connection.close()
    assert len(relay.taken) == 1
    assert relay.seen["DATA"] == 1


def test_starttls_is_used_where_asked(
    start_relay: "StartRelay", server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    relay = start_relay(tls_context=server_tls, require_starttls=True)
    assert _send(relay.transport(tls="starttls", context=client_tls)).state == "sent"


def test_a_relay_without_encryption_gets_no_mail_and_no_password(relay: "Relay") -> None:
    transport = relay.transport(tls="starttls", user="ada", password=SecretStr("right"))
    with pytest.raises(TransportError, match=r"offers no encryption.*tls=none"):
        transport.open()
    assert relay.logins == []
    assert relay.seen["MAIL"] == 0


def test_a_certificate_of_nobody_gets_no_password(
    start_relay: "StartRelay", server_tls: ssl.SSLContext
) -> None:
    relay = start_relay(tls_context=server_tls)
    with pytest.raises(TransportError, match="certificate verify failed") as caught:
        relay.transport(tls="starttls", user="ada", password=SecretStr("right")).open()
    assert caught.value.is_lasting
    assert relay.logins == []


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_the_password_goes_over_tls_only_and_is_never_said(
    start_relay: "StartRelay",
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    password: str,
) -> None:
    relay = start_relay(tls_context=server_tls, auth_required=True, auth_require_tls=True)
    transport = relay.transport(
        tls="starttls", context=client_tls, user="ada", password=SecretStr(password)
    )
    assert password not in repr(transport)
    if password == "right":  # noqa: S105
        assert _send(transport).state == "sent"
        assert relay.logins == [b"right"]
        return
    with pytest.raises(TransportError, match="535") as caught:
        transport.open()
    assert "wrong" not in str(caught.value)
    assert caught.value.is_lasting


def test_smtps_is_encrypted_from_the_start(
    start_relay: "StartRelay", server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    relay = start_relay(ssl_context=server_tls)
    assert _send(relay.transport(tls="implicit", context=client_tls)).state == "sent"


def test_a_relay_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(TransportError, match=r"127.0.0.1:1 cannot be used: .*refused") as caught:
        SmtpTransport("127.0.0.1", 1, SENDER).open()
    assert not caught.value.is_lasting


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "user"),
    [
        ("smtp://relay.example.org", "relay.example.org", 587, "starttls", None),
        ("smtps://u%40x:p%2Fw@relay.example.org", "relay.example.org", 465, "implicit", "u@x"),
        ("smtp://localhost:25?tls=none", "localhost", 25, "none", None),
    ],
)
def test_a_mail_url_names_a_relay(
    url: str, host: str, port: int, tls: str, user: str | None
) -> None:
    relay = parse_mail_url(url, sender=SENDER)
    assert (relay.host, relay.port, relay.tls, relay.user) == (host, port, tls, user)
    if user:
        assert relay.password == SecretStr("p/w")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://u:geheim@relay?tls=none", "a password is not sent in clear"),
        ("smtp://u:geheim@relay?tls=maybe", "one option"),
        ("smtp://u:geheim@relay?geheim=1", "one option"),
        ("smtps://u:geheim@relay?tls=none", "both"),
        ("smtp://u:geheim@", "not a URL"),
        ("smtp://u:geheim@relay:port", "not a URL"),
        ("smtp://u:geheim@relay/path", "not a URL"),
        ("http://u:geheim@relay", "not a URL"),
    ],
)
def test_a_wrong_mail_url_is_one_sentence_without_the_password(url: str, said: str) -> None:
    with pytest.raises(TransportError, match=said) as caught:
        parse_mail_url(url, sender=SENDER)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "text", "bad"),
    [
        (550, "5.1.1 unknown", True), (550, "5.2.1 disabled", True), (550, "5.7.1 policy", False),
        (552, "5.2.2 full", False), (550, "no such user", True), (553, "bad name", False),
        (550, "relay not permitted", False), (554, "no", False), (450, "4.1.1 later", False),
        (550, "5.1.10 null MX", True),
    ],
)  # fmt: skip
def test_only_a_refusal_of_the_address_itself_counts_against_it(
    code: int, text: str, *, bad: bool
) -> None:
    assert is_address_bad(code, text, "ada@example.org") is bad


def test_files_are_written_whole_and_named_without_the_address(tmp_path: Path) -> None:
    connection = FileTransport(tmp_path / "mail").open()
    assert connection.send(PARCEL, lambda: True) == SendResult("sent")
    assert connection.send(PARCEL, lambda: False) == SendResult("withheld")
    connection.close()
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "0123456789abcdef0123.eml"
    assert file.read_bytes() == PARCEL.content


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(TransportError, match="cannot be written"):
        FileTransport(tmp_path / "mail").open()


@pytest.mark.parametrize(
    "line", [b"220-x\r\n" * 200 + b"220 ready\r\n", b"220 " + b"x" * 200 + b"\r\n"]
)
def test_a_relay_that_drips_its_answer_is_given_up_after_the_time_for_all_of_it(
    line: bytes,
) -> None:
    def drip(listener: socket.socket) -> None:
        with suppress(OSError):
            accepted, _ = listener.accept()
            step = 7 if b"-" in line else 1
            with accepted:
                for start in range(0, len(line), step):
                    accepted.sendall(line[start : start + step])
                    time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        relay = SmtpTransport("127.0.0.1", port, "papers@example.org", tls="none", timeout=0.5)
        with pytest.raises(TransportError, match="timed out"):
            relay.open()
