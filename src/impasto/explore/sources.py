"""What is explored: found in folders, read, and brought to the size at which the network sees it.

``KINDS`` is the one place that knows what a kind of signal is: another kind is another row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from impasto.errors import SignalError
from impasto.signals.image import over_white, read_image, resample_image, scaled_shape, to_pillow
from impasto.signals.signal import Signal, Values

Source = str | Path | Image.Image | np.ndarray[Any, Any] | Signal
"""What a signal is given as: a file, a PIL image, an array (height, width[, 3 or 4]), or a signal."""
Sources = Mapping[str, Source]
Read = TypeVar("Read")


class Kind(NamedTuple):
    """What the explorer needs to know of a kind of signal.

    Attributes:
        endings: of its files, as they are looked for in folders.
        read: a source as a signal.
        fit: the signal as the network sees it, with a longest side of at most so many positions (None: as it is).
        draw: values (channels, *space) as a picture of (width, height) pixels.
    """

    endings: frozenset[str]
    read: Callable[[Any], Signal]
    fit: Callable[[Signal, int | None], Signal]
    draw: Callable[[Values, tuple[int, int]], Image.Image]


def _fit_image(picture: Signal, longest: int | None) -> Signal:
    picture = over_white(picture)
    if longest is None or max(picture.shape) <= longest:
        return picture
    return resample_image(picture, scaled_shape(picture.shape, longest))


def _draw_image(values: Values, size: tuple[int, int]) -> Image.Image:
    picture = to_pillow(Signal(values))
    # a field of few pixels is shown as pixels: smoothed, its colours would be invented
    few = max(picture.size) < max(size) / 4
    return picture.resize(size, Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS)


KINDS: dict[str, Kind] = {
    "image": Kind(
        endings=frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp"}),
        read=read_image,
        fit=_fit_image,
        draw=_draw_image,
    ),
}


def find_sources(given: Source | Iterable[Source] | Sources) -> dict[str, Source]:
    """The sources by name, in the order of their names: files as given, and those of known endings in folders.

    Hidden files are passed over; pictures that are no files are named by their number.

    Raises:
        SignalError: a path does not exist, or there is nothing at all.
    """
    if isinstance(given, Mapping):
        found = {str(name): source for name, source in given.items()}
    else:
        items = [given] if isinstance(given, str | Path | Image.Image | np.ndarray | Signal) else list(given)
        found: dict[str, Source] = {}
        for number, item in enumerate(items):
            if isinstance(item, str | Path):
                found |= {path.as_posix(): path for path in _files(Path(item))}
            else:
                found[f"#{number:06d}"] = item
        if not found:
            folders = ", ".join(str(item) for item in items) or "nothing"
            raise SignalError(f"no picture was found in {folders}")
    return {name: found[name] for name in sorted(found)}


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise SignalError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    endings = frozenset[str]().union(*(kind.endings for kind in KINDS.values()))
    hidden = len(path.parts)
    return [
        file
        for file in path.rglob("*")
        if file.suffix.lower() in endings
        and not any(part.startswith(".") for part in file.parts[hidden:])
        and file.is_file()
    ]


def view(source: Source, size: int | str) -> Signal:
    """The signal as the network sees it: with a longest side of at most ``size``, never enlarged; "full" as it is.

    Raises:
        SignalError: it cannot be read.
    """
    signal = source if isinstance(source, Signal) else _kind_of(source).read(source)
    return KINDS[signal.kind].fit(signal, None if size == "full" else int(size))


def _kind_of(source: Source) -> Kind:
    ending = Path(source).suffix.lower() if isinstance(source, str | Path) else ""
    return next((kind for kind in KINDS.values() if ending in kind.endings), KINDS["image"])


def read_ahead(
    names: Iterable[str], read: Callable[[str], Read], ahead: int = 3
) -> Iterator[tuple[str, Read | SignalError | MemoryError]]:
    """Each name and what is read of it, in order, while those before are worked on; a failure takes its place."""

    def attempt(name: str) -> tuple[str, Read | SignalError | MemoryError]:
        try:
            return name, read(name)
        except (SignalError, MemoryError) as error:
            return name, error

    waiting: deque[Future[tuple[str, Read | SignalError | MemoryError]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        try:
            for name in names:
                waiting.append(reader.submit(attempt, name))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            reader.shutdown(wait=False, cancel_futures=True)
