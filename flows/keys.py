"""The keys that sign links: the operator's, or one made once for this home."""

import os
import secrets

from pydantic import SecretStr

from flows.settings import Settings, SettingsError


def secret_keys(settings: Settings) -> tuple[SecretStr, ...]:
    """The keys of PAPERS_SECRET_KEY, the signing one first; else `secret.key`, made if need be.

    Safe when several processes ask for the first time at once: one makes the file, all read it.
    Raises SettingsError where the setting holds none.
    """
    if settings.secret_key:
        given = settings.secret_key.get_secret_value().split(",")
        keys = tuple(SecretStr(key.strip()) for key in given if key.strip())
        if not keys:
            raise SettingsError("PAPERS_SECRET_KEY cannot be used: there is no key in it.")
        return keys
    path = settings.home / "secret.key"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.key.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was faster: its key it is
        finally:
            draft.unlink()
    return (SecretStr(path.read_text().strip()),)
