"""Sounds: waveforms with the rate, the tags and the loudness of their file."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.signals.files import existing_file, first_line, optional_package
from impasto.signals.signal import Signal, Values

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
ENDINGS = tuple(_FORMATS)
_SILENT = 1e-5
_CEILING = 0.98  # full scale is 1; what a lossy format adds must not clip either
_LIMITER_SECONDS = 0.02
_SAMPLE = 4096


def read_audio(path: str | Path, rate: float | None = None) -> Signal:
    """The waveform of a WAV, FLAC, OGG or MP3 file, or of any other that libsndfile reads.

    Args:
        path: the file.
        rate: not needed: every sound file tells its own.

    Returns:
        values (channels, samples), full scale -1..1; the header has ``rate`` in Hz, ``tags`` (title, artist, ...) and
        ``subtype`` (e.g. "PCM_16").

    Raises:
        SignalError: the file is missing, no sound, cut off, empty, silent, or has NaN samples.
    """
    path = existing_file(path, "a sound")
    soundfile = optional_package("soundfile", path, "sound")
    try:
        with soundfile.SoundFile(path) as file:
            announced, tags = file.frames, file.copy_metadata()
            header = {"rate": float(file.samplerate), "tags": tags, "subtype": file.subtype}
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SignalError(f"{path} cannot be read as a sound: {first_line(error)}") from None
    announced = max(announced, _announced_by_wav(path))
    if len(samples) == 0:
        raise SignalError(f"{path} has no samples")
    if len(samples) < announced:
        whole, there = (n / header["rate"] for n in (announced, len(samples)))
        raise SignalError(f"{path} is cut off: {whole:.4g} s were announced, {there:.4g} s are there")
    if not np.isfinite(samples).all():
        wrong = np.flatnonzero(~np.isfinite(samples).all(1))
        raise SignalError(f"{path} has {len(wrong)} NaN or infinite samples, the first at {wrong[0] / header['rate']:.4g} s")
    if np.ptp(samples, axis=0).max() < _SILENT:
        raise SignalError(f"{path} is silent, so there is nothing to paint or to learn from")
    return Signal(np.ascontiguousarray(samples.T), "sound", header)


def _announced_by_wav(path: Path) -> int:
    """The samples that the head of a WAV announces; libsndfile goes by the length of the file and tells no cut."""
    with path.open("rb") as file:
        riff, _, wave = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        block_align = 0
        while riff == b"RIFF" and wave == b"WAVE":
            name, length = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
            if name == b"data":
                # a writer that did not know the length leaves 0 or the largest number
                return length // block_align if block_align and length < 0xFFFFFFF0 else 0
            if name == b"\0\0\0\0":
                break
            body = file.read(length + length % 2)
            if name == b"fmt " and len(body) >= 14:
                block_align = struct.unpack_from("<H", body, 12)[0]
    return 0


def resample_audio(values: Values, rate: float, new_rate: float) -> Values:
    """Values (channels, samples) at another rate, by a filter whose errors are below 16 bits."""
    if rate == new_rate:
        return values
    import soxr

    return np.ascontiguousarray(soxr.resample(values.T, rate, new_rate).T, np.float32)


def loudness(values: Values) -> float:
    """The root mean square of all channels."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def limited(values: Values, rate: float) -> Values:
    """Values (channels, samples) that never exceed full scale: the gain dips smoothly for some 20 ms around a peak."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    needed = np.minimum(1, _CEILING / np.maximum(np.abs(values).max(0), 1e-12))
    if needed.min() == 1:
        return values
    length = max(3, int(_LIMITER_SECONDS * rate)) | 1
    # the mean over a window of minima over the same window is nowhere above what is needed
    gain = uniform_filter1d(minimum_filter1d(needed, length, mode="nearest"), length, mode="nearest")
    return (values * np.minimum(gain, needed)).astype(np.float32)


def describe_audio(sound: Signal) -> str:
    """Its length and channels, e.g. "5.6 s at 44100 Hz, stereo"."""
    channels, samples = sound.values.shape
    names = {1: "mono", 2: "stereo"}
    rate = sound.header["rate"]
    return f"{samples / rate:.4g} s at {rate:g} Hz, {names.get(channels, f'{channels} channels')}"


def sample_audio(sound: Signal) -> Signal:
    """The first tenth of a second or so, with all that the file holds beside the samples."""
    return sound.with_values(sound.values[:, :_SAMPLE])


def encode_audio(sound: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the sound as .wav, .flac, .ogg or .mp3 with its tags.

    ``about`` (how it was made) becomes the tag ``comment``, as JSON. The bits a sample are the content's where the format
    has them.

    Raises:
        SignalError: the format has no place for so many channels or such a rate, or the file cannot be written.
    """
    soundfile = optional_package("soundfile", Path(path), "sound")
    name = _FORMATS[Path(path).suffix.lower()]
    subtype = sound.header.get("subtype")
    if subtype is None or not soundfile.check_format(name, subtype):
        subtype = soundfile.default_subtype(name)
    tags = dict(sound.header.get("tags", {})) | {"software": "impasto"}
    if about is not None:
        tags["comment"] = json.dumps(about)
    buffer = io.BytesIO()
    channels, rate = len(sound.values), round(sound.header["rate"])
    try:
        with soundfile.SoundFile(buffer, "w", rate, channels, subtype, format=name) as file:
            for tag, text in tags.items():
                setattr(file, tag, text)
            file.write(sound.values.T)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise SignalError(
            f"{path}: {channels} channels at {rate} Hz cannot be written as {name}: {first_line(error)}"
        ) from None
    return buffer.getvalue()
