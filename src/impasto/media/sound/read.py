"""Reads sounds: their waveform, rate and tags; measures loudness and limits peaks."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import IO, Any

import numpy as np

from impasto.errors import SignalError
from impasto.files import existing_file, first_line, optional_package
from impasto.media.file_type import file_type
from impasto.media.signal import Signal, Values
from impasto.media.sound import BY_FFMPEG, WRITABLE
from impasto.media.sound.streams import open_streams
from impasto.media.sound.write import WAV_ORDER, resample_audio

log = logging.getLogger("impasto")

_IN_MOVIES = (".m4a", ".mp4", ".mov", ".mkv", ".wmv")
_SILENT = 1e-5
_CEILING = 0.98  # of full scale, so that the errors of a lossy format do not clip
_LOUDEST = 8.0  # 18 dB above full scale; larger samples must be on another scale, e.g. that of 16 bits
_LIMITER_SECONDS = 0.02
_ENOUGH = 0.9  # of the length that a head announces
_BLOCK, _MOST_AT_ONCE = 65536, 2**31


def read_audio(path: str | Path) -> Signal:
    """The waveform of a WAV, FLAC, OGG, MP3, AIFF or CAF file, or of any other that libsndfile or FFmpeg (as ``av``) reads.

    All samples that are there are read, even if the head, written before the sound had ended, announces other numbers.

    Returns:
        values (channels, samples), full scale -1..1, the channels in the order of WAV; the header has ``rate`` in Hz,
        ``tags`` (title, artist, ...) and, unless FFmpeg read the file, ``subtype`` (e.g. "PCM_16").

    Raises:
        SignalError: the file is missing, no sound, empty or silent, has NaN samples, or lacks more than a tenth.
    """
    path = existing_file(path, "a sound")
    if _is_for_ffmpeg(path):
        samples, header = _read_by_ffmpeg(path)
    else:
        try:
            samples, header = _read_by_libsndfile(path)
        except _UnknownCodingError as error:
            try:
                samples, header = _read_by_ffmpeg(path)
            except SignalError:
                raise error from None
    if len(samples) == 0:
        raise SignalError(f"{path} has no samples")
    if not np.isfinite(samples).all():
        wrong = np.flatnonzero(~np.isfinite(samples).all(1))
        raise SignalError(f"{path} has {len(wrong)} NaN or infinite samples, the first at {wrong[0] / header['rate']:.4g} s")
    if np.ptp(samples, axis=0).max() < _SILENT:
        raise SignalError(f"{path} is silent, so there is nothing to paint or to learn from")
    peak = float(np.abs(samples).max())
    if peak > _LOUDEST:
        log.warning("%s: its samples go up to %.4g, where full scale is 1: they are scaled to it", path, peak)
        samples *= _CEILING / peak
    return Signal(np.ascontiguousarray(samples.T), "sound", header)


class _UnknownCodingError(SignalError):
    """The file is in a container that libsndfile knows, with a codec that it does not know."""


def _is_for_ffmpeg(path: Path) -> bool:
    found = file_type(path)
    return found in _IN_MOVIES or (found or path.suffix.lower()) in BY_FFMPEG


def _read_by_libsndfile(path: Path) -> tuple[Values, dict[str, Any]]:
    """Samples (samples, channels), and the header."""
    soundfile = optional_package("soundfile", path, "sound")
    try:
        streams = open_streams(path)
        read = [_read_stream(soundfile, part) for part in streams.parts]
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        # of an MP3 without frames libsndfile says that the file does not exist
        text = getattr(error, "error_string", None) or first_line(error)
        text = "nothing in it is known as one" if "does not exist" in text else text
        text = "its head has no rate or no channels" if "SF_INFO" in text else text
        kind = _UnknownCodingError if file_type(path) in WRITABLE else SignalError
        raise kind(f"{path} cannot be read as a sound: {text}") from None
    samples, header = read[0]
    told = list(streams.told)
    for more, other in read[1:]:
        if more.shape[1] != samples.shape[1]:
            told.append(f"a part of {more.shape[1]} channels is left out, as the first has {samples.shape[1]}")
            continue
        samples = np.concatenate([samples, resample_audio(more.T, other["rate"], header["rate"]).T])
    seconds = len(samples) / header["rate"]
    announced = max(streams.announced or 0, seconds / streams.share if streams.share > 0 else 0)
    if len(samples) and announced > seconds * 1.001 + 0.05 * (not streams.strict):
        if streams.strict and seconds < _ENOUGH * announced:
            raise SignalError(f"{path} is cut off or damaged: {announced:.4g} s were announced, {seconds:.4g} s are there")
        told.append(f"{announced:.4g} s were announced")
    if told:
        log.warning("%s: %s; all that is there is read: %.4g s", path, ", ".join(told), seconds)
    return samples, header


def _read_stream(soundfile: Any, part: Path | IO[bytes]) -> tuple[Values, dict[str, Any]]:
    """Samples (samples, channels) up to the end, or up to the damage, and the header."""
    with soundfile.SoundFile(part) as file:
        tags = {name: text for name, text in file.copy_metadata().items() if text}
        header = {"rate": float(file.samplerate), "tags": tags, "subtype": file.subtype}
        blocks: list[Values] = []
        # all at once if their number is known: libsndfile seeks between blocks, which is not exact in an MP3
        length = file.frames if 0 < file.frames < _MOST_AT_ONCE else _BLOCK
        while True:
            block = np.full((length, file.channels), np.nan, np.float32)
            try:
                got = len(file.read(out=block))
            except soundfile.LibsndfileError:
                # libsndfile does not tell how much it read before the error: the rest is still NaN
                got = int(np.argmax(np.append(np.isnan(block).any(1), True)))
                if not got and not blocks:
                    raise
                blocks.append(block[:got])
                break
            blocks.append(block[:got])
            # counted here, as some codecs (GSM, G.721) cannot tell their position
            if got < length or sum(map(len, blocks)) == file.frames:
                break
        samples = np.concatenate(blocks)
        order = WAV_ORDER.get(file.channels) if file.subtype in ("VORBIS", "OPUS") else None
    return samples if order is None else samples[:, order], header


def _read_by_ffmpeg(path: Path) -> tuple[Values, dict[str, Any]]:
    """Samples (samples, channels), and the header."""
    try:
        av = optional_package("av", path, "movies")
    except SignalError as error:
        raise SignalError(f"{error}; or convert it to WAV or FLAC first") from None
    try:
        # given as bytes, since FFmpeg would heed the ending of a name
        with av.open(io.BytesIO(path.read_bytes()), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise SignalError(f"{path} has no sound")
            stream = container.streams.audio[0]
            floats = av.AudioResampler(format="flt")  # full scale is 1; the planar format crashes with 8 channels
            blocks = [
                part.to_ndarray().reshape(-1, part.layout.nb_channels)
                for frame in container.decode(stream)
                for part in floats.resample(frame)
            ]
            header = {"rate": float(stream.rate), "tags": _tags({**container.metadata, **stream.metadata})}
    except (av.FFmpegError, OSError, RuntimeError, ValueError, MemoryError) as error:
        text = getattr(error, "strerror", None) or first_line(error)
        raise SignalError(f"{path} cannot be read as a sound: {text}; convert it to WAV or FLAC first") from None
    return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32), header


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    names = {name: name for name in ("title", "artist", "album", "date", "genre", "copyright", "comment")}
    names["track"] = "tracknumber"
    given = {name.lower(): text for name, text in metadata.items()}
    return {names[name]: text for name, text in given.items() if name in names}


def loudness(values: Values) -> float:
    """The root mean square over all channels and samples."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def limit_peaks(values: Values, rate: float) -> Values:
    """Values (channels, samples) that never exceed full scale: the gain dips smoothly for some 20 ms around a peak."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    needed = np.minimum(1, _CEILING / np.maximum(np.abs(values).max(0), 1e-12))
    if needed.min() == 1:
        return values
    length = max(3, int(_LIMITER_SECONDS * rate)) | 1
    # the moving mean of the moving minimum is nowhere above the gain that is needed
    gain = uniform_filter1d(minimum_filter1d(needed, length, mode="nearest"), length, mode="nearest")
    return (values * np.minimum(gain, needed)).astype(np.float32)


def describe_audio(sound: Signal) -> str:
    """Its length and channels, e.g. "5.6 s at 44100 Hz, stereo"."""
    channels, samples = sound.values.shape
    names = {1: "mono", 2: "stereo"}
    rate = sound.header["rate"]
    return f"{samples / rate:.4g} s at {rate:g} Hz, {names.get(channels, f'{channels} channels')}"
