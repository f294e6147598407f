"""The page of an explained painting: one HTML file that needs no server and no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.explanation.grid import Axis
from impasto.explanation.record import named_styles
from impasto.files import write_whole
from impasto.lecture.page import charts, in_script, style, whole_page
from impasto.lecture.pictures import data_uri, uri_of
from impasto.media.image.resample import resample_image
from impasto.media.signal import Signal, Values

if TYPE_CHECKING:
    from impasto.explanation.explanation import Explanation

# of the pictures in the page: strokes are to be seen
_QUALITY = 90
# the layer that is shown first, if J looks at it: whole forms, but not yet half of the picture
_FIRST = "relu4_1"


def write_page(explanation: Explanation, path: str | Path, other: Explanation | None = None) -> None:
    """Write the page as one file, whole or not at all, with what is different from another painting if there is one.

    Raises:
        SignalError: it cannot be written.
    """
    write_whole(Path(path), page_of(explanation, other).encode())


def page_of(explanation: Explanation, other: Explanation | None = None) -> str:
    """The whole page, with all figures inside; it makes no request."""
    data, beside = _data(explanation), "null"
    if other is not None:
        beside = in_script(_data(other) | _difference(explanation, other))
    return whole_page(
        f"{explanation.name}, explained",
        page_style(),
        read_text("explain.html"),
        charts() + read_text("explain.js") + f'explain(document.querySelector(".explain"), {in_script(data)}, {beside});',
    )


def _data(explanation: Explanation) -> dict[str, Any]:
    e, (rows, columns) = explanation, explanation.places.counts
    height, width = e.places.shape
    names = named_styles(str(e.record["style"]), Path())
    J = sum(c.total for c in e.costs)  # noqa: N806
    return {
        "name": e.name,
        "generated": uri_of(e.generated, _QUALITY),
        "content": uri_of(e.content, _QUALITY),
        "styles": [
            {
                "name": name,
                "share": share,
                "picture": uri_of(values, _QUALITY),
                "height": values.shape[1],
                "width": values.shape[2],
            }
            for values, (name, share) in zip(e.styles, names, strict=True)
        ],
        "places": {"rows": rows, "columns": columns, "side": e.places.side, "height": height, "width": width},
        "found": next(iter(e.origins.values())).style.shape[2],
        "first": _FIRST if _FIRST in e.origins else list(e.origins)[-1],
        "layers": {layer: _layer(e, layer) for layer in e.origins},
        "costs": [
            {
                "term": c.term,
                "layer": c.layer,
                "weight": c.weight,
                "total": c.total,
                "shares": _packed(e.places.sums(c.pixels), np.float32),
            }
            for c in e.costs
        ],
        "J": J,
        "settings": _told(e.record),
        "about": _about(e, J),
        "footer": f"Made with impasto {version('impasto')}, in {e.seconds:.0f} s. L. A. Gatys, A. S. Ecker, M. Bethge, "
        "A Neural Algorithm of Artistic Style (2015). R. J. Aumann, L. S. Shapley, Values of Non-Atomic Games (1974).",
    }


def _about(e: Explanation, J: float) -> str:  # noqa: N803
    height, width = e.places.shape
    text = f"{e.name}: {e.record['content']} in the style of {e.record['style']}, {width} × {height} pixels. J = {J:.4g}"
    if e.reduced:
        return text + f" at this size; it was painted larger, with a J of {e.record['cost']:.4g}."
    return text + f", computed again from the file; {e.record['cost']:.4g} when it was painted."


def _layer(e: Explanation, layer: str) -> dict[str, Any]:
    origins, (here, *there) = e.origins[layer], e.fields[layer]
    seen = [axis.nearest(e.places.centres(i)) for i, axis in enumerate(here)]
    return {
        "field": here[0].size,
        "rows": [here[0].field(position) for position in seen[0]],
        "columns": [here[1].field(position) for position in seen[1]],
        "styles": [[_fields(axis) for axis in pair] for pair in there],
        "origins": {name: _packed(x, np.float32 if name == "cosine" else np.int16) for name, x in origins._asdict().items()},
    }


def _fields(axis: Axis) -> list[tuple[int, int]]:
    return [axis.field(position) for position in range(len(axis.centres))]


def _difference(one: Explanation, other: Explanation) -> dict[str, Any]:
    """The mean difference of the channels of each pixel, as a grey picture that is white where it is largest."""
    first, second = (np.broadcast_to(e.generated, (3, *e.generated.shape[1:])) for e in (one, other))
    height, width = first.shape[1:]
    apart: Values = np.abs(resample_image(Signal(second), (height, width)).values - first).mean(0)
    most = float(apart.max())
    grey = (255 * apart / max(most, 1e-9)).round().astype(np.uint8)
    return {"difference": data_uri(Image.fromarray(grey), _QUALITY), "apart": float(apart.mean()), "most": most}


def _told(record: Mapping[str, Any]) -> dict[str, str]:
    """The record as people read it; what is open or empty is left out."""
    settings = dict(record["settings"])
    rows = {name: value for name, value in record.items() if name not in ("settings", "impasto")} | settings
    rows["impasto"] = record.get("impasto")
    return {name.replace("_", " "): _text(value) for name, value in rows.items() if value not in (None, "", [], {})}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _packed(values: NDArray[Any], dtype: type) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


def read_text(name: str) -> str:
    """A piece of a page of this room."""
    return files("impasto.explanation").joinpath(name).read_text(encoding="utf-8")


def page_style() -> str:
    """The CSS of the pages of this room."""
    return style() + read_text("explain.css")
