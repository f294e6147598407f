"""What a notebook shows of an index of patches: its layers, and the units that were excited most."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.explore.index import PatchIndex

# units of a layer that are listed
_UNITS = 5


def as_html(index: PatchIndex) -> str:
    """A table with a row for each layer."""
    size = f"{index.size}" if isinstance(index.size, int) else "full size"
    state = "" if index.complete else ", not complete"
    rows: list[str] = []
    for layer, units in index.layers.items():
        first = {unit: patches[0] for unit, patches in units.items() if patches and patches[0].activation > 0}
        best = sorted(first, key=lambda unit: -first[unit].activation)[:_UNITS]
        told = ", ".join(f"{unit} ({first[unit].activation:.4g})" for unit in best) or "none"
        where = escape(first[best[0]].image) if best else ""
        cells = (escape(layer), str(len(units)), str(len(first)), told, where)
        rows.append("<tr>" + "".join(f'<td style="text-align: left">{cell}</td>' for cell in cells) + "</tr>")
    names = ("layer", "units", "excited", "most of all", "the first of these by")
    head = "".join(f'<th style="text-align: left">{name}</th>' for name in names)
    caption = f"{index.top} patches a unit of {escape(index.network)}, over {len(index.images)} images at {size}{state}"
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
