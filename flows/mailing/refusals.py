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
# Addresses, hosts and links hold words and numbers that mean nothing. An IP address does mean
# something: it is a sender's, so it stays, and no mailbox is named beside it.
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+@[\w.-]*\w")
_NAMES = re.compile(r"\S*@\S*|\S*://\S*|\b(?=[\w.-]*[a-z])[\w-]+(?:\.[\w-]+)+\b", re.IGNORECASE)
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f]*:[0-9a-f:]+", re.IGNORECASE)
_OTHER_FAULT = re.compile(
    r"sender|sending|originator|mail[ -]?from|return[ -]?(?:path|address)|envelope[ -]?from"
    r"|from (?:address|header)|\bhelo\b|\behlo\b|access denied|white ?list|allow ?list"
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
# All that a refusal without a deciding code may say beside it. A list of the words of other faults
# is never whole, and what it lacks costs a reader for good; a word this list lacks costs a retry.
_WORDS_OF_A_MAILBOX = (
    "a an any are as at be been by delivery disabled do does doesn don error for has have here i in"
    " is it its no not of on or our please s sorry such t that the there this to tried try trying"
    " was we with you dd reach reached"
    " account addressee address alias email e mail inbox mailbox name person recipient user users"
    " active allowed closed deactivated deleted discontinued employed exist existent exists found"
    " inactive invalid known local longer non nonexistent rejected removed unknown use used valid"
    " works table virtual relay map undeliverable permanent permanently"
)


def is_address_bad(code: int, text: str, recipient: str, *, after_data: bool = False) -> bool:
    """Whether an SMTP refusal says that `recipient` is no mailbox, or a closed one.

    After DATA only a status code can say so: words are then about the content.
    """
    status = _status(text)
    if code < 500 or (status and status[0] != 5):
        return False
    if status is None or status[1:] in _VAGUE_STATUSES:
        return not after_data and _names_only_the_mailbox(text, recipient)
    return status[1:] in _MAILBOX_STATUSES and not _is_other_fault(text)


def is_returned_for_good(status_field: str, diagnostic: str, recipient: str) -> bool:
    """The same of a report: `Status:` is asked first, the other server's own words after it."""
    status = _status(status_field)
    reply = _REPLY.fullmatch(diagnostic)
    code, words = (reply[1], reply[2]) if reply else (None, diagnostic)
    if status is None or status[1:] in _VAGUE_STATUSES:
        vague_code = 550 if status and status[0] == 5 else 450
        return is_address_bad(int(code or vague_code), words, recipient)
    if status[0] != 5 or status[1:] not in _MAILBOX_STATUSES:
        return False
    return not _is_other_fault(words)


def _status(text: str) -> tuple[int, int, int] | None:
    found = _STATUS.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _names_only_the_mailbox(text: str, recipient: str) -> bool:
    """Whether the reply says that the mailbox does not exist, and nothing else.

    An address in it must be the recipient's, since “unknown user” may be said of the sender.
    """
    if any(named.lower() != recipient.lower() for named in _ADDRESS.findall(text)):
        return False
    words = _without_names(text)
    if _IP_ADDRESS.search(words) or not _NO_MAILBOX.search(words):
        return False
    return set(re.findall(r"\b[^\W\d_]+\b", words.lower())) <= set(_WORDS_OF_A_MAILBOX.split())


def _is_other_fault(text: str) -> bool:
    return _OTHER_FAULT.search(_without_names(text)) is not None


def _without_names(text: str) -> str:
    return _NAMES.sub(" ", text)
