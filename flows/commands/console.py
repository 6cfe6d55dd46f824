"""Where commands speak: what was asked for on standard output, what is wrong on standard error."""

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
