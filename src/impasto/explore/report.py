"""The report: a folder that opens in any browser, without a server and without the network.

``index.html`` is the page; for each layer it reads ``RELU/layer.js`` when the layer is chosen and the blocks of its units
(``RELU/17.webp``) as they come into view, so that it opens at once however many units there are. ``images/`` holds the
source images, ``index.json`` the index itself.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import BINS, LOWEST, PatchIndex
from impasto.explore.kinds import KINDS
from impasto.explore.sheet import GAP, mosaic
from impasto.explore.sources import Sources
from impasto.explore.tiles import Panel, draw_tiles, excited, patch_values, see
from impasto.signals.files import write_whole
from impasto.signals.image_output import to_pillow
from impasto.signals.signal import Signal

TILE = 96
SOURCE = 480
_UNITS_AT_ONCE = 128

Synthesise = Callable[[str, int], Signal]
"""Makes the picture that a unit of a layer wants to see."""


def write_report(
    index: PatchIndex,
    folder: str | Path,
    *,
    sources: Sources | None = None,
    panels: Mapping[str, Panel] | None = None,
    synthesise: Synthesise | None = None,
    on_layer: Callable[[str], None] | None = None,
) -> None:
    """Write the index as a page for people; it opens from the disk, and can be copied as a folder.

    Args:
        index: what is shown.
        folder: where; it is made if need be, and its files of an earlier report are replaced.
        sources: the images by name, if they are no files.
        panels: what is shown of a patch, by the name under which it is shown; the patch alone if not given.
        synthesise: makes for each unit the picture that it wants to see, if this is to be shown.
        on_layer: called before each layer.

    Raises:
        SignalError: an image cannot be read any more, or a file not be written.
    """
    folder = Path(folder)
    shown = panels or {"patches": patch_values}
    used = sorted({patch.image for units in index.layers.values() for ps in units.values() for patch in excited(ps)})
    numbers = {name: number for number, name in enumerate(used)}
    shapes = [_write_source(index, name, folder / "images" / f"{numbers[name]}.webp", sources) for name in used]
    for layer, units in index.layers.items():
        if on_layer is not None:
            on_layer(layer)
        order = list(units)
        for first in range(0, len(order), _UNITS_AT_ONCE):
            some = order[first : first + _UNITS_AT_ONCE]
            tiles = draw_tiles(index, {layer: some}, TILE, sources=sources, panels=list(shown.values()))
            for unit in some:
                for name, row in zip(shown, tiles[layer, unit], strict=True):
                    _write_picture(mosaic(row, index.top, TILE), folder / layer / f"{unit}{_suffix(name)}.webp")
                if synthesise is not None:
                    _write_picture(to_pillow(synthesise(layer, unit)), folder / layer / f"{unit}-wants.webp")
        data = [_unit_data(index, layer, row, unit, numbers) for row, unit in enumerate(order)]
        _write(folder / layer / "layer.js", f"impasto.layer({_script(layer)},{_script(data)})")
    about = {
        "network": index.network,
        "count": len(index.images),
        "layers": {layer: len(units) for layer, units in index.layers.items()},
        "images": [[name, *shape] for name, shape in zip(used, shapes, strict=True)],
        "panels": {name: _suffix(name) for name in shown},
        "synthesised": synthesise is not None,
        "top": index.top,
        "side": ceil(sqrt(index.top)),
        "tile": TILE,
        "gap": GAP,
        "edges": [0.0, *(2 ** ((LOWEST + i) / 2) for i in range(BINS - 1))],
    }
    index.save(folder / "index.json")
    # the page comes last: where it is, the report is whole
    template = files("impasto.explore").joinpath("report.html").read_text(encoding="utf-8")
    _write(folder / "index.html", template.replace("/*ABOUT*/null", _script(about)))


def _suffix(panel: str) -> str:
    return "" if panel == "patches" else f"-{panel}"


def _unit_data(index: PatchIndex, layer: str, row: int, unit: int, numbers: Mapping[str, int]) -> dict[str, Any]:
    patches = [
        [numbers[patch.image], float(f"{patch.activation:.6g}"), [list(interval) for interval in patch.field]]
        for patch in excited(index.layers[layer][unit])
    ]
    return {"unit": unit, "patches": patches, "histogram": index.histograms[layer][row].tolist()}


def _write_source(index: PatchIndex, name: str, path: Path, sources: Sources | None) -> Sequence[int]:
    signal = see(name, index, sources)
    _write_picture(KINDS[signal.kind].overview(signal, SOURCE), path)
    return signal.shape


def _write_picture(picture: Image.Image, path: Path) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=88, method=2)
    _write(path, buffer.getvalue())


def _write(path: Path, content: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SignalError(f"{path.parent} cannot be made: {error.strerror or error}") from None
    write_whole(path, content.encode() if isinstance(content, str) else content)


def _script(value: Any) -> str:
    """JSON that can stand in a script: no name of a file can end it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
