"""Movies: frames read as one signal of time, y and x, and written with the same time stamps and the sound as it was."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from impasto.errors import SignalError, SizeError, nearest
from impasto.signals.files import existing_file, optional_package
from impasto.signals.image import resample_image, scaled_shape
from impasto.signals.signal import Signal

log = logging.getLogger("impasto")

WRITABLE = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
READABLE = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".3gp")
# container, codec and its options by ending; nearly without loss, for strokes are fine
_FORMATS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".mp4": ("mp4", "libx264", {"crf": "14", "preset": "medium"}),
    ".m4v": ("mp4", "libx264", {"crf": "14", "preset": "medium"}),
    ".mov": ("mov", "libx264", {"crf": "14", "preset": "medium"}),
    ".mkv": ("matroska", "libx264", {"crf": "14", "preset": "medium"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "18", "b": "0", "row-mt": "1"}),
}
_UNSPECIFIED, _BT709, _BT601, _HD_LINES = 2, 1, 5, 720
_LIMITED_RANGE = 1
_OPUS_RATE = 48000
# less than this share of what the file promises, and it was cut
_COMPLETE = 0.95


def read_movie(path: str | Path, longest: int | None = None) -> Signal:
    """A movie as sRGB in 0..1, upright.

    Args:
        path: a file of any format that FFmpeg reads; of several pictures in it the first stream.
        longest: the longest side in pixels to which frames are made smaller while they are read, so that a movie that is to
            be painted small takes little memory; never enlarged.

    Returns:
        A signal of kind "movie": values (3, time, y, x). Its header holds ``times``, the start of each frame in units of
        ``time_base`` seconds (a Fraction); ``rate`` in frames per second (a Fraction); and, if there is sound,
        ``sound``, the undecoded track in a Matroska file, and ``sound_start`` in seconds.

    Raises:
        SignalError: the file is missing, damaged, cut short or without frames.
        SizeError: the frames do not fit into the memory.
    """
    path = existing_file(path, "a movie")
    av: Any = optional_package("av", path, "movies")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SignalError(f"{path} has no pictures; a movie was expected")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            promised, time_base = stream.frames, stream.time_base
            begin, duration = ((time or 0) / av.time_base for time in (container.start_time, container.duration))
            frames, times = _decode(av, container, stream, longest, path)
        sound, sound_end = _sound(av, path)
    except av.error.FFmpegError as error:
        raise SignalError(f"{path} cannot be read as a movie: {error.strerror or error}") from None
    if not frames:
        raise SignalError(f"{path} has no frames")
    if None in times or any(b <= a for a, b in pairwise(times)):
        times, time_base = list(range(len(frames))), 1 / rate
    # how long the last frame lasts is not told; no longer than the longest
    last = max([1 / rate, *((b - a) * time_base for a, b in pairwise(times))])
    end = max(float(times[-1] * time_base + last), sound_end) - begin
    if len(frames) < int(_COMPLETE * promised) or end < _COMPLETE * duration:
        of = f" of {promised}" * bool(promised)
        raise SignalError(
            f"{path} is cut short or damaged: {len(frames)}{of} frames, {end:.2f} of {duration:.2f} s, can be read"
        )
    values = np.empty((3, len(frames), *frames[0].shape[:2]), np.float32)
    for i, frame in enumerate(frames):
        np.divide(frame.transpose(2, 0, 1), np.float32(255), out=values[:, i])
    return Signal(values, "movie", {"times": tuple(times), "time_base": time_base, "rate": rate, **sound})


def _scaling(av: Any) -> int:
    """Lanczos with exact rounding and colour at every pixel, without which colours drift by a level or two."""
    flags = av.video.reformatter.Interpolation
    return int(flags.LANCZOS | flags.ACCURATE_RND | flags.FULL_CHR_H_INT | flags.FULL_CHR_H_INP)


def _decode(
    av: Any, container: Any, stream: Any, longest: int | None, path: Path
) -> tuple[list[NDArray[np.uint8]], list[Any]]:
    frames: list[NDArray[np.uint8]] = []
    times: list[Any] = []
    for frame in container.decode(stream):
        shape = (frame.height, frame.width)
        if longest is not None and max(shape) > longest:
            # video counts colour in pairs of pixels
            shape = tuple(max(2, 2 * round(n / 2)) for n in scaled_shape(shape, longest))
        untold = _BT709 if frame.height >= _HD_LINES else _BT601
        rgb = frame.reformat(
            shape[1],
            shape[0],
            "rgb24",
            src_colorspace=untold if frame.colorspace == _UNSPECIFIED else frame.colorspace,
            interpolation=_scaling(av),
        ).to_ndarray()
        frames.append(np.rot90(rgb, frame.rotation // 90))
        times.append(frame.pts)
        if frames[0].shape != frames[-1].shape:
            raise SignalError(f"{path} changes its size at frame {len(frames)}; frames of one size were expected")
        # float32 and one copy to work on
        needed = 2 * 4 * len(frames) * rgb.size
        if len(frames) % 16 == 0 and needed > psutil.virtual_memory().available:
            raise SizeError(
                f"{path} at {shape[1]} x {shape[0]} pixels is too long for the memory: {len(frames)} frames fit; "
                "cut it, or give a smaller --size"
            )
    return frames, times


def _sound(av: Any, path: Path) -> tuple[dict[str, Any], float]:
    """The first sound track as it is, in a file of its own, as a header has it; and its end in seconds."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return {}, 0.0
        track = container.streams.audio[0]
        packets = [packet for packet in container.demux(track) if packet.dts is not None]
        if not packets:
            return {}, 0.0
        end = float((packets[-1].dts + (packets[-1].duration or 0)) * packets[-1].time_base)
        start = float((packets[0].pts or packets[0].dts) * packets[0].time_base)
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="matroska") as copy:
            stream = copy.add_stream_from_template(track)
            for packet in packets:
                packet.stream = stream
                copy.mux(packet)
    return {"sound": buffer.getvalue(), "sound_start": start}, end


def resample_movie(movie: Signal, shape: tuple[int, int]) -> Signal:
    """The movie with frames of (height, width) = ``shape``."""
    if movie.shape[1:] == shape:
        return movie
    frames = (Signal(np.ascontiguousarray(movie.values[:, i])) for i in range(movie.shape[0]))
    return movie.with_values(np.stack([resample_image(frame, shape).values for frame in frames], axis=1))


def describe_movie(movie: Signal) -> str:
    """Its extent in a few words, e.g. "24 frames of 128 x 96"."""
    count, height, width = movie.shape
    return f"{count} frames of {width} x {height}"


def movie_format(path: str | Path) -> str:
    """The name of the container that the ending of ``path`` stands for.

    Raises:
        SignalError: no format that can be written has this ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        hint = f"did you mean {nearest(suffix, _FORMATS)}? " if suffix else ""
        raise SignalError(
            f"{path}: no format of movies that is written has the ending {suffix!r}; {hint}({' '.join(_FORMATS)})"
        )
    return _FORMATS[suffix][0]


def sample_movie(movie: Signal) -> Signal:
    """The first two frames, with all that the file holds beside them."""
    header = dict(movie.header)
    if "times" in header:
        header["times"] = header["times"][:2]
    return Signal(movie.values[:, :2], movie.kind, header)


def encode_movie(movie: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the movie as the ending of ``path`` says: .mp4, .mov, .mkv (H.264) or .webm (VP9).

    Frames keep their time stamps, and the sound is copied undecoded where the format can hold it. ``about`` (how it was
    made) becomes the comment of the file, as JSON. A signal without times runs at 25 frames a second.

    Raises:
        SignalError: the ending is unknown, or the file cannot be written.
    """
    av: Any = optional_package("av", Path(path), "movies")
    name, codec, options = movie_format(path), *_FORMATS[Path(path).suffix.lower()][1:]
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format=name) as container:
            container.metadata["comment"] = json.dumps(about or {})
            stream = _picture_stream(container, movie, codec, options)
            sound = _sound_packets(av, container, movie)
            waiting = next(sound, None)
            for packet, time in _encoded(av, stream, movie):
                while waiting is not None and waiting.dts * waiting.time_base <= time:
                    container.mux(waiting)
                    waiting = next(sound, None)
                container.mux(packet)
            while waiting is not None:
                container.mux(waiting)
                waiting = next(sound, None)
    except (av.error.FFmpegError, ValueError) as error:
        raise SignalError(f"{path}: a movie of this size cannot be written: {error}") from None
    return buffer.getvalue()


def _picture_stream(container: Any, movie: Signal, codec: str, options: dict[str, str]) -> Any:
    rate = movie.header.get("rate", Fraction(25))
    stream = container.add_stream(codec, rate=rate, options=options)
    stream.height, stream.width = movie.shape[1:]
    # half the colour, as every player expects, where the size allows it
    stream.pix_fmt = "yuv444p" if stream.height % 2 or stream.width % 2 else "yuv420p"
    context = stream.codec_context
    context.time_base = movie.header.get("time_base", 1 / rate)
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE
    return stream


def _encoded(av: Any, stream: Any, movie: Signal) -> Iterator[tuple[Any, Fraction]]:
    """The packets of the pictures, each with the time in seconds that the encoder has reached."""
    times, time_base = movie.header.get("times", range(movie.shape[0])), stream.codec_context.time_base
    time = Fraction(0)
    for i, start in enumerate(times):
        eight_bits = (movie.values[:, i].clip(0, 1) * 255).round().astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(eight_bits.transpose(1, 2, 0)), format="rgb24")
        frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=_BT709, interpolation=_scaling(av))
        frame.colorspace, frame.color_range = _BT709, _LIMITED_RANGE
        frame.pts, frame.time_base = start, time_base
        time = start * time_base
        for packet in stream.encode(frame):
            yield packet, time
    for packet in stream.encode(None):
        yield packet, time


def _sound_packets(av: Any, container: Any, movie: Signal) -> Iterator[Any]:
    """The packets of the sound as they were read, or encoded anew where the container cannot hold them."""
    if "sound" not in movie.header:
        return iter(())
    source = av.open(io.BytesIO(movie.header["sound"]))
    track = source.streams.audio[0]
    codec = track.codec_context.codec
    if {codec.name, codec.canonical_name} & container.supported_codecs:
        return _copied(source, track, container.add_stream_from_template(track), movie.header["sound_start"])
    new = container.default_audio_codec
    log.warning("%s cannot hold sound in %s, so it is encoded anew as %s", container.format.name, codec.name, new)
    rate = _OPUS_RATE if "opus" in new else track.rate
    return _encoded_anew(source, track, container.add_stream(new, rate=rate, layout=track.layout.name))


def _copied(source: Any, track: Any, stream: Any, start: float) -> Iterator[Any]:
    shift = None
    for packet in source.demux(track):
        if packet.dts is None:
            continue
        if shift is None:  # Matroska begins at 0 what began before it
            shift = round((start - float(packet.pts * packet.time_base)) / packet.time_base)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        packet.stream = stream
        yield packet


def _encoded_anew(source: Any, track: Any, stream: Any) -> Iterator[Any]:
    for frame in source.decode(track):
        yield from stream.encode(frame)
    yield from stream.encode(None)
