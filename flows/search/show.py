"""Hits as a list to read on a terminal, or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from flows.search.find import Correction
from flows.search.hits import Hit, Piece


def show_json(hits: Sequence[Hit], console: Console) -> None:
    """Print the hits for a script; what was looked for stands between **."""
    rows = [asdict(hit) | {"snippet": _plain(hit.snippet)} for hit in hits]
    console.file.write(json.dumps(rows, default=str, ensure_ascii=False, indent=1) + "\n")


def show_list(hits: Sequence[Hit], corrections: Sequence[Correction], console: Console) -> None:
    """Print the hits; what was looked for stands out, between ** where there is no bold."""
    for correction in corrections:
        instead = f"this is for “{correction.meant}”."
        console.print(f"No paper has “{correction.word}”; {instead}\n", markup=False)
    for hit in hits:
        console.print(_entry(hit, is_bold=console.is_terminal))
    if not hits:
        console.print("No paper that is published has this.")


def _entry(hit: Hit, *, is_bold: bool) -> Text:
    about = [hit.paper_id, str(hit.last_listed_on), f"{hit.upvotes_count} votes"]
    about += filter(None, [hit.organization_name, hit.github_url])
    entry = Text(f"{hit.search_rank:>3}  ")
    entry.append(hit.title, style="bold")
    entry.append(f"\n     {' · '.join(about)}\n", style="dim")
    if hit.snippet:
        entry.append("     ")
        entry.append_text(_bold(hit.snippet) if is_bold else Text(_plain(hit.snippet)))
        entry.append("\n")
    return entry


def _bold(snippet: Sequence[Piece]) -> Text:
    return Text.assemble(*((p.text, "bold yellow" if p.is_hit else "") for p in snippet))


def _plain(snippet: Sequence[Piece]) -> str:
    return "".join(f"**{piece.text}**" if piece.is_hit else piece.text for piece in snippet)
