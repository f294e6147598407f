"""Encodes sounds: what each format can hold, and how the rest is converted."""

from __future__ import annotations

import io
import json
import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from impasto.errors import SignalError
from impasto.files import first_line, optional_package
from impasto.media.signal import Signal, Values
from impasto.media.sound.mp3 import id3

log = logging.getLogger("impasto")

_LINEAR = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_ALAC = ("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32")
_UNSIGNED, _SIGNED = (tuple(name for name in _LINEAR if name != other) for other in ("PCM_S8", "PCM_U8"))
_TAGS = ("title", "artist", "album", "date", "genre", "tracknumber", "copyright", "license", "software", "comment")
_ANY_RATE = range(1, 2**31)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


class _Output(NamedTuple):
    """What a format can hold.

    Attributes:
        format: libsndfile's name of it.
        subtypes: libsndfile's names of the types of samples that it has.
        channels: the most that it holds.
        rates: that it has, in Hz, ascending.
        tags: that it has a place for.
        longest: bytes of the longest comment that is read back.
        mixes: whether more channels than it holds are mixed down to stereo, rather than refused.
    """

    format: str
    subtypes: tuple[str, ...]
    channels: int = 1024
    rates: Sequence[int] = _ANY_RATE
    tags: tuple[str, ...] = ()
    longest: int = 2**20
    mixes: bool = False


_WAV_TAGS = tuple(name for name in _TAGS if name != "license")
_AIFF = _Output("AIFF", _LINEAR, tags=("title", "artist", "copyright", "software", "comment"), longest=8000)
_VORBIS = _Output("OGG", ("VORBIS",), 255, range(1, 200_001), _TAGS)
_FORMATS = {
    ".wav": _Output("WAV", _UNSIGNED, tags=_WAV_TAGS, longest=7000),
    ".flac": _Output("FLAC", ("PCM_S8", "PCM_16", "PCM_24"), 8, range(1, 655_351), _TAGS),
    ".ogg": _VORBIS,
    ".oga": _VORBIS,
    ".opus": _Output("OGG", ("OPUS",), 8, _OPUS_RATES, _TAGS),
    ".mp3": _Output("MP3", ("MPEG_LAYER_III",), 2, _MP3_RATES, _WAV_TAGS, mixes=True),
    ".aiff": _AIFF,
    ".aif": _AIFF,
    ".aifc": _AIFF,
    ".au": _Output("AU", _SIGNED),
    ".caf": _Output("CAF", (*_SIGNED, *_ALAC), tags=_TAGS, longest=8000),
    ".w64": _Output("W64", _UNSIGNED),
    ".rf64": _Output("RF64", _UNSIGNED, tags=_WAV_TAGS, longest=7000),
}

_MOST_BYTES = 2**32 - 2**20  # of the samples, where sizes have 32 bits
_ALAC_CHANNELS = 8
_SAMPLE, _BLOCK = 4096, 65536
# the first of these that a format has is written
_NEAREST = {
    "PCM_U8": ("PCM_U8", "PCM_S8"),
    "PCM_S8": ("PCM_S8", "PCM_U8"),
    "PCM_16": ("PCM_16",),
    "PCM_24": ("PCM_24",),
    "PCM_32": ("PCM_32", "PCM_24"),
    "FLOAT": ("FLOAT", "PCM_24"),
    "DOUBLE": ("DOUBLE", "FLOAT", "PCM_24"),
    "ULAW": ("ULAW",),
    "ALAW": ("ALAW",),
    "ALAC_16": ("ALAC_16",),
    "ALAC_20": ("ALAC_20", "PCM_24"),
    "ALAC_24": ("ALAC_24", "PCM_24"),
    "ALAC_32": ("ALAC_32", "PCM_32", "PCM_24"),
}
_LOST = {"PCM_32": "32 bits", "ALAC_32": "32 bits", "FLOAT": "float", "DOUBLE": "float"}
# for each channel in the order of WAV (left, right, centre, low frequencies, back, side) its place in Vorbis and Opus
WAV_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}
_HALF = np.sqrt(0.5)
# weights of the channels, in the order of WAV, in the left channel of a stereo mix; the right one is the mirror image
_LEFT = {
    3: (1, 0, _HALF),
    4: (1, 0, _HALF, 0),
    5: (1, 0, _HALF, _HALF, 0),
    6: (1, 0, _HALF, 0, _HALF, 0),
    7: (1, 0, _HALF, 0, _HALF / 2, _HALF, 0),
    8: (1, 0, _HALF, 0, _HALF, 0, _HALF, 0),
}
_MIRRORED = {
    3: (1, 0, 2), 4: (1, 0, 3, 2), 5: (1, 0, 2, 4, 3), 6: (1, 0, 2, 3, 5, 4), 7: (1, 0, 2, 3, 4, 6, 5),
    8: (1, 0, 2, 3, 5, 4, 7, 6),
}  # fmt: skip


def resample_audio(values: Values, rate: float, new_rate: float) -> Values:
    """Values (channels, samples) at another rate, by soxr, whose errors are below 16 bits."""
    if rate == new_rate:
        return values
    import soxr

    return np.ascontiguousarray(soxr.resample(values.T, rate, new_rate).T, np.float32)


def sample_audio(sound: Signal) -> Signal:
    """The first samples, with all of the header."""
    return sound.with_values(sound.values[:, :_SAMPLE])


def encode_audio(sound: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the sound, in the format that the ending of ``path`` names, with its tags.

    ``about``, the record of how it was made, becomes the tag ``comment``, as JSON. The type of samples is the content's if
    the format has it. What the format cannot hold (a rate, more than two channels in an MP3, bits, tags) is converted or
    left out, with a warning.

    Raises:
        SignalError: there are too many channels or samples for the format.
    """
    path = Path(path)
    soundfile = optional_package("soundfile", path, "sound")
    output = _FORMATS[path.suffix.lower()]
    values, rate = _fitted(sound, path, output)
    channels = len(values)
    subtype = _subtype(sound, path, output, channels)
    name = output.format
    if 8 * values.size > _MOST_BYTES and name in ("WAV", "AIFF"):
        if name == "AIFF":
            raise SignalError(f"{path}: an AIFF holds at most 4 GiB; give the ending .w64 or .caf")
        name = "RF64"  # a WAV with sizes of 64 bits, which readers of WAV know
    tags = _tags(sound, path, output, about)
    if subtype in ("VORBIS", "OPUS") and channels in WAV_ORDER:
        values = values[np.argsort(WAV_ORDER[channels])]
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(buffer, "w", rate, channels, subtype, format=name) as file:
            if name != "MP3":  # libsndfile garbles letters beyond Latin-1 there: id3 writes the tags
                for tag, text in tags.items():
                    setattr(file, tag, text)
            for at in range(0, values.shape[1], _BLOCK):  # all at once would overflow the stack of Vorbis
                file.write(values[:, at : at + _BLOCK].T)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        text = getattr(error, "error_string", None) or first_line(error)
        raise SignalError(f"{path}: {channels} channels at {rate} Hz cannot be written as {name}: {text}") from None
    return (id3(tags) if name == "MP3" else b"") + buffer.getvalue()


def _fitted(sound: Signal, path: Path, output: _Output) -> tuple[Values, int]:
    """Values (channels, samples) with as many channels, and at a rate in Hz, as the format has."""
    values, rate = sound.values, float(sound.header["rate"])
    channels = len(values)
    if channels > output.channels:
        if not output.mixes or channels not in _LEFT:
            others = " ".join(ending for ending in (".wav", ".flac", ".ogg") if _FORMATS[ending].channels >= channels)
            raise SignalError(
                f"{path}: {channels} channels were given, and a file {path.suffix.lower()} holds at most {output.channels}; "
                f"give one of the endings {others or 'of another kind of signal'}"
            )
        log.warning("%s: it holds at most 2 channels: the %d are mixed down to stereo", path, channels)
        left = np.array(_LEFT[channels])
        mix = np.stack([left, left[list(_MIRRORED[channels])]]) / left.sum()
        values = (mix @ values).astype(np.float32)
    if rate in output.rates:
        return values, round(rate)
    near = round(rate)
    if near not in output.rates:
        # the next higher one, which loses no frequencies
        near = output.rates[min(bisect_left(output.rates, near), len(output.rates) - 1)]
    log.warning("%s: it does not hold %g Hz: the sound is resampled to %d Hz", path, rate, near)
    return resample_audio(values, rate, near), near


def _subtype(sound: Signal, path: Path, output: _Output, channels: int) -> str:
    """The type of samples: the content's if the format has it, otherwise the nearest."""
    if len(output.subtypes) == 1:
        return output.subtypes[0]
    given = str(sound.header.get("subtype") or "PCM_16")
    known = [name for name in output.subtypes if not name.startswith("ALAC") or channels <= _ALAC_CHANNELS]
    found = next((name for name in _NEAREST.get(given, ()) if name in known), "PCM_16")
    if given in _LOST and found == "PCM_24":
        log.warning("%s: it does not hold samples of %s: they get 24 bits", path, _LOST[given])
    return found


def _tags(sound: Signal, path: Path, output: _Output, about: Mapping[str, Any] | None) -> dict[str, str]:
    """The tags that the format has a place for; the comment, which may be long, last."""
    given = {name: str(text) for name, text in sound.header.get("tags", {}).items()} | {"software": "impasto"}
    if about is not None:
        given["comment"] = json.dumps(about)
    # libsndfile ends a text at its first zero, and lone surrogates cannot be encoded
    given = {name: text.partition("\0")[0].encode("utf-8", "replace").decode() for name, text in given.items()}
    given = {name: text for name, text in given.items() if text}
    tags = {name: given[name] for name in _TAGS if name in given and name in output.tags}
    lost = [name for name in given if name not in tags and name != "software"]
    if len(tags.get("comment", "").encode()) > output.longest:
        del tags["comment"]
        lost.append("comment")
    if lost:
        log.warning("%s: it has no place for the tags %s", path, " and ".join(sorted(lost)))
    return tags
