"""The report: a folder that opens in any browser, without a server and without the network.

``index.html`` is the page; for each layer it reads ``RELU/layer.js`` when the layer is chosen and the blocks of its units
(``RELU/17.webp``) as they come into view, so that it opens at once however many units there are. ``images/`` holds the
source images, ``index.json`` the index itself.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from itertools import count, product
from math import ceil, sqrt
from pathlib import Path
from typing import IO, Any

from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import BINS, LOWEST, PatchIndex
from impasto.explore.sheet import GAP, mosaic
from impasto.explore.sources import Sources
from impasto.explore.tiles import Panel, excited, kind_of_index, patch_values, tile_side, tiles_of_images
from impasto.files import write_whole
from impasto.media.image.write import to_pillow
from impasto.media.registry import medium_of, views
from impasto.media.signal import Signal

TILE = 96
SOURCE = 480

Synthesise = Callable[[str, int], Signal]
"""Makes the picture that a unit of a layer wants to see."""


def write_report(
    index: PatchIndex,
    folder: str | Path,
    *,
    sources: Sources | None = None,
    panels: Mapping[str, Panel] | None = None,
    synthesise: Synthesise | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Write the index as a page for people; it opens from the disk, and can be copied as a folder.

    Args:
        index: what is shown.
        folder: where; it is made if need be, and its files of an earlier report are replaced.
        sources: the images by name, if they are no files.
        panels: what is shown of a patch, by the name under which it is shown; the patch alone if not given.
        synthesise: makes for each unit the picture that it wants to see, if this is to be shown.
        on_progress: called after each image and then after each unit: how many are done, of how many, and what it was.

    Raises:
        SignalError: an image cannot be read any more, or a file not be written.
    """
    folder, kind = Path(folder), kind_of_index(index, sources)
    shown = panels or {"patches": patch_values}
    units = [(layer, unit) for layer, numbers in index.layers.items() for unit in numbers]
    used = sorted({patch.image for layer, unit in units for patch in excited(index.layers[layer][unit])})
    numbers = {name: number for number, name in enumerate(used)}
    pixels = {layer: tile_side(index, layer, TILE) for layer in index.layers}
    offsets, end = dict[tuple[str, int, int], int](), 0
    for (layer, unit), panel in product(units, range(len(shown))):
        offsets[layer, unit, panel] = end
        end += index.top * _tile_bytes(pixels[layer])
    done = count(1)

    def tell(what: str) -> None:
        if on_progress is not None:
            on_progress(next(done), len(used) + len(units), what)

    shapes: list[tuple[int, ...]] = []
    images = tiles_of_images(index, index.units(), pixels, sources=sources, panels=list(shown.values()))
    _make(folder)
    # tiles come image by image, so that each is read once, and are wanted unit by unit: in between they are kept in a file
    with _scratch_in(folder) as scratch:
        for name, signal, tiles in images:
            _write_picture(views()[signal.kind].overview(signal, SOURCE), folder / "images" / f"{numbers[name]}.webp")
            shapes.append(signal.shape)
            for tile in tiles:
                before = tile.rank * _tile_bytes(pixels[tile.layer])
                scratch.seek(offsets[tile.layer, tile.unit, tile.panel] + before)
                scratch.write(tile.picture.tobytes())
            tell(name)
        for layer, unit in units:
            for panel, name in enumerate(shown):
                scratch.seek(offsets[layer, unit, panel])
                side = pixels[layer]
                row = [
                    Image.frombytes("RGBA", (side, side), scratch.read(_tile_bytes(side)))
                    for _ in excited(index.layers[layer][unit])
                ]
                _write_picture(mosaic(row, index.top, side), folder / layer / f"{unit}{_suffix(name)}.webp")
            if synthesise is not None:
                _write_picture(to_pillow(synthesise(layer, unit)), folder / layer / f"{unit}-wants.webp")
            tell(f"{layer}, unit {unit}")
    for layer in index.layers:
        data = [_unit_data(index, layer, row, unit, numbers) for row, unit in enumerate(index.layers[layer])]
        _write(folder / layer / "layer.js", f"impasto.layer({_script(layer)},{_script(data)})")
    seen = views()[kind]
    about = {
        "network": index.network,
        "noun": kind,
        "nouns": medium_of(kind).plural(len(index.images)),
        "measure": seen.measure,
        "line": seen.line,
        "dims": seen.dims,
        "count": len(index.images),
        "layers": {layer: len(units) for layer, units in index.layers.items()},
        "images": [[name, *shape] for name, shape in zip(used, shapes, strict=True)],
        "panels": {name: _suffix(name) for name in shown},
        "synthesised": synthesise is not None,
        "top": index.top,
        "side": ceil(sqrt(index.top)),
        "tiles": pixels,
        "gap": GAP,
        "edges": [0.0, *(2 ** ((LOWEST + i) / 2) for i in range(BINS - 1))],
    }
    index.save(folder / "index.json")
    # the page comes last: where it is, the report is whole
    template = files("impasto.explore").joinpath("report.html").read_text(encoding="utf-8")
    _write(folder / "index.html", template.replace("/*ABOUT*/null", _script(about)))


def _tile_bytes(pixels: int) -> int:
    return 4 * pixels**2


def _suffix(panel: str) -> str:
    return "" if panel == "patches" else f"-{panel}"


def _unit_data(index: PatchIndex, layer: str, row: int, unit: int, numbers: Mapping[str, int]) -> dict[str, Any]:
    patches = [
        [numbers[patch.image], float(f"{patch.activation:.6g}"), [list(interval) for interval in patch.field]]
        for patch in excited(index.layers[layer][unit])
    ]
    return {"unit": unit, "patches": patches, "histogram": index.histograms[layer][row].tolist()}


def _write_picture(picture: Image.Image, path: Path) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=88, method=2)
    _write(path, buffer.getvalue())


def _write(path: Path, content: str | bytes) -> None:
    _make(path.parent)
    write_whole(path, content.encode() if isinstance(content, str) else content)


@contextmanager
def _scratch_in(folder: Path) -> Iterator[IO[bytes]]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        raise SignalError(f"{folder} cannot be written: {error.strerror or error}") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SignalError(f"{folder} cannot be made: {error.strerror or error}") from None


def _script(value: Any) -> str:
    """JSON that can stand in a script: no name of a file can end it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
