"""The deployments: what runs when. One registry for `papers serve` and for infra/prefect.yaml.

python -m flows.deployments        registers them at PREFECT_API_URL and runs what is due
"""

import time
from dataclasses import dataclass, field
from typing import Any

from prefect import Flow, serve
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows import scheduled
from flows.backfill import backfill
from flows.backfill_by_month import backfill_by_month, backfill_month
from flows.editions import edition
from flows.runs.flow_runs import OURS, put_back_all
from flows.runs.pool import SEND_SHARD
from flows.settings import Settings, load_settings
from flows.shards import send_shard


@dataclass(frozen=True)
class Deployment:
    """A flow that Prefect starts: by its cron line in TIMEZONE, or on demand where it has none."""

    name: str
    flow: Flow[Any, Any]
    cron: str | None
    description: str
    tags: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def entrypoint(self) -> str:
        """Where Prefect finds the flow, in any working directory."""
        return f"{self.flow.fn.__module__}.{self.flow.fn.__name__}"

    def schedule(self, timezone: str) -> Schedule | None:
        """When it runs."""
        return Cron(self.cron, timezone=timezone) if self.cron else None


def deployments(settings: Settings) -> tuple[Deployment, ...]:
    """All of them. Their minutes differ, so that runs rarely wait for each other."""
    return (
        Deployment(
            "daily-digest",
            scheduled.daily_digest,
            settings.schedule,
            "The newest closed day from the Hub to the mail, with the data of missed days.",
            ("digest",),
        ),
        Deployment(
            "open-list",
            scheduled.open_list,
            "5 */2 * * *",
            "A reading of the list that grows today.",
            ("reading",),
        ),
        Deployment(
            "re-reading",
            scheduled.reread,
            "20 3 * * *",
            "The last lists again each night: what momentum is made of.",
            ("reading",),
        ),
        # An hour after the lists, which leave it their window of requests.
        Deployment(
            "linked-repositories",
            scheduled.linked_repositories,
            "20 4 * * *",
            "The models, datasets and Spaces of the papers of the last lists.",
            ("reading",),
        ),
        # Runs twice: where the last day was late in the morning, the evening's run sends the issue.
        Deployment(
            "weekly-digest",
            edition,
            "40 6,18 * * 1",
            "The issue of the week that ended yesterday.",
            ("digest",),
            {"kind": "weekly"},
        ),
        Deployment(
            "monthly-digest",
            edition,
            "50 6,18 1 * *",
            "The issue of the month that ended yesterday.",
            ("digest",),
            {"kind": "monthly"},
        ),
        Deployment(
            "backfill",
            backfill,
            None,
            "History from FIRST to LAST; never mails.",
            ("history",),
        ),
        Deployment(
            "backfill-by-month",
            backfill_by_month,
            None,
            "The same by all workers: offers each month as a run, and builds what they read.",
            ("history",),
        ),
        Deployment(
            "backfill-month",
            backfill_month,
            None,
            "The dates of one month, for who offers it: `backfill-by-month`.",
            ("history",),
        ),
        Deployment(
            SEND_SHARD,
            send_shard,
            None,
            "A part of an issue's readers; the run that sends the issue starts it.",
            ("digest",),
        ),
        Deployment(
            "upkeep",
            scheduled.upkeep,
            "35 6 * * 0",
            "Quality reports, past months of readings as Parquet, and the database checked in.",
            ("upkeep",),
        ),
    )


def served(settings: Settings) -> list[RunnerDeployment]:
    """The deployments as Prefect serves them."""
    return [
        RunnerDeployment.from_flow(
            each.flow,
            each.name,
            schedule=each.schedule(settings.timezone),
            description=each.description,
            parameters=each.parameters,
            tags=[OURS, *each.tags],
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for each in deployments(settings)
    ]


def main() -> None:
    """Serve until told to end, one run at a time: late ones wait their turn, not for memory."""
    settings = load_settings()
    _wait_for_server()
    put_back_all(settings)
    # Schedules stay active over a stop, so that a fresh start runs what was missed.
    serve(*served(settings), pause_on_shutdown=False, print_starting_message=False, limit=1)


def _wait_for_server() -> None:
    """Return when the server answers; one that starts beside this process takes ten seconds."""
    with get_client(sync_client=True) as client:
        while client.api_healthcheck():
            time.sleep(0.5)


if __name__ == "__main__":
    main()
