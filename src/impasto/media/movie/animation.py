"""Animations: GIF, WebP, PNG and AVIF with several pictures, read and written as movies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from impasto.errors import SignalError
from impasto.files import first_line, is_pattern, one_line_is_enough
from impasto.media.file_type import file_type
from impasto.media.image.read import over_white, read_image, resample_image, scaled_shape
from impasto.media.movie import ANIMATIONS, WRITABLE
from impasto.media.signal import Signal

_READ = (".gif", ".webp", ".png", ".avif")
_LONGEST = {"GIF": 65_535, "WEBP": 16_383, "PNG": 2**31 - 1}
# ticks a second of the clock of each format
_CLOCK = {"GIF": 100, "WEBP": 1000, "PNG": 1000}
# browsers show a frame without a duration, or of a GIF with one of at most the first, for the second; in milliseconds
_SHORTEST_OF_GIF, _UNTOLD = 10, 100
# the shortest duration of a frame that browsers obey, in ticks
_SHORTEST = {"GIF": 2, "WEBP": 1, "PNG": 1}


def is_animation_file(path: Path) -> bool:
    """Whether the first bytes of the file are those of a picture format that can be animated."""
    return file_type(path) in _READ


def is_movie_file(path: Path, output: Path | None) -> bool:
    """Whether a file is a movie, given where the result is to go.

    A file that could be an animation is a movie if several frames are in it and ``output`` is one; or if ``output`` is a GIF
    or an APNG, since a single picture cannot be written as such.
    """
    try:
        if not is_animation_file(path):
            return path.suffix.lower() not in _READ  # a picture's ending on a file of another type
        numbered = output is not None and is_pattern(output)
        if output is None or (output.suffix.lower() not in WRITABLE and not numbered):
            return False
        if output.suffix.lower() in (".gif", ".apng"):
            return True
        with one_line_is_enough(), Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except Exception:
        return False


def read_animation(path: Path, longest: int | None = None) -> Signal:
    """The animation as a movie, see :func:`impasto.media.movie.read.read_movie`; its times are in milliseconds.

    Raises:
        SignalError: it is damaged.
    """
    colours, alphas, durations = [], [], []
    loop: int | None = 0
    try:
        with one_line_is_enough(), Image.open(path) as picture:
            loop = picture.info.get("loop") if picture.format == "GIF" else picture.info.get("loop", 0)
            still = picture.format == "PNG" and bool(picture.info.get("default_image"))
            for i, shown in enumerate(ImageSequence.Iterator(picture)):
                if still and i == 0:  # the still picture for programs that cannot show the animation
                    continue
                shown.load()  # before that the duration is the previous frame's
                durations.append(_duration(shown))
                frame = read_image(shown.copy())
                if longest is not None and max(frame.shape) > longest:
                    frame = resample_image(frame, scaled_shape(frame.shape, longest))
                colours.append(frame.values)
                alphas.append(frame.header.get("alpha", np.ones(frame.shape, np.float32)))
    except SignalError as error:
        raise SignalError(f"{path} cannot be read: {error}") from None
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        raise SignalError(f"{path} cannot be read: {getattr(error, 'strerror', None) or first_line(error)}") from None
    times = [0, *np.cumsum(durations).tolist()]
    header: dict[str, Any] = {
        "times": tuple(times[:-1]),
        "time_base": Fraction(1, 1000),
        "rate": Fraction(1000 * len(durations), times[-1]).limit_denominator(1001),
        "last": durations[-1],
        "loop": loop,
    }
    alpha = np.stack(alphas)
    if alpha.min() < 1:
        header["alpha"] = alpha
    return Signal(np.stack(colours, axis=1), "movie", header)


def _duration(picture: Image.Image) -> int:
    duration = float(picture.info.get("duration") or 0)
    shortest = _SHORTEST_OF_GIF if picture.format == "GIF" else 0
    return max(1, round(duration)) if duration > shortest else _UNTOLD


def encode_animation(movie: Signal, path: Path, comment: str, tell: Callable[[str], None]) -> bytes:
    """The bytes of an animated GIF, WebP or PNG, with ``comment`` inside if the format has a place for it.

    ``tell`` is called with each change that the format requires.

    Raises:
        SignalError: the frames are too large for the format.
    """
    name = ANIMATIONS[path.suffix.lower()]
    longest = max(movie.shape[1:])
    if longest > _LONGEST[name]:
        raise SignalError(f"{path}: {path.suffix} holds at most {_LONGEST[name]} pixels on a side, not {longest}")
    shown, durations = _schedule(movie, name)
    if len(shown) < movie.shape[0]:
        most = _CLOCK[name] // _SHORTEST[name]
        tell(f"{path.suffix} shows at most {most} pictures a second: frames between them are left out")
    alpha = movie.header.get("alpha")
    if name == "GIF" and alpha is not None and ((alpha > 0.02) & (alpha < 0.98)).any():
        tell(".gif knows no half transparent pixels: they are laid on white, or left out")
    buffer = io.BytesIO()
    first, *others = _pictures(movie, shown, name)
    loop = movie.header.get("loop", 0)
    options: dict[str, Any] = {} if loop is None and name == "GIF" else {"loop": loop or 0}
    if name == "GIF":
        options |= {"comment": comment.encode("ascii", "backslashreplace"), "disposal": 2 if "alpha" in movie.header else 0}
    elif name == "WEBP":
        options |= {"quality": 95, "method": 4}
    else:
        info = PngInfo()
        info.add_itxt("Comment", comment)
        options |= {"pnginfo": info}
    try:
        first.save(buffer, name, save_all=True, append_images=others, duration=durations, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise SignalError(f"{path}: the animation cannot be written: {first_line(error)}") from None
    return buffer.getvalue()


def _schedule(movie: Signal, name: str) -> tuple[list[int], list[int]]:
    """The indices of the frames that are shown, and for how many milliseconds each, on the clock of the format."""
    time_base, clock = movie.header.get("time_base", Fraction(1, 25)), _CLOCK[name]
    times = movie.header.get("times", range(movie.shape[0]))
    ticks = [round((time - times[0]) * time_base * clock) for time in times]
    end = round((times[-1] + movie.header.get("last", 1) - times[0]) * time_base * clock)
    shortest = _SHORTEST[name]
    shown = [0]
    for i in range(1, len(ticks)):
        if ticks[i] - ticks[shown[-1]] >= shortest:
            shown.append(i)
    stops = [*(ticks[i] for i in shown), max(end, ticks[shown[-1]] + shortest)]
    return shown, [(b - a) * 1000 // clock for a, b in pairwise(stops)]


def _pictures(movie: Signal, shown: list[int], name: str) -> Iterator[Image.Image]:
    alpha = movie.header.get("alpha")
    for i in shown:
        frame = Signal(movie.values[:, i], header={} if alpha is None else {"alpha": alpha[i]})
        planes = frame.values if alpha is None else np.concatenate([frame.values, alpha[None, i]])
        if name == "GIF" and alpha is not None:  # it has one bit of opacity: partly transparent pixels are laid on white
            solid = alpha[i] >= 0.5
            planes = np.concatenate([over_white(frame).values, solid[None]])
        pixels = (planes.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
        yield Image.fromarray(np.ascontiguousarray(pixels))
