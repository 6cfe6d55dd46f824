import pytest
from pydantic import SecretStr

from flows.state.seal import SealError, seal_of

OLD, NEW = "o" * 32, "n" * 32


def test_what_is_sealed_is_opened_by_its_key_alone_and_as_its_kind() -> None:
    seal = seal_of(SecretStr(OLD))
    sealed = seal.close(b"ana@example.org", "parts")
    assert b"ana" not in sealed
    assert seal.open(sealed, "parts") == b"ana@example.org"
    with pytest.raises(SealError, match="PAPERS_STATE_KEY does not open the state"):
        seal_of(SecretStr(NEW)).open(sealed, "parts")
    with pytest.raises(SealError):
        seal.open(sealed, "index")
    with pytest.raises(SealError):
        seal.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "parts")


def test_what_did_not_change_is_sealed_to_the_same_bytes() -> None:
    once, again = (seal_of(SecretStr(OLD)).close(b"words" * 1000, "parts") for _ in range(2))
    assert once == again
    assert len(once) < 1000


def test_a_new_key_before_the_old_one_opens_what_the_old_one_sealed() -> None:
    sealed = seal_of(SecretStr(OLD)).close(b"kept", "index")
    both = seal_of(SecretStr(f"{NEW}, {OLD}"))
    assert both.open(sealed, "index") == b"kept"
    assert seal_of(SecretStr(NEW)).open(both.close(b"kept", "index"), "index") == b"kept"


@pytest.mark.parametrize(
    ("key", "says"), [(None, "is not set"), (" , ", "is not set"), ("short", "shorter than 32")]
)
def test_a_key_that_is_none_or_could_be_guessed_is_refused(key: str | None, says: str) -> None:
    with pytest.raises(SealError, match=f"PAPERS_STATE_KEY .*{says}.*openssl rand"):
        seal_of(SecretStr(key) if key else None)
