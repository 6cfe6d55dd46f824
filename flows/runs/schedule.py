"""Whether the schedule of the settings is one that Prefect can run."""

from flows.settings import Settings, SettingsError


def check_schedule(settings: Settings) -> None:
    """Make sure that PAPERS_SCHEDULE is a cron line. Raises SettingsError."""
    # Imported here: Prefect reads its settings when it is imported.
    from prefect.schedules import Cron

    try:
        Cron(settings.schedule, timezone=settings.timezone)
    except ValueError:
        wrong = f"PAPERS_SCHEDULE cannot be used: {settings.schedule!r} is no cron line"
        raise SettingsError(f"{wrong}, such as '45 21 * * 1-5'") from None
