"""Whose fault a refusal is: the mailbox's, or the sender's, the network's, a policy's, nobody's.

Suppressing a reader is for good, so a refusal counts against the mailbox only where it names it: by
an enhanced status code (RFC 3463) at the place where such codes stand, or in words a person would
take so. Whatever else it says, or does not say, is a soft failure.
"""

import re

# RFC 3463 and its registry: no such mailbox, no such domain, bad syntax, moved away, a domain that
# takes no mail, mailbox disabled. Not 5.1.7 and 5.1.8, which are about the sender's address.
_MAILBOX_STATUSES = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)}
# Codes that only say "refused", or only "something about an address": the words must tell.
_VAGUE_STATUSES = {(0, 0), (1, 0)}
_STATUS = re.compile(r"\s*#?([245])\.(\d{1,3})\.(\d{1,3})(?![\w.])")
_REPLY = re.compile(r"\s*(?:[\w-]+\s*;)?\s*(?:([245]\d\d)(?:[\s-]|$))?\s*(.*)", re.DOTALL)
# Addresses, hosts and links hold words and numbers that mean nothing.
_NAMES = re.compile(r"\S*@\S*|\S*://\S*|\b[\w-]+(?:\.[\w-]+)+\b")
_OTHER_FAULT = re.compile(
    r"sender|sending|originator|mail[ -]?from|return[ -]?path|envelope[ -]?from|\bhelo\b|\behlo\b"
    r"|verif(?:y|ication) failed|call-?(?:out|back)|client host|your (?:host|ip|server|domain|mail)"
    r"|reverse dns|\bptr\b|block(?:ed|ing| ?list)|black ?list|deny ?list|listed (?:in|at|by)"
    r"|dnsbl|\brbl\b|spam|reputation|polic(?:y|ies)|\brates?\b|too (?:many|fast)|throttl|exceed"
    r"|quota|\bfull\b|storage|relay(?:ing)? (?:access )?(?:denied|not|prohibited|is not)"
    r"|(?:unable|not permitted|not allowed) to relay|relaying|\bspf\b|dkim|dmarc"
    r"|authenticat|content|virus|malware|gr[ae]y ?list|try again|temporar",
    re.IGNORECASE,
)
_WHO = r"(?:user|mailbox|recipient|account|address|person|alias|addressee)"
_NO_MAILBOX = re.compile(
    rf"no such (?:local )?{_WHO}|(?:unknown|invalid|non-?existent) (?:local )?{_WHO}"
    rf"|no (?:mailbox|account) (?:here|by that name|with that name|for)"
    rf"|{_WHO}\b.{{0,40}}?\b(?:is )?(?:unknown|not found|not exist|not local|disabled|inactive"
    r"|deactivated|closed|no longer (?:exists|active|valid|in use)|invalid|does not exist"
    r"|doesn.t exist|do not exist)\b"
    r"|mailbox name (?:not allowed|invalid)|(?:does not|doesn.t) have an? .{0,30}account"
    r"|no longer (?:works|at this|employed)",
    re.IGNORECASE | re.DOTALL,
)


def is_address_bad(code: int, text: str, *, after_data: bool = False) -> bool:
    """Whether an SMTP refusal says that there is no such mailbox, or that it is closed.

    After DATA only a status code can say so: words are then about the content.
    """
    status = _status(text)
    if code < 500 or (status and status[0] != 5) or _is_other_fault(text):
        return False
    if status is None or status[1:] in _VAGUE_STATUSES:
        return not after_data and _NO_MAILBOX.search(_without_names(text)) is not None
    return status[1:] in _MAILBOX_STATUSES


def is_returned_for_good(status_field: str, diagnostic: str) -> bool:
    """The same of a report: `Status:` is asked first, the other server's own words after it."""
    status = _status(status_field)
    reply = _REPLY.fullmatch(diagnostic)
    code, words = (reply[1], reply[2]) if reply else (None, diagnostic)
    if status is None or status[1:] in _VAGUE_STATUSES:
        vague_code = 550 if status and status[0] == 5 else 450
        return is_address_bad(int(code or vague_code), words)
    if status[0] != 5 or status[1:] not in _MAILBOX_STATUSES:
        return False
    return not _is_other_fault(words)


def _status(text: str) -> tuple[int, int, int] | None:
    found = _STATUS.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _is_other_fault(text: str) -> bool:
    return _OTHER_FAULT.search(_without_names(text)) is not None


def _without_names(text: str) -> str:
    return _NAMES.sub(" ", text)
