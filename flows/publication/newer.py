"""Whether another host of the lake has published since this one did."""

from flows.publication.published import opened
from flows.settings import Settings
from flows.warehouse.publications import NamedPublication, newest_publication


def newer_elsewhere(settings: Settings) -> NamedPublication | None:
    """The newest publication of the lake, where what is published here is older or nothing."""
    newest = newest_publication(settings)
    if newest is None:
        return None
    return newest if published_at(settings) < f"{newest.published_at:%Y-%m-%d %H:%M:%S}" else None


def published_at(settings: Settings) -> str:
    """The UTC time that the published file says it is of; empty where there is none."""
    if not settings.published_path.exists():
        return ""
    with opened(settings.published_path) as connection:
        (says,) = connection.execute(_AT).fetchall()[0]
    return str(says).removesuffix(" UTC")


_AT = "select says from README where name = 'published at'"
