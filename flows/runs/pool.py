"""What a run of a work pool starts beside itself: flow runs that send an issue along with it."""

from datetime import date
from uuid import UUID

from httpx import HTTPError
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment, flow_run

SEND_SHARD = "send-shard"
SEND_SHARD_FLOW = "send shard"


def start_shards(edition: str, issue_date: date, count: int) -> int:
    """Start so many runs of `send-shard` where this run is one of a work pool; how many started.

    A run from a terminal or of `papers serve` starts none, for nobody would take them up. Whatever
    is in the way, this run can send the issue by itself.
    """
    if deployment.id is None:
        return 0
    started = 0
    try:
        with get_client(sync_client=True) as client:
            own = client.read_flow_run(UUID(flow_run.id))
            if own.work_pool_name is None:
                return 0
            shard = client.read_deployment_by_name(f"{SEND_SHARD_FLOW}/{SEND_SHARD}")
            for number in range(count):
                client.create_flow_run_from_deployment(
                    shard.id,
                    parameters={"edition": edition, "issue_date": str(issue_date)},
                    name=f"Sender {number + 2} of {count + 1}, {edition} issue of {issue_date}",
                )
                started += 1
    except ObjectNotFound:
        get_run_logger().warning(
            "the issue is sent by this run alone: the deployment %s is not registered;"
            " `prefect deploy --all --prefect-file infra/prefect.yaml` does it",
            SEND_SHARD,
        )
    except HTTPError as error:
        get_run_logger().warning("%s of %s senders could be started: %s", started, count, error)
    return started
