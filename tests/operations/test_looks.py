"""Looking makes no run fail, and no run makes a look fail: two processes over one warehouse."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flows.outcome import Outcome
from tests.support.clock import CLOSED, DAY

Run = Callable[..., Outcome]
LOOKS = 30

# What `papers status`, `doctor`, `check` and `sql` call, over and over, until the file is there.
LOOKER = """
import json, sys
from pathlib import Path
from flows import clock
from flows.operations.dead_man_check import look
from flows.operations.doctor import examine
from flows.operations.status import overview
from flows.publication.published import NotPublishedError
from flows.publication.query import answer, published
from flows.settings import load_settings

stop, settings = Path(sys.argv[1]), load_settings()
rounds, troubles = 0, []
while not stop.exists():
    rounds += 1
    try:
        overview(settings)
        list(examine(settings, None, clock.utc_now()))
        look(settings, clock.utc_now())
        with published(settings.published_path) as connection:
            answer(connection, "select count(*) from listings", "json")
    except NotPublishedError:
        pass
    except Exception as error:
        troubles.append(repr(error))
print(json.dumps({"rounds": rounds, "troubles": troubles}))
"""


@pytest.mark.torture
def test_thirty_looks_beside_runs_disturb_none_of_them(
    run: Run, own_home: Path, tmp_path: Path
) -> None:
    stop = tmp_path / "stop"
    looker = subprocess.Popen(
        [sys.executable, "-c", LOOKER, str(stop)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    verdicts = [
        run(DAY + timedelta(days=later), CLOSED + timedelta(days=later)).verdict
        for later in (0, 1, 4)
    ]
    stop.touch()
    said, _ = looker.communicate(timeout=120)
    seen = json.loads(said)
    assert verdicts == ["complete", "complete", "complete"]
    assert seen["troubles"] == []
    assert seen["rounds"] >= LOOKS
