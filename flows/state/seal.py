"""The seal on what lies in the open: nobody reads it, and nobody changes it, without the key.

AES-SIV, because it is deterministic: what did not change is sealed to the same bytes, which git has
already. All that this tells a stranger is that a part did not change.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic import SecretStr

from flows.errors import UsageError

KEY_NAME = "PAPERS_STATE_KEY"
# As long as `openssl rand -hex 16`: what can be guessed would be, since all can fetch the branch.
SHORTEST_KEY = 32
_SALT = b"daily papers, the state of a machine that is wiped, 1"


class SealError(UsageError):
    """The key is none, or does not open what was sealed; the message says which."""


@dataclass(frozen=True)
class Seal:
    """Seals with the first key and opens with any of them, so that a key can be replaced."""

    keys: Sequence[SecretStr]

    def close(self, content: bytes, kind: str) -> bytes:
        """The content, compressed and sealed as of this kind."""
        return self._ciphers[0].encrypt(zlib.compress(content), [kind.encode()])

    def open(self, sealed: bytes, kind: str) -> bytes:
        """What was sealed as of this kind. Raises SealError."""
        for cipher in self._ciphers:
            try:
                return zlib.decompress(cipher.decrypt(sealed, [kind.encode()]))
            except InvalidTag:
                continue
        raise SealError(
            f"{KEY_NAME} does not open the state: it was sealed with another key, or somebody"
            " changed it. Nothing was overwritten; set the key that it was sealed with, or add it"
            " behind the new one, after a comma."
        )

    @cached_property
    def _ciphers(self) -> list[AESSIV]:
        # What opens a state may be tried on it at leisure, so trying is made slow.
        secrets = [key.get_secret_value().encode() for key in self.keys]
        return [
            AESSIV(hashlib.scrypt(secret, salt=_SALT, n=2**14, r=8, p=1, dklen=64))
            for secret in secrets
        ]


def seal_of(setting: SecretStr | None) -> Seal:
    """The seal of PAPERS_STATE_KEY: one key, or several by commas. Raises SealError."""
    given = setting.get_secret_value().split(",") if setting else []
    keys = [key.strip() for key in given if key.strip()]
    if not keys:
        raise SealError(
            f"{KEY_NAME} is not set, and the state holds addresses: `openssl rand -hex 32` makes"
            " one."
        )
    if min(map(len, keys)) < SHORTEST_KEY:
        raise SealError(
            f"{KEY_NAME} cannot be used: it is shorter than {SHORTEST_KEY} characters;"
            " `openssl rand -hex 32` makes one."
        )
    return Seal([SecretStr(key) for key in keys])
