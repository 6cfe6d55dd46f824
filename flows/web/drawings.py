"""Small line drawings of votes over time, as inline SVG that needs no script and no style."""

from collections.abc import Sequence
from html import escape

from flows.publication.cards import Vote
from flows.wording import counted, moment

_SMALL = (120, 24)
_LARGE = (640, 160)
_MARGIN = 4


def sparkline(votes: Sequence[Vote]) -> str:
    """How the votes grew, 120 by 24, with a title for screen readers; "" below two readings."""
    if len(votes) < 2:
        return ""
    first, last = votes[0], votes[-1]
    title = f"from {first.upvotes_count:,} to {counted(last.upvotes_count, 'vote')}"
    return _svg(votes, _SMALL, title, has_dots=False)


def vote_curve(votes: Sequence[Vote]) -> str:
    """The votes with a dot a reading, 640 by 160; "" below two readings."""
    if len(votes) < 2:
        return ""
    first, last = votes[0], votes[-1]
    title = (
        f"{counted(first.upvotes_count, 'vote')} at {moment(first.read_at)} UTC,"
        f" {last.upvotes_count:,} at {moment(last.read_at)} UTC,"
        f" in {counted(len(votes), 'reading')}"
    )
    return _svg(votes, _LARGE, title, has_dots=True)


def _svg(votes: Sequence[Vote], size: tuple[int, int], title: str, *, has_dots: bool) -> str:
    width, height = size
    began, ended = votes[0].read_at.timestamp(), votes[-1].read_at.timestamp()
    most = max(vote.upvotes_count for vote in votes)
    least = min(vote.upvotes_count for vote in votes)
    points = [
        (
            _MARGIN
            + (width - 2 * _MARGIN) * (v.read_at.timestamp() - began) / (ended - began or 1),
            height
            - _MARGIN
            - (height - 2 * _MARGIN) * (v.upvotes_count - least) / (most - least or 1),
        )
        for v in votes
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{vote.upvotes_count:,} ·'
        f" {moment(vote.read_at)} UTC</title></circle>"
        for (x, y), vote in zip(points, votes, strict=True)
    )
    return (
        f'<svg class="votes-drawn" role="img" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}"><title>{escape(title)}</title><polyline points="{line}"/>'
        f"{dots if has_dots else ''}</svg>"
    )
