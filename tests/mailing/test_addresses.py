import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.mailing.addresses import AddressError, parse_address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("  ada@example.org ", "ada@example.org"),
        ("ada@münchen.example.org", "ada@xn--mnchen-3ya.example.org"),
        ("ada@\uff45xample.org", "ada@example.org"),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert parse_address(one).key == parse_address(other).key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "a b@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        "ada@exa\x00mple.org",
        "ß@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "x" * 500 + ".org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


_ANY = st.one_of(
    st.text(max_size=40),
    st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20)),
    st.builds("{}@{}.org".format, st.text("abAB.+_-'=0", max_size=9), st.text("aä-1.", max_size=9)),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(_ANY, min_size=20, max_size=20))
def test_each_of_ten_thousand_texts_is_an_address_or_a_sentence(texts: list[str]) -> None:
    for text in texts:
        address = said = None
        try:
            address = parse_address(text)
        except AddressError as error:
            said = str(error)
        if address is None:
            assert said
            assert said.isprintable()
        else:
            assert address.text.isascii()
            assert not set(address.text) & set(" \r\n<>,;")
            assert parse_address(address.text) == address
            assert parse_address(address.text.upper()).key == address.key
