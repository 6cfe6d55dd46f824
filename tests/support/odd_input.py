"""How much odd input a property gets: enough for every commit, or ten thousand of each kind.

.venv/bin/pytest tests/mailing tests/web tests/newsletter --hypothesis-profile=ten-thousand
"""

from typing import Any

from hypothesis import settings

settings.register_profile("ten-thousand", max_examples=10_000)


def odd_input(examples: int, **options: Any) -> settings:
    """So many examples, or as many as the profile asks for; no limit of time."""
    count = max(examples, settings.default.max_examples) if settings.default else examples
    return settings(max_examples=count, deadline=None, **options)
