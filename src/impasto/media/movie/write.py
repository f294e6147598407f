"""Encodes movies in the container and with the codec that the ending stands for, so that they play everywhere."""

from __future__ import annotations

import heapq
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from impasto.errors import SignalError
from impasto.files import optional_package
from impasto.media.image.read import over_white, resample_image
from impasto.media.movie import ANIMATIONS
from impasto.media.movie.animation import encode_animation
from impasto.media.movie.colour import BT709, LIMITED_RANGE
from impasto.media.movie.frames import scaling
from impasto.media.movie.read import frame_of
from impasto.media.movie.tracks import add_tracks
from impasto.media.signal import Signal

log = logging.getLogger("impasto")


class _Coding(NamedTuple):
    codec: str
    pixels: str
    options: Mapping[str, str] = {}
    longest: int = 65_534
    """The longest side that it can have, in pixels."""
    even: bool = True
    """Whether sides must be even for all players."""
    aspect: bool = True
    """Whether it can have pixels that are not square."""
    bits: int = 8
    """The bits of each colour."""
    opaque: bool = True
    """Whether it has no opacity."""


# nearly lossless, as strokes are fine
_H264 = _Coding("libx264", "yuv420p", {"crf": "14", "preset": "medium"}, longest=16_384)
_VP9 = _Coding("libvpx-vp9", "yuv420p", {"crf": "18", "b": "0", "row-mt": "1"}, aspect=False)
_VP9_ALPHA = _VP9._replace(pixels="yuva420p", opaque=False, options={**_VP9.options, "auto-alt-ref": "0"})
_PRORES = _Coding("prores_ks", "yuva444p10le", {"profile": "4444"}, even=False, bits=10, opaque=False)
_FFV1 = _Coding("ffv1", "bgr0", even=False, aspect=False)
_FFV1_ALPHA = _FFV1._replace(pixels="bgra", opaque=False)


class _Format(NamedTuple):
    container: str
    coding: _Coding
    alpha: _Coding | None = None
    """For movies with opacity; None if it cannot have any."""
    large: tuple[_Coding, _Coding] | None = None
    """For frames too large for the others, without and with opacity."""


_FORMATS: dict[str, _Format] = {
    ".mp4": _Format("mp4", _H264),
    ".m4v": _Format("mp4", _H264),
    ".mov": _Format("mov", _H264, _PRORES),
    ".mkv": _Format("matroska", _H264, _VP9_ALPHA, (_FFV1, _FFV1_ALPHA)),
    ".webm": _Format("webm", _VP9, _VP9_ALPHA),
}
# the pixel format of frames that FFmpeg is given, by (more than 8 bits, opaque)
_GIVEN = {(False, True): "rgb24", (False, False): "rgba", (True, True): "rgb48le", (True, False): "rgba64le"}
# the relative error of the shape of a pixel that nobody sees
_UNSEEN = 0.01
_FRAME_DURATION = 1 << 8  # FFmpeg's AV_CODEC_FLAG_FRAME_DURATION
# no random numbers in the file, so that the same movie is the same file
_SAME_BYTES = {"fflags": "+bitexact"}
_CHAPTERS = ("mp4", "mov", "matroska", "webm")


def encode_movie(movie: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the movie in the format that the ending of ``path``, one of ``WRITABLE``, stands for.

    .mp4, .m4v, .mov and .mkv are H.264 and .webm is VP9, both with 4:2:0 colours and even sides, which play everywhere. With
    opacity .mov is ProRes 4444, and .mkv and .webm are VP9. .gif, .webp and .apng are animations.
    Frames keep their time stamps, and pixels their shape. Sounds, subtitles, chapters and attachments are copied if the
    format can hold them, otherwise transcoded or left out; there is a warning for this and all other changes. ``about``, the
    record of how it was made, becomes the comment of the file, as JSON. A signal without times runs at 25 frames a second.

    Raises:
        SignalError: the format cannot hold frames of this size.
    """
    suffix = Path(path).suffix.lower()
    told: set[str] = set()

    def tell(what: str) -> None:
        if what not in told:
            log.warning("%s: %s", path, what)
        told.add(what)

    left_out = list(movie.header.get("left_out", ()))
    comment = json.dumps(about or {})
    if suffix in ANIMATIONS:
        names = {"tracks": "sound and subtitles", "chapters": "chapters", "attachments": "attached files"}
        left_out += [name for key, name in names.items() if movie.header.get(key)]
        if left_out:
            tell(f"an animation has no place for: {', '.join(left_out)}")
        _tell_depth(movie, 8, tell)
        return encode_animation(movie, Path(path), comment, tell)
    av: Any = optional_package("av", Path(path), "movies")
    container_name, coding = _FORMATS[suffix].container, _coding(movie, suffix, path, tell)
    _tell_depth(movie, coding.bits, tell)
    buffer = io.BytesIO()
    try:
        with ExitStack() as stack:
            container = stack.enter_context(av.open(buffer, "w", format=container_name, options=_SAME_BYTES))
            container.metadata.update(movie.header.get("metadata", {}))
            container.metadata["comment"] = comment
            stream = _picture_stream(container, movie, coding)
            tracks = add_tracks(av, container, movie.header.get("tracks", ()), tell, stack)
            left_out += _add_others(container, movie, container_name)
            if left_out:
                tell(f"left out: {', '.join(left_out)}")
            container.start_encoding()
            _mux(av, container, _encoded(av, stream, movie, coding), tracks)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        height, width = movie.shape[1:]
        raise SignalError(
            f"{path}: a movie of {width} x {height} pixels cannot be written: {getattr(error, 'strerror', None) or error}"
        ) from None
    return buffer.getvalue()


def _tell_depth(movie: Signal, bits: int, tell: Callable[[str], None]) -> None:
    if movie.header.get("bits", 8) > bits:
        tell(f"frames are written with {bits} bits a colour, not {movie.header['bits']}")


def _coding(movie: Signal, suffix: str, path: str | Path, tell: Callable[[str], None]) -> _Coding:
    """How the frames are coded in a file with this ending.

    Raises:
        SignalError: they are too large.
    """
    form, opaque = _FORMATS[suffix], "alpha" not in movie.header
    coding = form.coding if opaque or form.alpha is None else form.alpha
    if not opaque and form.alpha is None:
        tell(f"{suffix} holds no transparency: the movie is laid on white (.webm, .mov and .mkv keep it)")
    longest = max(_stored(movie, coding))
    if longest > coding.longest and form.large:
        tell(f"{longest} pixels are too many for {coding.codec}, so frames are written as FFV1, which few programs play")
        coding = form.large[not opaque]
    if longest > coding.longest:
        raise SignalError(
            f"{path}: {suffix} holds at most {coding.longest} pixels a side, not {longest}; give a smaller --size, or .mkv"
        )
    if coding.even and any(n % 2 for n in _stored(movie, coding)):
        tell("players need even sides: the last row or column of pixels is repeated")
    return coding


def _stored(movie: Signal, coding: _Coding) -> tuple[int, int]:
    """(height, width) of the frames as they are stored."""
    aspect, (height, width) = Fraction(movie.header.get("aspect", 1)), movie.shape[1:]
    if not coding.aspect or aspect == 1:
        return height, width
    step = 2 if coding.even else 1

    def shorter(side: int, by: Fraction) -> int:
        return max(step, step * round(side / by / step))

    return (height, shorter(width, aspect)) if aspect > 1 else (shorter(height, 1 / aspect), width)


def _pixel_aspect(movie: Signal, coding: _Coding) -> Fraction:
    """The width of a stored pixel divided by its height: the file's, unless rounding of a small side has changed it."""
    (height, width), (rows, columns) = movie.shape[1:], _stored(movie, coding)
    told, exact = Fraction(movie.header["aspect"]), Fraction(width * rows, columns * height)
    return told if abs(exact / told - 1) < _UNSEEN else exact


def _picture_stream(container: Any, movie: Signal, coding: _Coding) -> Any:
    rate = movie.header.get("rate", Fraction(25))
    options = dict(coding.options)
    if coding.codec == "libx264" and len({b - a for a, b in pairwise(movie.header.get("times", ()))}) > 1:
        options["bf"] = "0"  # with B-frames MP4 would get the length from decoding times, far from presentation times
    stream = container.add_stream(coding.codec, rate=rate, options=options)
    stream.height, stream.width = (n + n % 2 if coding.even else n for n in _stored(movie, coding))
    stream.pix_fmt = coding.pixels
    context = stream.codec_context
    context.time_base = movie.header.get("time_base", 1 / rate)
    context.flags |= _FRAME_DURATION
    if coding.aspect and "aspect" in movie.header:
        context.sample_aspect_ratio = _pixel_aspect(movie, coding)
    if not coding.pixels.startswith("bgr"):
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
    if coding is _VP9_ALPHA:
        stream.metadata["alpha_mode"] = "1"
    return stream


def _encoded(av: Any, stream: Any, movie: Signal, coding: _Coding) -> Iterator[Any]:
    """The packets of the video stream."""
    count, time_base = movie.shape[0], stream.codec_context.time_base
    times = movie.header.get("times", range(count))
    durations = [b - a for a, b in pairwise(times)] + [movie.header.get("last", 1)]
    stored, given = _stored(movie, coding), _GIVEN[coding.bits > 8, coding.opaque]
    beyond = [(0, side - own) for side, own in zip((stream.height, stream.width), stored, strict=True)]
    whole = np.uint8 if coding.bits == 8 else np.uint16
    for i, (start, duration) in enumerate(zip(times, durations, strict=True)):
        picture = frame_of(movie, i)
        picture = resample_image(over_white(picture) if coding.opaque else picture, stored)
        planes = picture.values if coding.opaque else np.concatenate([picture.values, picture.header["alpha"][None]])
        samples = (planes.clip(0, 1) * np.iinfo(whole).max).round().astype(whole).transpose(1, 2, 0)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.pad(samples, [*beyond, (0, 0)], "edge")), format=given)
        frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=BT709, interpolation=scaling(av))
        if not coding.pixels.startswith("bgr"):
            frame.colorspace, frame.color_range = BT709, LIMITED_RANGE
        frame.pts, frame.time_base, frame.duration = start, time_base, duration
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _add_others(container: Any, movie: Signal, name: str) -> Iterator[str]:
    """Add chapters and attachments; yields the names of those that the container cannot hold."""
    if chapters := movie.header.get("chapters"):
        if name in _CHAPTERS:
            container.set_chapters(list(chapters))
        else:
            yield "chapters"
    attachments = movie.header.get("attachments", ())
    if attachments and name != "matroska":
        yield "attached files"
    elif attachments:
        for attachment in attachments:
            container.add_attachment(*attachment)


def _mux(av: Any, container: Any, pictures: Iterator[Any], tracks: list[Iterator[Any]]) -> None:
    """Write all packets in the order of their times; those of tracks that FFmpeg refuses are damaged, and skipped."""

    def timed(packets: Iterator[Any], *, spared: bool) -> Iterator[tuple[float, bool, Any]]:
        for packet in packets:
            yield float(packet.dts * packet.time_base), spared, packet

    streams = [timed(pictures, spared=False), *(timed(packets, spared=True) for packets in tracks)]
    for _, spared, packet in heapq.merge(*streams, key=lambda item: item[0]):
        with suppress(av.error.FFmpegError) if spared else ExitStack():
            container.mux(packet)
