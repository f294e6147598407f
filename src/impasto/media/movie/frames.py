"""Decodes the frames of a movie as sRGB: deinterlaced, upright, with square pixels, without the damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from impasto.errors import SignalError, SizeError
from impasto.media.image.read import scaled_shape
from impasto.media.movie.colour import LIMITED_RANGE, matrix_of, to_srgb, told_of

# decoders that read the opacity of VP8 and VP9, which FFmpeg's own ignore
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_TOP_FIRST, _BOTTOM_FIRST = (2, 4), (3, 5)
_WIDEST_PIXEL = 8


@dataclass
class Frames:
    """The decoded frames of a movie.

    Attributes:
        colours: each frame, (height, width, 3 or, with opacity, 4), unsigned integers over their full range.
        times: the start of each frame, in units of the stream's time base; None if the file does not tell.
        last: the duration of the last frame, in the same units; 0 if the file does not tell.
        aspect: the width of a stored pixel divided by its height; ``colours`` have square ones.
        bits: the bits of each colour in the file.
        damaged: how many frames could not be decoded, or were decoded with errors.
        told: warnings, each in a few words; a dict to have each once and in order.
    """

    colours: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    times: list[int | None] = field(default_factory=list[int | None])
    last: int = 0
    aspect: Fraction = Fraction(1)
    bits: int = 8
    damaged: int = 0
    told: dict[str, None] = field(default_factory=dict[str, None])


def scaling(av: Any) -> int:
    """Flags for FFmpeg's scaler: Lanczos, exact rounding and full chroma; otherwise colours drift by a level or two."""
    flags = av.video.reformatter.Interpolation
    return int(flags.LANCZOS | flags.ACCURATE_RND | flags.FULL_CHR_H_INT | flags.FULL_CHR_H_INP)


def decode_frames(av: Any, container: Any, stream: Any, longest: int | None, path: Path) -> Frames:
    """All frames of a stream, scaled down to at most ``longest`` pixels on their longest side.

    Raises:
        SignalError: the frames change their size.
        SizeError: they do not fit into the memory.
    """
    frames = Frames()
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if aspect and 1 / _WIDEST_PIXEL <= aspect <= _WIDEST_PIXEL:
        frames.aspect = Fraction(aspect)
    matrix, stored = None, None
    for frame, time in _progressive(av, stream, _decoded(av, container, stream, frames), frames):
        size = (frame.height, frame.width)
        if stored not in (None, size):
            raise SignalError(
                f"{path} changes its size at frame {len(frames.colours) + 1}; frames of one size were expected"
            )
        matrix = _display_matrix(frame) or matrix
        stored, shape = size, _square(size, frames.aspect)
        if longest is not None and max(shape) > longest:
            # even sides, as video subsamples colours
            height, width = scaled_shape(shape, longest)
            shape = (max(2, 2 * round(height / 2)), max(2, 2 * round(width / 2)))
        colours = _srgb(av, frame, shape, frames)
        frames.colours.append(_upright(colours, matrix))
        frames.times.append(time)
        frames.last = frame.duration or 0
        # bytes as float32, twice
        needed = 2 * 4 * len(frames.colours) * colours.size
        if len(frames.colours) % 16 == 0 and needed > psutil.virtual_memory().available:
            raise SizeError(
                f"{path} at {shape[1]} x {shape[0]} pixels is too long for the memory: {len(frames.colours)} frames fit; "
                "cut it, or give a smaller --size"
            )
    if matrix and _turned(matrix):
        frames.aspect = 1 / frames.aspect
    return frames


def _decoded(av: Any, container: Any, stream: Any, frames: Frames) -> Iterator[Any]:
    """The frames of the stream; packets that cannot be decoded are skipped and counted."""
    context = stream.codec_context
    if stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) == "1" and context.name in _WITH_ALPHA:
        context = av.CodecContext.create(_WITH_ALPHA[context.name], "r")
        context.extradata = stream.codec_context.extradata
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):
            packet = None  # read_movie compares the length with the promised one
        if packet is None:
            return
        try:
            decoded = context.decode(packet if packet.size else None)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            frames.damaged += 1
            continue
        for frame in decoded:
            frames.damaged += bool(frame.is_corrupt or packet.is_corrupt)
            yield frame


def _progressive(av: Any, stream: Any, decoded: Iterator[Any], frames: Frames) -> Iterator[tuple[Any, int | None]]:
    """Each frame with its start, deinterlaced if it is interlaced."""
    order = stream.codec_context.field_order
    graph, waiting = None, []
    for frame in decoded:
        by_container = order in _TOP_FIRST + _BOTTOM_FIRST and not frame.interlaced_frame
        if graph is None and (frame.interlaced_frame or by_container):
            graph = _deinterlacer(av, stream, frame, ("tff" if order in _TOP_FIRST else "bff") if by_container else None)
            frames.told["interlaced frames are deinterlaced"] = None
        if graph is None:
            yield frame, frame.pts
            continue
        waiting.append(frame)
        graph.push(frame)
        yield from _pulled(av, graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _pulled(av, graph, waiting)


def _deinterlacer(av: Any, stream: Any, frame: Any, order: str | None) -> Any:
    """FFmpeg's filter bwdif, with one frame out for each frame in; frames not marked as interlaced stay as they are.

    ``order`` marks all frames as interlaced, if only the container tells that they are and which field comes first.
    """
    graph = av.filter.Graph()
    chain = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base),
        *([graph.add("setfield", order)] if order else []),
        graph.add("bwdif", "mode=send_frame:parity=auto:deint=" + ("all" if order else "interlaced")),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain)
    graph.configure(auto_buffer=False)
    return graph


def _pulled(av: Any, graph: Any, waiting: list[Any]) -> Iterator[tuple[Any, int | None]]:
    while waiting:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        given = waiting.pop(0)  # the filter loses its tags and times
        frame.colorspace, frame.color_range = given.colorspace, given.color_range
        frame.color_trc, frame.color_primaries = given.color_trc, given.color_primaries
        frame.duration = given.duration
        yield frame, given.pts


def _square(size: tuple[int, int], aspect: Fraction) -> tuple[int, int]:
    """(height, width) with square pixels; never smaller along an axis."""
    height, width = size
    return (height, max(1, round(width * aspect))) if aspect >= 1 else (max(1, round(height / aspect)), width)


def _srgb(av: Any, frame: Any, shape: tuple[int, int], frames: Frames) -> NDArray[Any]:
    """The frame as sRGB with its opacity, (height, width, 3 or 4), and of the given (height, width) = ``shape``."""
    form = frame.format
    frames.bits = max(frames.bits, *(component.bits for component in form.components))
    sixteen = frames.bits > 8
    alpha = form.has_palette or any(component.is_alpha for component in form.components)
    transfer, primaries = frame.color_trc, frame.color_primaries
    if form.name.startswith("xyz"):  # reformat converts it to sRGB
        transfer = primaries = 0
    coded = 2 if form.is_rgb or len(form.components) < 3 or form.has_palette else frame.colorspace
    limited_grey = form.name.startswith("gray") and frame.color_range == LIMITED_RANGE
    wanted = {(False, False): "rgb24", (True, False): "rgb48le", (False, True): "rgba", (True, True): "rgba64le"}
    pixels = frame.reformat(
        shape[1],
        shape[0],
        wanted[sixteen, alpha],
        src_colorspace=matrix_of(coded, transfer, frame.height),
        interpolation=scaling(av),
    ).to_ndarray()
    if limited_grey:  # reformat takes grey for full range
        top = np.iinfo(pixels.dtype).max
        pixels = ((pixels.astype(np.float32) * (255 / top) - 16) / 219 * top).clip(0, top).round().astype(pixels.dtype)
    frames.told |= dict.fromkeys(told_of(coded, transfer, primaries))
    colours = to_srgb(pixels[..., :3], transfer, primaries)
    if not alpha:
        return colours
    opacity = pixels[..., 3:]
    if colours.dtype != opacity.dtype:
        opacity = opacity.astype(np.uint16) * np.uint16(257)
    return np.concatenate([colours, opacity], -1)


def _display_matrix(frame: Any) -> tuple[int, int, int, int] | None:
    """(a, b, c, d) of the rotation or reflection x' = ax + cy, y' = bx + dy of a frame; None if the file has none."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    a, b, _, c, d, *_ = (int(n) for n in np.frombuffer(bytes(data), np.int32))
    return (a, b, c, d)


def _turned(matrix: tuple[int, int, int, int]) -> bool:
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def _upright(pixels: NDArray[Any], matrix: tuple[int, int, int, int] | None) -> NDArray[Any]:
    """The pixels turned by the nearest multiple of 90 degrees to what the matrix says, and mirrored."""
    if matrix is None:
        return pixels
    a, b, c, d = matrix
    if _turned(matrix):
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
