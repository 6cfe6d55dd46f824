"""Runs that are offered to whichever worker is free, and taken back once nobody needs them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Scheduled

from flows.errors import OperationError
from flows.runs.interruption import doing_at_ctrl_c


@dataclass(frozen=True)
class Offers:
    """Runs of one deployment that may not have begun, by what they are to do."""

    client: SyncPrefectClient
    runs: dict[str, UUID] = field(default_factory=dict)

    def take_back(self, name: str) -> None:
        """See that no worker begins this run; one that has begun goes on."""
        run_id = self.runs.pop(name, None)
        if run_id is None:
            return
        state = self.client.read_flow_run(run_id).state
        if state is not None and state.is_scheduled():
            done: State[None] = Cancelled(
                message="The run that offered it did this itself, or was ended."
            )
            self.client.set_flow_run_state(run_id, done)

    def take_all_back(self) -> None:
        """See that no worker begins any of them."""
        for name in tuple(self.runs):
            self.take_back(name)


@contextmanager
def offered(deployment: str, runs: Mapping[str, Mapping[str, str]]) -> Iterator[Offers]:
    """Offer these runs, first ones first, while the block runs; no worker begins one after it.

    Args:
        deployment: `<flow>/<name>`, as Prefect knows it.
        runs: the parameters of each, by what it is to do.

    Raises:
        OperationError: the server of PREFECT_API_URL has no such deployment.
    """
    with get_client(sync_client=True) as client:
        try:
            found = client.read_deployment_by_name(deployment)
        except ObjectNotFound:
            raise OperationError(
                f"Prefect's server has no deployment `{deployment}`: `papers serve` makes it, and"
                " for a work pool `prefect deploy --all --prefect-file infra/prefect.yaml` does."
            ) from None
        offers = Offers(client)
        began = datetime.now(UTC) - timedelta(milliseconds=len(runs))
        try:
            for number, (name, parameters) in enumerate(runs.items()):
                # Workers begin with what is due longest.
                due: State[None] = Scheduled(scheduled_time=began + timedelta(milliseconds=number))
                run = client.create_flow_run_from_deployment(
                    found.id, parameters=dict(parameters), state=due
                )
                offers.runs[name] = run.id
            with doing_at_ctrl_c(offers.take_all_back):
                yield offers
        finally:
            offers.take_all_back()
