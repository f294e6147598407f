"""What a painting says of itself, and the files it was painted from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.errors import SignalError
from impasto.files import existing_file, one_line_is_enough
from impasto.media.styles import Source, Style, shares

_IMAGE_DESCRIPTION = 0x010E
_BLENDED = re.compile(r"(\S.*?):([0-9.e+-]+)(?: |$)")


def record_in(path: str | Path) -> dict[str, Any]:
    """The record that :meth:`impasto.Painting.write` has put into a picture.

    Raises:
        SignalError: there is no such file, or no record in it.
    """
    path = existing_file(path, "a painting of impasto")
    try:
        with one_line_is_enough(), Image.open(path) as picture:
            text = picture.info.get("impasto") or picture.getexif().get(_IMAGE_DESCRIPTION)
        record = json.loads(text or "")
        dict(record["settings"])
    except Exception:  # anything can be wrong with a file from outside; then it carries no record
        raise SignalError(
            f"{path} does not say how it was painted; a picture by impasto, with its settings inside, was expected"
        ) from None
    return record


def sources_of(
    path: Path, record: Mapping[str, Any], content: Source | None, style: Style | Sequence[Style] | None
) -> tuple[Source, list[tuple[Source, float]]]:
    """Content and styles of a painting: those given, or the files of the recorded names beside it.

    Raises:
        SignalError: one of them is neither given nor there, or another number of styles was given.
    """
    names = named_styles(str(record.get("style", "")), path.parent)
    given = [] if style is None else [source for source, _ in shares(style)]
    if given and len(given) != len(names):
        raise SignalError(
            f"{path} was painted in {_counted(len(names))}; {len(given)} {'was' if len(given) == 1 else 'were'} given"
        )
    one = _beside(path, str(record.get("content", "")), "content") if content is None else content
    files = given or [_beside(path, name, "style") for name, _ in names]
    return one, [(file, share) for file, (_, share) in zip(files, names, strict=True)]


def named_styles(text: str, folder: Path) -> list[tuple[str, float]]:
    """The names of the styles with their shares, as :func:`impasto.media.styles.names_of` has written them."""
    found = [(name, float(share)) for name, share in _BLENDED.findall(text)]
    return found if len(found) > 1 and not (folder / text).is_file() else [(text, 1.0)]


def _beside(path: Path, name: str, what: str) -> Path:
    for folder in (path.parent, Path()):
        if name and (folder / name).is_file():
            return folder / name
    raise SignalError(
        f"the {what} of {path}, {name or 'a picture without a name'}, is not beside it; give it with --{what} FILE"
    )


def _counted(n: int) -> str:
    return "one style" if n == 1 else f"{n} styles"
