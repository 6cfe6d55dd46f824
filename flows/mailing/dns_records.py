"""What the DNS says of a sending domain: SPF, DKIM and DMARC, which the large providers ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

_PATIENCE_SECONDS = 3.0

Lookup = Callable[[str], list[str]]
"""The TXT records of a name, none if it has none. Raises DNSException, as NXDOMAIN is one."""


@dataclass(frozen=True)
class DnsFinding:
    """One thing found. Level: ok, warning (mail will suffer), note (could not be told)."""

    level: str
    sentence: str


def dns_findings(
    domain: str, *, selectors: Sequence[str] = (), lookup: Lookup | None = None
) -> list[DnsFinding]:
    """What the domain's records promise a receiver. Without network: one note, no failure."""
    ask = lookup or _txt

    def records(name: str) -> list[str]:
        try:
            return ask(name)
        except NXDOMAIN:
            return []

    try:
        findings = [_spf(domain, ask(domain)), *_dmarc(domain, records)]
        findings += [_dkim(name, records(f"{name}._domainkey.{domain}")) for name in selectors]
    except NXDOMAIN:
        return [DnsFinding("note", f"The DNS does not know {domain}; or there is no network here.")]
    except DNSException as error:
        kind = "took too long" if isinstance(error, Timeout) else "did not answer"
        return [DnsFinding("note", f"The DNS {kind}, so SPF, DKIM and DMARC were not looked at.")]
    if not selectors:
        findings.append(
            DnsFinding("note", "DKIM: the relay signs; PAPERS_DKIM_SELECTOR has its key looked at.")
        )
    return findings


def _spf(domain: str, records: list[str]) -> DnsFinding:
    found = [record for record in records if record.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return DnsFinding(
            "warning", f"SPF: {domain} has no record, so anybody may send in its name."
        )
    if len(found) > 1:
        return DnsFinding("warning", f"SPF: {domain} has {len(found)} records; receivers want one.")
    if {"+all", "all"} & set(found[0].lower().split()):
        return DnsFinding("warning", "SPF: the record allows everybody (+all).")
    return DnsFinding("ok", f"SPF: {found[0]}")


def _dmarc(domain: str, lookup: Lookup) -> list[DnsFinding]:
    """The policy of the domain or of the one it belongs to."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = ".".join(labels[start:])
        found = [r for r in lookup(f"_dmarc.{name}") if r.lower().startswith("v=dmarc1")]
        if len(found) > 1:
            return [DnsFinding("warning", f"DMARC: _dmarc.{name} has {len(found)} records.")]
        if found:
            return [DnsFinding("ok", f"DMARC: {found[0]}")]
    return [
        DnsFinding(
            "warning", f"DMARC: _dmarc.{domain} has no record; the large providers want one."
        )
    ]


def _dkim(selector: str, records: list[str]) -> DnsFinding:
    tags = {
        name.strip(): value.strip()
        for name, _, value in (tag.partition("=") for tag in "".join(records).split(";"))
    }
    if "p" not in tags:
        return DnsFinding("warning", f"DKIM: there is no key at selector {selector}.")
    if not tags["p"]:
        return DnsFinding("warning", f"DKIM: the key at selector {selector} is revoked.")
    return DnsFinding("ok", f"DKIM: there is a key at selector {selector}.")


def _txt(name: str) -> list[str]:
    resolver = Resolver()
    try:
        answer = resolver.resolve(name, "TXT", lifetime=_PATIENCE_SECONDS)
    except NoAnswer:
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
