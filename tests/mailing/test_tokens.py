from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from flows.mailing.tokens import Purpose, TokenError, Tokens
from tests.support.odd_input import odd_input

OLD, NEW = SecretStr("the old key"), SecretStr("the new key")
TOKENS = Tokens([NEW])
NOW = datetime(2026, 8, 14, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_opens_what_it_was_made_for_and_nothing_else(purpose: Purpose) -> None:
    token = TOKENS.sign(purpose, "0123456789abcdef0123")
    assert TOKENS.read(purpose, token) == "0123456789abcdef0123"
    for other in set(Purpose) - {purpose}:
        with pytest.raises(TokenError):
            TOKENS.read(other, token)


def test_a_confirmation_lasts_a_week_and_leaving_is_for_ever() -> None:
    with time_machine.travel(NOW, tick=False):
        confirm = TOKENS.sign(Purpose.CONFIRM, "a")
        leave = TOKENS.sign(Purpose.UNSUBSCRIBE, "a")
    with time_machine.travel(NOW + timedelta(days=6, hours=23), tick=False):
        assert TOKENS.read(Purpose.CONFIRM, confirm) == "a"
    with time_machine.travel(NOW + timedelta(days=2000), tick=False):
        assert TOKENS.sign(Purpose.UNSUBSCRIBE, "a") == leave
        assert TOKENS.read(Purpose.UNSUBSCRIBE, leave) == "a"
        with pytest.raises(TokenError, match="too old; ask for a new one"):
            TOKENS.read(Purpose.CONFIRM, confirm)


def test_a_key_can_be_replaced_without_breaking_the_links_already_sent() -> None:
    sent = Tokens([OLD]).sign(Purpose.UNSUBSCRIBE, "a")
    rotated = Tokens([NEW, OLD])
    assert rotated.read(Purpose.UNSUBSCRIBE, sent) == "a"
    assert rotated.sign(Purpose.UNSUBSCRIBE, "a") == TOKENS.sign(Purpose.UNSUBSCRIBE, "a")
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.UNSUBSCRIBE, sent)


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="PAPERS_SECRET_KEY is not set"):
        Tokens([SecretStr("")]).sign(Purpose.CONFIRM, "a")


def test_no_key_is_in_what_is_printed() -> None:
    assert "key" not in repr(TOKENS).replace("keys", "")


@odd_input(2000)
@given(st.one_of(st.text(), st.text("abcdefABCDEF0123456789._-=", max_size=90)))
def test_a_token_that_is_made_up_opens_nothing(token: str) -> None:
    for purpose in Purpose:
        with pytest.raises(TokenError):
            TOKENS.read(purpose, token)
