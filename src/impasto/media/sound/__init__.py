"""Sounds: how they are read, written, painted and explored."""

from __future__ import annotations

from impasto.media.medium import Late, Medium, View

_HERE = "impasto.media.sound"
_read = Late(f"{_HERE}.read:read_audio")

WRITABLE = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64",
)  # fmt: skip
BY_FFMPEG = (
    ".m4a", ".m4b", ".aac", ".wma", ".mka", ".ac3", ".eac3", ".amr", ".ape", ".wv", ".tta", ".dsf", ".dts", ".mpc", ".sox",
)  # fmt: skip
"""Endings of files that FFmpeg reads and libsndfile does not."""
READABLE = (
    *WRITABLE, ".snd", ".mp2", ".mpga", ".bwf", ".amb", ".voc", ".wve", ".nist", ".sph", ".sf", ".ircam", ".paf", ".8svx",
    ".svx", ".avr", ".pvf", ".xi", ".htk", ".sds", *BY_FFMPEG,
)  # fmt: skip
# types of movies whose containers may hold only a sound
_CONTAINERS = (".avi", ".ogv", ".mov", ".mp4", ".mkv", ".flv", ".wmv", ".mpg", ".mxf", ".y4m", ".ivf", ".ts")

SOUND = Medium(
    name="sound",
    noun="a sound",
    axes=("channels", "samples"),
    read=lambda source, rate, longest, memory: _read(source),
    encode=Late(f"{_HERE}.write:encode_audio"),
    sample=Late(f"{_HERE}.write:sample_audio"),
    describe=Late(f"{_HERE}.read:describe_audio"),
    readable=READABLE,
    writable=WRITABLE,
    safest=".wav",
    prepare=Late(f"{_HERE}.prepare:prepare_sounds"),
    styles=("sound",),
    why="what it must learn can only be heard",
    defaults={"working_rate": "full", "iterations": 200, "beta": 10.0, "optimizer": "adam", "network": "spectral"},
    networks=("spectral",),
    inside=dict.fromkeys((".m4a", ".m4b", ".wma", ".mka"), _CONTAINERS),
    needs={"rate": "the samples a second"},
    draw=Late(f"{_HERE}.plot:plot_sounds"),
    view=View(
        dims=1,
        size=8000,
        endings=READABLE,
        fit=Late(f"{_HERE}.view:fit_sound"),
        draw=Late(f"{_HERE}.view:draw_sound"),
        overview=Late(f"{_HERE}.view:overview_sound"),
        measure="samples",
        line="channel",
    ),
    preview=Late(f"{_HERE}.view:preview_sound"),
    traces=Late(f"{_HERE}.plot:trace_sound"),
)
