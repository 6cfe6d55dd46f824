"""A sample Hub that takes its time, as the Hub does over a network."""

import time

from flows.sources.sample.api import Request, SampleResponse
from flows.sources.sample_hub import SampleHub


class SlowHub(SampleHub):
    """Answers each request after `pause` seconds: reading is then what takes the time."""

    pause = 0.0

    def answer(self, request: Request) -> SampleResponse:
        time.sleep(self.pause)
        return super().answer(request)
