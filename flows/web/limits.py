"""How often somebody may ask: token buckets in memory, bounded in number."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(frozen=True)
class Rate:
    """`burst` at once, and one more every `seconds`."""

    burst: int
    seconds: float


@dataclass(frozen=True)
class RateLimits:
    """What the pages allow one client, and how many mails may be asked for to one address.

    `reads` is what no reader meets: fifty pages a second, after three thousand at once.
    """

    reads: Rate = Rate(burst=3000, seconds=0.02)
    posts: Rate = Rate(burst=30, seconds=4)
    subscriptions: Rate = Rate(burst=10, seconds=120)
    mails_to_address: Rate = Rate(burst=3, seconds=4 * 3600)


class Buckets:
    """One bucket a name. Only the names seen last are kept, so that no flood fills the memory."""

    def __init__(
        self, rate: Rate, kept_count: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with every bucket full."""
        self._rate, self._kept_count, self._clock = rate, kept_count, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Take one; 0 if there was one, else the seconds until there is."""
        with self._lock:
            now = self._clock()
            full_at = max(now, self._full_at.get(name, now)) + self._rate.seconds
            wait = full_at - now - self._rate.burst * self._rate.seconds
            if wait > 0:
                return wait
            self._full_at[name] = full_at
            self._full_at.move_to_end(name)
            if len(self._full_at) > self._kept_count:
                self._full_at.popitem(last=False)
            return 0.0


def client_name(host: str) -> str:
    """Who asks: an IPv4 address, or the network of an IPv6 one, for a home has 2^64 of those."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)
