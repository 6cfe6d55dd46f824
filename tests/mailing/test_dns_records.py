import pytest
from dns.resolver import NXDOMAIN, LifetimeTimeout, NoNameservers

from flows.mailing.dns_records import dns_findings

GOOD = {
    "mail.example.org": ["google-site-verification=x", "v=spf1 include:relay.example.org -all"],
    "_dmarc.example.org": ["v=DMARC1; p=reject"],
    "s1._domainkey.mail.example.org": ["v=DKIM1; k=rsa; p=MIGf"],
    "old._domainkey.mail.example.org": ["v=DKIM1; p="],
}


def _said(records: dict[str, list[str]], *selectors: str) -> list[tuple[str, str]]:
    found = dns_findings(
        "mail.example.org", selectors=selectors, lookup=lambda name: records.get(name, [])
    )
    return [(finding.level, finding.sentence) for finding in found]


def test_good_records_are_shown() -> None:
    assert _said(GOOD, "s1") == [
        ("ok", "SPF: v=spf1 include:relay.example.org -all"),
        ("ok", "DMARC: v=DMARC1; p=reject"),
        ("ok", "DKIM: there is a key at selector s1."),
    ]


def test_what_is_missing_is_a_warning() -> None:
    levels = {sentence.split(":")[0]: level for level, sentence in _said({}, "s1")}
    assert levels == {"SPF": "warning", "DMARC": "warning", "DKIM": "warning"}


@pytest.mark.parametrize(
    ("name", "records", "said"),
    [
        ("mail.example.org", ["v=spf1 -all", "v=spf1 +all"], "has 2 records"),
        ("mail.example.org", ["v=spf1 +all"], "allows everybody"),
        ("_dmarc.mail.example.org", ["v=DMARC1; p=none"] * 2, "has 2 records"),
    ],
)
def test_records_that_do_harm_are_warnings(name: str, records: list[str], said: str) -> None:
    found = _said(GOOD | {name: records}, "s1")
    assert [level for level, sentence in found if said in sentence] == ["warning"]


def test_a_revoked_key_is_a_warning_and_no_selector_a_note() -> None:
    assert ("warning", "DKIM: the key at selector old is revoked.") in _said(GOOD, "old")
    assert _said(GOOD)[-1][0] == "note"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LifetimeTimeout(timeout=3, errors=[]), "took too long"),  # type: ignore[no-untyped-call]
        (NoNameservers(), "did not answer"),  # type: ignore[no-untyped-call]
        (NXDOMAIN(), "does not know mail.example.org"),  # type: ignore[no-untyped-call]
    ],
)
def test_no_network_is_one_note(error: Exception, said: str) -> None:
    def lookup(name: str) -> list[str]:
        raise error

    (finding,) = dns_findings("mail.example.org", lookup=lookup)
    assert finding.level == "note"
    assert said in finding.sentence


def test_a_name_that_is_not_there_is_a_missing_record() -> None:
    def lookup(name: str) -> list[str]:
        if name in GOOD:
            return GOOD[name]
        raise NXDOMAIN

    assert dns_findings("mail.example.org", selectors=["new"], lookup=lookup)[-1].level == "warning"
