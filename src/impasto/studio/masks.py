"""Where a content is painted and in which style: what is painted on it, or given as files, becomes settings.

The masks are those of the library: what is protected, and regions, of which each takes the style whose mask has its colour.
Regions that are painted on the content have the labels of the styles, and then all of a style is its region.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.media.image.masks import read_labels, read_protection, regions
from impasto.media.image.read import read_image, scaled_shape
from impasto.media.image.resample import resample_image
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.uploads import Upload

STYLES = ("style", "style 2", "style 3")
PROTECT, PAINTED, CONTENT = "protect", "painted regions", "content"
WORDS: Mapping[str, str] = {
    PROTECT: "what was protected",
    PAINTED: "the regions",
    CONTENT: "the mask of the content",
    **{role: f"the mask of the {role}" for role in STYLES},
}
"""The names of all masks, and what people call them: the file of what is protected; that of the painted regions; and masks
of content and styles that were given as files."""

LABELS = ((32, 32, 32), (47, 111, 181), (224, 152, 20))
"""The colours of the styles in regions that are painted, in the order of :data:`STYLES`."""

LONGEST = 1024
"""Pixels on the longer side of what is painted on."""

_GRID = 256  # pixels at which a mask is tried
_MOST_APART = 0.01  # by which the proportions of two pictures of the same shape may differ


@dataclass(frozen=True)
class Mask:
    """A mask and the shape of the picture for which it was made."""

    file: Upload
    of: tuple[int, ...]


Masks = Mapping[str, Mask]


def check_mask(name: str, file: Upload, of: Upload) -> Mask:
    """A file as a mask of a picture.

    Raises:
        SignalError: it is none; the sentence says why.
    """
    if file.kind != "image":
        raise SignalError(f"{file.name} is {medium_of(file.kind).noun}; a mask is a picture")
    try:
        if name == PROTECT:
            kept = read_protection(file.path, scaled_shape(of.shape, _GRID))
            if not kept.any():
                raise SignalError(f"{file.name} is black everywhere: it would protect nothing")
        else:
            read_labels(file.path)
    except SignalError as error:
        raise SignalError(_named(error, [file])) from None
    return Mask(file, of.shape)


def fitting(masks: Masks, files: Mapping[str, Upload]) -> tuple[dict[str, Mask], list[str]]:
    """The masks that fit the pictures there are now, and the names of those whose picture has got another shape."""
    dropped = [name for name, mask in masks.items() if not _fits(mask, files.get(name if name in STYLES else CONTENT))]
    return {name: mask for name, mask in masks.items() if name not in dropped}, dropped


def in_order(masks: Masks, roles: Sequence[str], folder: Path) -> dict[str, Upload]:
    """The files of the masks for styles of these roles, as if those were the first ones; labels are written to ``folder``.

    Regions that were painted for a style that is not there are those of the first one.

    Raises:
        SignalError: the regions cannot be read.
    """
    found: dict[str, Upload] = {}
    for name, mask in masks.items():
        if name in roles:
            found[STYLES[roles.index(name)]] = mask.file
        elif name == PAINTED and len(roles) > 1:
            found[name] = replace(mask.file, path=_relabelled(mask.file.path, roles, folder))
        elif name in (PROTECT, CONTENT):
            found[name] = mask.file
    return found


def mask_settings(masks: Mapping[str, Upload], styles: int, folder: Path) -> dict[str, Any]:
    """The settings that the masks are for so many styles; labels are written to ``folder``.

    Raises:
        SignalError: a mask cannot be read, or a region has no counterpart.
    """
    found: dict[str, Any] = {}
    roles = STYLES[:styles]
    if PROTECT in masks:
        found["protect"] = str(masks[PROTECT].path)
    if PAINTED in masks:
        found["content_mask"] = str(masks[PAINTED].path)
        found["style_mask"] = tuple(str(_label(number, folder)) for number in range(styles))
    elif CONTENT in masks:
        if not any(role in masks for role in roles):
            raise SignalError("the mask of the content needs one of a style: each tells what the other's colours mean")
        _check_counterparts(masks, roles)
        found["content_mask"] = str(masks[CONTENT].path)
        found["style_mask"] = tuple(str(masks[role].path) if role in masks else "none" for role in roles)
    elif any(role in masks for role in roles):
        raise SignalError("the mask of a style needs one of the content: each tells what the other's colours mean")
    return found


def file_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings with the names of the files alone, as they are told to others."""
    return {
        name: tuple(Path(one).name for one in value) if isinstance(value, tuple) else Path(value).name
        for name, value in settings.items()
    }


def masks_in_words(masks: Iterable[str]) -> list[str]:
    """What masks of these names do to a painting, in a few words each."""
    names = set(masks)
    return (["parts kept"] if PROTECT in names else []) + (["by regions"] if names & {PAINTED, CONTENT} else [])


def preview_mask(name: str, mask: Mask) -> str:
    """The mask as it lies on the content, as a data URI of a PNG: what is protected in white, or the labels."""
    shape = scaled_shape((mask.of[0], mask.of[1]), LONGEST)
    picture = read_image(mask.file.path)
    if name == PROTECT:
        grey = picture.values.mean(0, keepdims=True) * picture.header.get("alpha", 1)
        return data_uri(_png(resample_image(Signal(np.repeat(grey, 3, 0)), shape).values), "png")
    labels = read_labels(mask.file.path).resized(shape)
    return data_uri(_png(np.array(labels.colours)[labels.index].transpose(2, 0, 1) / 255), "png")


def canvas_size(content: Upload) -> tuple[int, int]:
    """Width and height of what masks of a content are painted on."""
    height, width = scaled_shape((content.shape[0], content.shape[1]), LONGEST)
    return width, height


def _fits(mask: Mask, picture: Upload | None) -> bool:
    if picture is None:  # what is taken away may come back
        return True
    if len(picture.shape) != 2 or picture.kind != "image":
        return False
    one, other = (shape[1] / shape[0] for shape in (mask.of, picture.shape))
    return abs(one / other - 1) <= _MOST_APART


def _relabelled(path: Path, roles: Sequence[str], folder: Path) -> Path:
    if list(roles) == list(STYLES):
        return path
    labels = read_labels(path)
    numbers = {LABELS[STYLES.index(role)]: number for number, role in enumerate(roles)}
    colours = [LABELS[numbers.get(colour, 0)] for colour in labels.colours]
    written = folder / f"{path.stem}-{'-'.join(roles).replace(' ', '')}.png"
    write_whole(written, _png(np.array(colours)[labels.index].transpose(2, 0, 1) / 255))
    return written


def _label(number: int, folder: Path) -> Path:
    """A picture of the label alone, as all of the style is its region."""
    path = folder / f"label{number + 1}.png"
    if not path.exists():
        write_whole(path, _png(np.broadcast_to(np.reshape(LABELS[number], (3, 1, 1)) / 255, (3, 8, 8))))
    return path


def _check_counterparts(masks: Mapping[str, Upload], roles: Sequence[str]) -> None:
    try:
        content = read_labels(masks[CONTENT].path)
        styles = [read_labels(masks[role].path) if role in masks else None for role in roles]
        everywhere = np.ones(content.index.shape, np.float32)
        regions(content, styles, everywhere, [(8, 8) if mask is None else mask.index.shape for mask in styles])
    except SignalError as error:
        raise SignalError(_named(error, masks.values())) from None


def _named(error: SignalError, files: Iterable[Upload]) -> str:
    text = str(error)
    for file in files:
        text = text.replace(str(file.path), file.name)
    return text


def _png(values: NDArray[np.floating[Any]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((255 * np.asarray(values)).round().astype(np.uint8).transpose(1, 2, 0)).save(buffer, "PNG")
    return buffer.getvalue()
