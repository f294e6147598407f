"""Numbered pictures, ``frame0001.png``, ``frame0002.png`` and so on, read and written as the frames of a movie."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from impasto.errors import SignalError, SizeError
from impasto.files import is_folder, is_pattern
from impasto.media.image import READABLE
from impasto.media.image.read import read_image, resample_image, scaled_shape
from impasto.media.image.write import encode_image
from impasto.media.movie import WRITABLE
from impasto.media.signal import Signal

log = logging.getLogger("impasto")

_NUMBER = re.compile(r"%(?:0\d+)?d")
_USUAL_RATE = 25
# of the rates of broadcasters: 29.97 frames a second are 30000/1001
_BROADCAST, _ROUNDED = Fraction(1000, 1001), 0.005


class _Name(NamedTuple):
    """The name of a numbered file: what is before and after the number, and its digits."""

    before: str
    digits: str
    after: str


def is_folder_of_frames(path: Path, output: Path | None = None) -> bool:
    """Whether a folder is to become one movie, as it is if ``output`` is one."""
    if output is None or is_folder(output):
        return False
    return output.suffix.lower() in WRITABLE or is_pattern(output)


def numbered_files(pattern: Path) -> dict[int, Path]:
    """The files that a pattern, such as ``frames/frame%04d.png``, stands for, by their numbers and in their order.

    ``%d`` stands for numbers as they are, ``%04d`` for those with zeros before them up to four digits; ``%%`` for a %.

    Raises:
        SignalError: there are none, or the folder cannot be read.
    """
    width = re.search(r"(?<!%)(?:%%)*%(?:0(\d+))?d", pattern.name)
    parts = re.split(r"%(?:0\d+)?d", pattern.name.replace("%%", "\0"))
    if width is None or len(parts) != 2:
        raise SignalError(f"{pattern} is not the pattern of numbered files; one number, as in frame%04d.png, was expected")
    before, after = (re.escape(part.replace("\0", "%")) for part in parts)
    digits = int(width[1] or 1)
    name = re.compile(rf"{before}([0-9]{{{digits}}}|[1-9][0-9]{{{digits},}}){after}")
    try:
        matches = [(file, name.fullmatch(file.name)) for file in pattern.parent.iterdir()]
    except OSError as error:
        raise SignalError(f"{pattern.parent} cannot be read: {error.strerror}") from None
    found = {int(match[1]): file for file, match in matches if match}
    if not found:
        raise SignalError(f"{pattern}: there are no such files")
    return dict(sorted(found.items()))


def pattern_in(folder: Path) -> Path:
    """The pattern of the numbered pictures in a folder.

    Raises:
        SignalError: there are none, or of several patterns; or the folder cannot be read.
    """
    try:
        names = sorted(file.name for file in folder.iterdir() if file.name.lower().endswith(READABLE))
    except OSError as error:
        raise SignalError(f"{folder} cannot be read: {error.strerror}") from None
    found: dict[tuple[str, str], list[str]] = {}
    for name in (_parsed(name) for name in names if not name.startswith(".")):
        if name:
            found.setdefault((name.before, name.after), []).append(name.digits)
    patterns = {_pattern(before, digits, after): len(digits) for (before, after), digits in found.items() if len(digits) > 1}
    if not patterns:
        raise SignalError(f"{folder} holds no numbered pictures, such as frame0001.png, frame0002.png")
    if len(patterns) > 1:
        several = ", ".join(f"{folder / pattern} ({count})" for pattern, count in patterns.items())
        raise SignalError(f"{folder} holds the frames of {len(patterns)} movies; give one of them: {several}")
    ((pattern, count),) = patterns.items()
    if count < len(names):
        log.warning("%s: the frames are %s; other pictures are passed over: %d", folder, pattern, len(names) - count)
    return folder / pattern


def _parsed(name: str) -> _Name | None:
    """The parts of a name that has a number before its ending: the last one counts."""
    stem, dot, ending = name.rpartition(".")
    match = re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", stem, re.DOTALL)
    return match and _Name(match[1], match[2], match[3] + dot + ending)


def _pattern(before: str, digits: list[str], after: str) -> str:
    width = min(map(len, digits))
    number = f"%0{width}d" if width > 1 else "%d"
    return before.replace("%", "%%") + number + after.replace("%", "%%")


def read_frames(source: Path, longest: int | None = None, rate: float | None = None) -> Signal:
    """Numbered pictures as a movie, see :func:`impasto.media.movie.read.read_movie`.

    Args:
        source: a pattern of their names, or the folder that holds them.
        longest: frames with a longer side are scaled down to so many pixels.
        rate: frames a second; 25 if None, which is told.

    Raises:
        SignalError: there are none, one cannot be read, or they are of several sizes.
        SizeError: the frames do not fit into the memory.
    """
    files = numbered_files(pattern_in(source) if is_folder(source) else source)
    first, last = min(files), max(files)
    if missing := last - first + 1 - len(files):
        log.warning(
            "%s: %d of the numbers from %d to %d are missing; those that are there follow", source, missing, first, last
        )
    if rate is None:
        log.warning("%s: %d frames, shown at %d a second; --rate tells another", source, len(files), _USUAL_RATE)
    exact = _exact(rate or _USUAL_RATE)
    values: Any = None
    alpha: Any = None
    for i, file in enumerate(files.values()):
        frame = read_image(file, longest)
        if longest is not None and max(frame.shape) > longest:
            frame = resample_image(frame, scaled_shape(frame.shape, longest))
        if values is None:
            values, alpha = _room(source, len(files), frame)
        if frame.shape != values.shape[2:]:
            size = " x ".join(str(n) for n in reversed(frame.shape))
            expected = " x ".join(str(n) for n in reversed(values.shape[2:]))
            raise SignalError(f"{file} has {size} pixels; {expected}, as the frames before, were expected")
        values[:, i] = frame.values
        alpha[i] = frame.header.get("alpha", 1)
    header = {"times": tuple(range(len(files))), "time_base": 1 / exact, "rate": exact, "last": 1, "numbers": tuple(files)}
    return Signal(values, "movie", header | ({"alpha": alpha} if alpha.min() < 1 else {}))


def encode_frames(movie: Signal, pattern: Path, about: Mapping[str, Any] | None = None) -> Iterator[tuple[Path, bytes]]:
    """The files of the frames of a movie, one by one, each with its path.

    They have the numbers of the content's frames, if it was numbered pictures too; otherwise they are counted from 1.

    Raises:
        SignalError: the pattern has no number or no ending of a picture, or files that are there would be taken for frames.
    """
    numbers = movie.header.get("numbers", range(1, movie.shape[0] + 1))
    names = [pattern.with_name(_numbered(pattern, number)) for number in numbers]
    try:
        others = sorted(set(numbered_files(pattern).values()) - set(names))
    except SignalError:
        others = []
    if others:
        raise SignalError(f"{others[0]} would be taken for one of the frames {pattern.name}: name another folder")
    kept = {"tracks": "sound and subtitles", "chapters": "chapters", "attachments": "attached files"}
    if left_out := [*movie.header.get("left_out", ()), *(name for key, name in kept.items() if movie.header.get(key))]:
        log.warning("%s: numbered pictures have no place for: %s", pattern, ", ".join(left_out))
    for i, name in enumerate(names):
        yield name, encode_image(_frame(movie, i), name, about)


def _numbered(pattern: Path, number: int) -> str:
    if len(_NUMBER.findall(pattern.name.replace("%%", ""))) != 1:
        raise SignalError(f"{pattern} is not the pattern of numbered files; one number, as in frame%04d.png, was expected")
    return pattern.name % number


def _frame(movie: Signal, i: int) -> Signal:
    alpha = {"alpha": movie.header["alpha"][i]} if "alpha" in movie.header else {}
    return Signal(np.ascontiguousarray(movie.values[:, i]), header=alpha)


def _exact(rate: float) -> Fraction:
    broadcast = round(rate / _BROADCAST) * _BROADCAST
    return broadcast if rate % 1 and abs(broadcast - rate) < _ROUNDED else Fraction(rate).limit_denominator(1000)


def _room(source: Path, count: int, frame: Signal) -> tuple[Any, Any]:
    """Arrays for the colours (3, count, height, width) and the opacity (count, height, width) of all frames.

    Raises:
        SizeError: they do not fit into the memory, with as much again for the work.
    """
    height, width = frame.shape
    if 2 * 4 * 4 * count * height * width > psutil.virtual_memory().available:
        raise SizeError(
            f"{source}: {count} frames of {width} x {height} pixels are too many for the memory; give fewer, or a smaller "
            "--size"
        )
    return np.empty((3, count, height, width), np.float32), np.empty((count, height, width), np.float32)
