"""The report: a folder that opens in any browser, without a server and without the network.

``index.html`` is the page. For each layer it reads ``RELU/layer.js`` when the layer is chosen, and the small patches of its
units (``RELU/units-0.jpg``, those of 32 units in one file) as they come into view, so that it opens at once however many
units there are. ``images/`` holds the source images, of which the page cuts the patches that it shows large; what cannot be
cut of them, waves and gradients, has a file for each unit (``RELU/17-gradients.webp``). ``index.json`` is the index itself.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from itertools import count
from math import ceil, sqrt
from pathlib import Path
from typing import IO, Any

from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import BINS, LOWEST, PatchIndex
from impasto.explore.sheet import GAP, mosaic
from impasto.explore.sources import Sources
from impasto.explore.tiles import (
    Panel,
    Tile,
    excited,
    kind_of_index,
    patch_values,
    tile_side,
    tiles_of_images,
    whole_field,
)
from impasto.files import write_whole
from impasto.media.image.write import to_pillow
from impasto.media.registry import medium_of, views
from impasto.media.signal import Signal

TILE = 96
"""Pixels of a side of a small patch: whole blocks of a JPEG, so that no patch bleeds into the next one."""
SOURCE = 640
BEYOND = (150, 144, 134)
"""What a small patch shows beyond the border of its image: neither paper by day nor by night."""
_TOGETHER = 96  # rows of small patches in a file

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
    shown = dict(panels or {"patches": patch_values})
    units = [(layer, unit) for layer, numbers in index.layers.items() for unit in numbers]
    used = sorted({patch.image for layer, unit in units for patch in excited(index.layers[layer][unit])})
    numbers = {name: number for number, name in enumerate(used)}
    seen, side = views()[kind], ceil(sqrt(index.top))
    # the page cuts patches of a source that is as large as the network saw it
    cut = seen.cuts and isinstance(index.size, int) and index.size <= SOURCE
    large = [number for number, panel in enumerate(shown.values()) if not (cut and panel is patch_values)]
    pixels = {layer: tile_side(index, layer, TILE) for layer in index.layers}
    drawn = pixels if large else dict.fromkeys(index.layers, TILE)
    done = count(1)

    def tell(what: str) -> None:
        if on_progress is not None:
            on_progress(next(done), len(used) + len(units), what)

    shapes: list[tuple[int, ...]] = []
    images = tiles_of_images(index, index.units(), drawn, sources=sources, panels=list(shown.values()))
    _make(folder)
    # tiles come image by image, so that each is read once, and are wanted unit by unit: in between they are kept in a file
    with _scratch_in(folder) as file:
        scratch = _Scratch(file, index, dict.fromkeys(large, pixels))
        for name, signal, tiles in images:
            _write_picture(seen.overview(signal, SOURCE), folder / "images" / f"{numbers[name]}.webp")
            shapes.append(signal.shape)
            for tile in tiles:
                scratch.keep(tile)
            tell(name)
        for layer in index.layers:
            for part, together in enumerate(_parts(list(index.layers[layer]), side)):
                strip = Image.new("RGB", (side * TILE, len(together) * side * TILE), BEYOND)
                for at, unit in enumerate(together):
                    for rank, small in enumerate(scratch.small(layer, unit)):
                        strip.paste(small, (rank % side * TILE, (at * side + rank // side) * TILE))
                    for number in large:
                        block = mosaic(scratch.large(layer, unit, number), index.top, pixels[layer])
                        _write_picture(block, folder / layer / f"{unit}-{list(shown)[number]}.webp")
                    if synthesise is not None:
                        _write_picture(to_pillow(synthesise(layer, unit)), folder / layer / f"{unit}-wants.webp")
                    tell(f"{layer}, unit {unit}")
                _write_picture(strip, folder / layer / f"units-{part}.jpg", "JPEG")
    for layer in index.layers:
        data = [_unit_data(index, layer, row, unit, numbers, seen.dims) for row, unit in enumerate(index.layers[layer])]
        _write(folder / layer / "layer.js", f"impasto.layer({_script(layer)},{_script(data)})")
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
        "panels": {name: number in large for number, name in enumerate(shown)},
        "fields": {layer: _field_size(index, layer, seen.dims) for layer in index.layers},
        "synthesised": synthesise is not None,
        "top": index.top,
        "side": side,
        "together": _units_together(side),
        "tiles": pixels,
        "gap": GAP,
        "edges": [0.0, *(2 ** ((LOWEST + i) / 2) for i in range(BINS - 1))],
    }
    index.save(folder / "index.json")
    # the page comes last: where it is, the report is whole
    template = files("impasto.explore").joinpath("report.html").read_text(encoding="utf-8")
    _write(folder / "index.html", template.replace("/*ABOUT*/null", _script(about)))


class _Scratch:
    """Tiles on the disk: those of the first panel small, and those of the panels in ``large`` in their own size too.

    Args:
        file: where they are kept.
        index: whose patches they show.
        large: the side of a tile of each layer, for each panel by its number.
    """

    def __init__(self, file: IO[bytes], index: PatchIndex, large: Mapping[int, Mapping[str, int]]) -> None:
        self._file, self._index, self._large, self._end = file, index, large, 0
        self._places: dict[tuple[str, int, int | None], int] = {}
        for layer, unit in ((layer, unit) for layer, units in index.layers.items() for unit in units):
            self._reserve(layer, unit, None, 3 * TILE**2)
            for panel, pixels in large.items():
                self._reserve(layer, unit, panel, 4 * pixels[layer] ** 2)

    def _reserve(self, layer: str, unit: int, panel: int | None, size: int) -> None:
        self._places[layer, unit, panel] = self._end
        self._end += size * len(excited(self._index.layers[layer][unit]))

    def keep(self, tile: Tile) -> None:
        """Write a tile where it belongs."""
        if tile.panel == 0:
            small = tile.picture if tile.picture.width == TILE else tile.picture.resize((TILE, TILE))
            flat = Image.new("RGB", (TILE, TILE), BEYOND)
            flat.paste(small, mask=small)
            self._write(flat, tile, None)
        if tile.panel in self._large:
            self._write(tile.picture, tile, tile.panel)

    def _write(self, picture: Image.Image, tile: Tile, panel: int | None) -> None:
        data = picture.tobytes()
        self._file.seek(self._places[tile.layer, tile.unit, panel] + tile.rank * len(data))
        self._file.write(data)

    def small(self, layer: str, unit: int) -> list[Image.Image]:
        """The small patches of a unit."""
        return self._read(layer, unit, None, "RGB", TILE)

    def large(self, layer: str, unit: int, panel: int) -> list[Image.Image]:
        """What a panel shows of its patches, in its own size, clear beyond the border."""
        return self._read(layer, unit, panel, "RGBA", self._large[panel][layer])

    def _read(self, layer: str, unit: int, panel: int | None, mode: str, side: int) -> list[Image.Image]:
        self._file.seek(self._places[layer, unit, panel])
        return [
            Image.frombytes(mode, (side, side), self._file.read(len(mode) * side**2))
            for _ in excited(self._index.layers[layer][unit])
        ]


def _units_together(side: int) -> int:
    """How many units share a file, if each has so many rows of patches."""
    return max(1, _TOGETHER // side)


def _parts(units: list[int], side: int) -> list[list[int]]:
    step = _units_together(side)
    return [units[start : start + step] for start in range(0, len(units), step)]


def _field_size(index: PatchIndex, layer: str, dims: int) -> list[int] | None:
    fields = index.fields_of(layer)
    return None if fields is None else [field.size for field in fields[-dims:]]


def _unit_data(index: PatchIndex, layer: str, row: int, unit: int, numbers: Mapping[str, int], dims: int) -> dict[str, Any]:
    patches = [
        [
            numbers[patch.image],
            float(f"{patch.activation:.6g}"),
            [list(interval) for interval in patch.field],
            [list(interval) for interval in whole_field(index, layer, patch, min(dims, 2))],
        ]
        for patch in excited(index.layers[layer][unit])
    ]
    return {"unit": unit, "patches": patches, "histogram": index.histograms[layer][row].tolist()}


def _write_picture(picture: Image.Image, path: Path, known: str = "WEBP") -> None:
    buffer = io.BytesIO()
    picture.save(buffer, known, quality=84, method=0)
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
