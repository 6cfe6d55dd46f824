"""What Prefect keeps of our runs: one writer at a time, next tries, and runs cut short.

The lock of the operating system (`warehouse.database.writer_lock`) is the truth about who writes.
Prefect's concurrency limit shows the writer in the UI, and the note `running` names the flow run
that holds the lock: whoever takes the lock and finds a note knows that this run was cut short.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment, flow_run
from prefect.states import Crashed, Scheduled

from flows.settings import Settings
from flows.warehouse.database import PATIENCE_SECONDS, writer_lock

# The tag of all our deployments, and so of their runs: others may share the server.
OURS = "daily-papers"
WRITER = "warehouse-writer"
FREE = GlobalConcurrencyLimitUpdate(active_slots=0)
# A scheduled run waits this long, since the run before it may be mailing a long list.
SCHEDULED_PATIENCE_SECONDS = 3600.0
# Give up on a run after three crashes.
MOST_STARTS = 3
# A run that its worker has not begun within this time is scheduled again.
STUCK_AFTER = timedelta(minutes=15)
NEXT_TRY = "next try"
NOTE = "running"


@contextmanager
def one_writer(settings: Settings, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Be the one writer while the block runs; runs that died before it are put back in line.

    A run that somebody started at a terminal waits `patience` seconds for the lock and does no
    more; a scheduled one waits an hour.

    Raises:
        WarehouseBusyError: another process kept the lock for as long.
    """
    if deployment.id is None:
        with writer_lock(settings, patience):
            yield
        return
    with writer_lock(settings, SCHEDULED_PATIENCE_SECONDS, f"the run “{flow_run.name}”"):
        with get_client(sync_client=True) as client:
            client.upsert_global_concurrency_limit_by_name(WRITER, 1)
            # We hold the lock, so another holder of the slot must be dead.
            client.update_global_concurrency_limit(WRITER, FREE)
            _put_back(client, _died_as_writer(client, settings))
            _put_back(client, _ours(client, StateType.CRASHED))
            stuck = datetime.now(UTC) - STUCK_AFTER
            _put_back(client, [r for r in _ours(client, StateType.PENDING) if _since(r) < stuck])
        note = settings.home / NOTE
        note.write_text(str(flow_run.id))
        try:
            with concurrency(WRITER):
                yield
        except Exception:
            note.unlink()
            raise
        # A signal that ends the process leaves the note, as kill -9 does.
        note.unlink()


def put_back_all(settings: Settings) -> None:
    """Schedule again what was under way: for `papers serve`, which has just begun.

    Runs of a work pool are left alone: its workers may be alive.
    """
    with get_client(sync_client=True) as client:
        _put_back(client, _died_as_writer(client, settings))
        cut_short = _ours(client, StateType.CRASHED, StateType.PENDING, StateType.RUNNING)
        _put_back(client, [run for run in cut_short if run.work_pool_name is None])


def _died_as_writer(client: SyncPrefectClient, settings: Settings) -> list[FlowRun]:
    """The run whose process died while it held the lock. Call it only while holding the lock."""
    note = settings.home / NOTE
    left = note.read_text() if note.exists() else ""
    try:
        return [client.read_flow_run(UUID(left))] if left else []
    except ObjectNotFound:
        return []  # of another server, or deleted


def _ours(client: SyncPrefectClient, *states: StateType) -> list[FlowRun]:
    """The runs of our deployments in these states that were due since yesterday."""
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=[OURS]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
            expected_start_time=FlowRunFilterExpectedStartTime(
                after_=datetime.now(UTC) - timedelta(days=1)
            ),
        )
    )


def _since(run: FlowRun) -> datetime:
    return run.state.timestamp if run.state else datetime.now(UTC)


def _put_back(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> None:
    """Schedule these runs again, whose process died; what ended by itself stays as it is."""
    for run in runs:
        state = run.state
        if str(run.id) == flow_run.id or state is None:
            continue
        if run.run_count < MOST_STARTS and (state.is_crashed() or not state.is_final()):
            died = "Its process died; the run is taken up again."
            client.set_flow_run_state(run.id, Scheduled(message=died), force=True)
        elif not state.is_final():
            died = f"Its process died {run.run_count} times; it is not started again."
            client.set_flow_run_state(run.id, Crashed(message=died), force=True)


def plan_next_try(day: date, at: datetime) -> None:
    """One more run of this deployment at that time, unless one is planned already."""
    if deployment.id is None:  # it was started by hand, so nothing would start the next try
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
