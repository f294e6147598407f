"""Reads movies as one signal of time, y and x, with their time stamps and all that the file holds beside the frames."""

from __future__ import annotations

import logging
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.files import existing_file, is_folder, is_pattern, optional_package
from impasto.media.image.read import resample_image
from impasto.media.movie.animation import is_animation_file, read_animation
from impasto.media.movie.ebml import holds_all
from impasto.media.movie.frames import Frames, decode_frames
from impasto.media.movie.numbered import read_frames
from impasto.media.movie.tracks import is_cover, read_beside
from impasto.media.signal import Signal

log = logging.getLogger("impasto")

# with less than this share of the promised length a file counts as cut off
_COMPLETE = 0.95


def read_movie(path: str | Path, longest: int | None = None, frame_rate: float | None = None) -> Signal:
    """A movie as sRGB in 0..1, upright, with square pixels; HDR tone-mapped, interlaced frames deinterlaced, each told.

    Args:
        path: a file of any format that FFmpeg reads, or an animation (GIF, WebP, PNG, AVIF); of several video streams
            FFmpeg's choice is read. Or numbered pictures, by a pattern of their names or the folder that holds them.
        longest: frames with a longer side are scaled down to so many pixels while they are read, to save memory.
        frame_rate: frames a second of numbered pictures; 25 if None.

    Returns:
        A signal of kind "movie": values (3, time, y, x). Its header has, if the file has it:

        - ``times``, the start of each frame in units of ``time_base`` seconds (a Fraction); ``last``, the duration of the
          last frame in these units; ``rate`` in frames per second (a Fraction);
        - ``alpha``, the opacity (time, y, x) in 0..1; ``aspect``, the width of a stored pixel divided by its height (a
          Fraction); ``bits`` of each colour in the file, if more than 8;
        - ``tracks``, sounds and subtitles, undecoded; ``chapters``, ``attachments`` and ``metadata`` as PyAV has them;
          ``loop``, how often an animation is repeated, 0 for ever, None once;
        - ``left_out``, what else was in the file, each in a few words.

    Raises:
        SignalError: the file is missing, damaged, cut short or without frames.
        SizeError: the frames do not fit into the memory.
    """
    if is_folder(path) or is_pattern(path):
        return read_frames(Path(path), longest, frame_rate)
    path = existing_file(path, "a movie")
    if is_animation_file(path):
        return read_animation(path, longest)
    av: Any = optional_package("av", path, "movies")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _pictures(container, path)
            stream.thread_type = "AUTO"
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            promised, time_base = stream.frames, stream.time_base or 1 / rate
            shown_until = _told_end(stream)
            begin, duration = (Fraction(time or 0) / av.time_base for time in (container.start_time, container.duration))
            frames = decode_frames(av, container, stream, longest, path)
        # files of broadcasters may begin at any time stamp
        shift = max(begin, Fraction(0))
        beside, sound_end = read_beside(av, path, shift)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise SignalError(f"{path} cannot be read as a movie: {getattr(error, 'strerror', None) or error}") from None
    count = len(frames.colours)
    if not count:
        raise SignalError(f"{path} has no frames")
    times, last = frames.times, Fraction(frames.last)
    if None in times or any(b <= a for a, b in pairwise(times)):  # pyright: ignore[reportOperatorIssue]
        if count > 1:
            frames.told[f"time stamps are missing or out of order: {float(rate):.4g} frames a second are assumed"] = None
        start = next((float(time * time_base) for time in times if time is not None), float(begin))
        times, time_base, last = [round(start * rate) + i for i in range(count)], 1 / rate, Fraction(1)
    stamps = [int(time or 0) for time in times]
    longest_shown = max([last, 1 / rate / time_base, *(Fraction(b - a) for a, b in pairwise(stamps))])
    end = max(float((stamps[-1] + longest_shown) * time_base), sound_end) - float(begin)
    slack = 1 / float(rate)  # containers round what they promise
    # length and count must both be short: a last frame may be held for long, and an edit list may cut off frames
    short = end + slack < _COMPLETE * float(duration)
    if short and (count < int(_COMPLETE * promised) or not (promised or holds_all(path))):
        of = f" of {promised}" * bool(promised)
        raise SignalError(
            f"{path} is cut short or damaged: {count}{of} frames, {end:.2f} of {float(duration):.2f} s, can be read"
        )
    last = max(last, shown_until / time_base - stamps[-1]) or longest_shown
    if frames.damaged:
        frames.told[f"{frames.damaged} damaged frames are passed over, or painted as they can be decoded"] = None
    for warning in frames.told:
        log.warning("%s: %s", path, warning)
    moved = round(shift / time_base)
    header: dict[str, Any] = {
        "times": tuple(time - moved for time in stamps),
        "time_base": time_base,
        "rate": rate,
        "last": max(1, round(last)),
        **beside,
    }
    return _signal(frames, header)


def _pictures(container: Any, path: Path) -> Any:
    """The video stream of the movie, not a cover picture.

    Raises:
        SignalError: there is none.
    """
    moving = [stream for stream in container.streams.video if not is_cover(stream)]
    if not moving:
        if container.streams.audio:
            raise SignalError(
                f"{path} holds only sound, and a movie was expected; to paint the sound make it WAV or FLAC first, "
                f"e.g. ffmpeg -i {path.name} {path.stem}.wav"
            )
        raise SignalError(f"{path} has no pictures; a movie was expected")
    best = container.streams.best("video")
    stream = best if best in moving else moving[0]
    if stream.codec_context is None:
        raise SignalError(f"{path}: its pictures are coded in a way that FFmpeg cannot decode; convert it to MP4 first")
    return stream


def _told_end(stream: Any) -> Fraction:
    """When the video stream ends, in seconds; 0 if the file does not tell."""
    if stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    told = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", stream.metadata.get("DURATION", ""))
    return Fraction(int(told[1]) * 3600 + int(told[2]) * 60) + Fraction(told[3]) if told else Fraction(0)


def _signal(frames: Frames, header: dict[str, Any]) -> Signal:
    colours = frames.colours
    shape = colours[0].shape[:2]
    values = np.empty((3, len(colours), *shape), np.float32)
    alpha = np.empty((len(colours), *shape), np.float32) if colours[0].shape[2] == 4 else None
    for i, frame in enumerate(colours):
        top = np.float32(np.iinfo(frame.dtype).max)
        np.divide(frame[..., :3].transpose(2, 0, 1), top, out=values[:, i])
        if alpha is not None:
            np.divide(frame[..., 3], top, out=alpha[i])
        colours[i] = frame[:0]  # frees its memory
    if alpha is not None and alpha.min() < 1:
        header["alpha"] = alpha
    if frames.aspect != 1:
        header["aspect"] = frames.aspect
    if frames.bits > 8:
        header["bits"] = frames.bits
    return Signal(values, "movie", header)


def frame_of(movie: Signal, i: int) -> Signal:
    """Frame ``i`` as a picture, with its opacity."""
    header = {"alpha": movie.header["alpha"][i]} if "alpha" in movie.header else {}
    return Signal(np.ascontiguousarray(movie.values[:, i]), header=header)


def resample_movie(movie: Signal, shape: tuple[int, int]) -> Signal:
    """The movie with frames of (height, width) = ``shape``; colours are weighted by their opacity."""
    if movie.shape[1:] == shape:
        return movie
    frames = [resample_image(frame_of(movie, i), shape) for i in range(movie.shape[0])]
    header = dict(movie.header)
    if "alpha" in header:
        header["alpha"] = np.stack([frame.header["alpha"] for frame in frames])
    return Signal(np.stack([frame.values for frame in frames], axis=1), movie.kind, header)


def describe_movie(movie: Signal) -> str:
    """Its extent in a few words, e.g. "24 frames of 128 x 96"."""
    count, height, width = movie.shape
    return f"{count} frames of {width} x {height}"


def sample_movie(movie: Signal) -> Signal:
    """The first two frames, with all of the header."""
    header = dict(movie.header)
    for name in ("times", "alpha", "numbers"):
        if name in header:
            header[name] = header[name][:2]
    return Signal(movie.values[:, :2], movie.kind, header)
