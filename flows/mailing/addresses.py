"""What an address is, and its one normal form."""

import hashlib
from dataclasses import dataclass

from flows.errors import UsageError


class AddressError(UsageError):
    """The text is no address that mail could reach; the message says why."""


@dataclass(frozen=True)
class Address:
    """An address as the envelope needs it, and the key under which it is the same as any other."""

    text: str
    key: str

    @property
    def hash(self) -> str:
        """What a suppression keeps of the address: enough to know it again, not to write to it."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def parse_address(text: str) -> Address:
    """The address in a text. Raises AddressError with one sentence.

    Upper and lower case are one address: mail servers that tell them apart are all but extinct, and
    people who write theirs in two ways are not.
    """
    # Its tables take as long to import as a tenth of a command; most commands read no address.
    from email_validator import EmailNotValidError, validate_email

    if len(text) > 400:
        raise AddressError("An address has at most 254 characters.")
    try:
        parsed = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError as error:
        raise AddressError("".join(c for c in str(error) if c.isprintable())) from None
    address = parsed.ascii_email or parsed.normalized
    return Address(address, address.casefold())
