"""What Prefect keeps of our runs: one writer at a time, next tries, and runs cut short.

The lock of the operating system (`warehouse.writer_lock`) is the truth about who writes. Prefect's
concurrency limit shows the queue in the UI, and `running` names the flow run that holds the lock:
whoever takes the lock and finds a name there knows that this run was cut short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment, flow_run
from prefect.states import Crashed, Scheduled

from flows.settings import Settings
from flows.warehouse import writer_lock

WRITER = "warehouse-writer"
# A killed holder's slot is taken for this long (Prefect's least); the lock is free at once.
LEASE_SECONDS = 60
# Nobody waits at a terminal: a scheduled run lets the one before it send a long list's mail.
SCHEDULED_PATIENCE_SECONDS = 3600.0
# A run that takes its process down with it must not do so for ever.
MOST_STARTS = 3
NEXT_TRY = "next try"


@contextmanager
def one_writer(settings: Settings) -> Iterator[None]:
    """Be the one writer while the block runs; a run that died as the writer is put back in line.

    Raises:
        WarehouseBusyError: another process kept the lock for an hour.
    """
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(WRITER, 1)
    with (
        concurrency(WRITER, lease_duration=LEASE_SECONDS),
        writer_lock(settings, SCHEDULED_PATIENCE_SECONDS, f"the run “{flow_run.name}”"),
    ):
        note = settings.home / "running"
        with get_client(sync_client=True) as client:
            if left := interrupted(settings):
                put_back(client, left)
        note.write_text(str(flow_run.id))
        try:
            yield
        except Exception:
            note.unlink()
            raise
        # A signal that ends the process leaves the note, as kill -9 does.
        note.unlink()


def interrupted(settings: Settings) -> UUID | None:
    """The flow run that died while it held the lock; ask only where nobody can hold it now."""
    note = settings.home / "running"
    text = note.read_text() if note.exists() else ""
    return UUID(text) if text and text != flow_run.id else None


def put_back(client: SyncPrefectClient, run_id: UUID) -> None:
    """Schedule a run again whose process died; one that ended by itself stays as it is."""
    try:
        run = client.read_flow_run(run_id)
    except ObjectNotFound:
        return  # of another server, or deleted
    if run.state is None or (run.state.is_final() and not run.state.is_crashed()):
        return
    if run.run_count < MOST_STARTS:
        died = "Its process died; the run is taken up again."
        client.set_flow_run_state(run_id, Scheduled(message=died), force=True)
    else:
        died = f"Its process died {run.run_count} times; it is not started again."
        client.set_flow_run_state(run_id, Crashed(message=died), force=True)


def put_back_all(deployment_names: list[str], settings: Settings) -> None:
    """Schedule again what was under way when the only server of these deployments ended.

    A run that was claimed but not begun would otherwise wait for ever, and its day with it.
    """
    under_way = FlowRunFilter(
        state=FlowRunFilterState(
            type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
        )
    )
    ours = DeploymentFilter(name=DeploymentFilterName(any_=deployment_names))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=under_way, deployment_filter=ours)
        dead = {run.id for run in runs}
        if left := interrupted(settings):
            dead.add(left)
        for run_id in dead:
            put_back(client, run_id)


def plan_next_try(day: date, at: datetime) -> None:
    """One more run of this deployment at that time, unless one is planned already."""
    if deployment.id is None:  # started by hand, where nothing would start the next try
        return
    own = UUID(deployment.id)
    planned = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[own]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        tags=FlowRunFilterTags(all_=[NEXT_TRY, str(day)]),
    )
    with get_client(sync_client=True) as client:
        if client.read_flow_runs(flow_run_filter=planned):
            return
        client.create_flow_run_from_deployment(
            own,
            state=Scheduled(scheduled_time=at),
            name=f"Next try for {day:%A} {day}",
            tags=[NEXT_TRY, str(day)],
        )
    get_run_logger().info("the next try is planned for %s", at)
