"""Signed words for links: whose page, for what purpose; no address, and none can be made up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cached_property
from hashlib import sha256

from itsdangerous import BadData, SignatureExpired, Signer, TimestampSigner
from pydantic import SecretStr


class TokenError(ValueError):
    """The link is not one of ours, is for something else, or is too old; the message says which."""


class Purpose(Enum):
    """What a link lets its bearer do; a token for one purpose opens no other."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    LIKE = "like"  # more, or less, like a paper that the address names


# The others last, for leaving must work from a mail found years later; and having no time in them,
# they are the same each time an issue is rendered.
_LIFE = {Purpose.CONFIRM: timedelta(days=7)}
_INCOMPLETE = "This link is not complete; copy all of it from the mail."


@dataclass(frozen=True)
class Tokens:
    """Signs with the first key and accepts all of them, so that a key can be replaced."""

    keys: Sequence[SecretStr]

    def sign(self, purpose: Purpose, public_id: str) -> str:
        """The token, safe in a URL."""
        return self._signers[purpose].sign(public_id).decode()

    def read(self, purpose: Purpose, token: str) -> str:
        """The public id in a token. Raises TokenError."""
        signer = self._signers[purpose]
        # Base64 would pass over what is none of its letters: one link would have many forms.
        if not re.fullmatch(r"[\w.-]+", token, re.ASCII):
            raise TokenError(_INCOMPLETE)
        try:
            if isinstance(signer, TimestampSigner):
                life = int(_LIFE[purpose].total_seconds())
                return signer.unsign(token, max_age=life).decode()
            return signer.unsign(token).decode()
        except SignatureExpired:
            raise TokenError("This link is too old; ask for a new one.") from None
        except (BadData, UnicodeError):
            raise TokenError(_INCOMPLETE) from None

    @cached_property
    def _signers(self) -> dict[Purpose, Signer]:
        # itsdangerous signs with the last key of its list
        keys = [key.get_secret_value() for key in reversed(self.keys)]
        if not keys or not all(keys):
            raise ValueError("PAPERS_SECRET_KEY is not set: links cannot be signed without it.")
        return {
            purpose: (TimestampSigner if purpose in _LIFE else Signer)(
                keys, salt=f"papers.{purpose.value}", digest_method=sha256
            )
            for purpose in Purpose
        }
