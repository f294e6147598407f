"""Transcodes tracks of sound and subtitles for containers that cannot hold them as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

_SOUND = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}
_RATES = {"libopus": (48000,), "aac": (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)}
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
# the header of ASS, the form in which FFmpeg passes on subtitles
_STYLE = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_MILLISECONDS = Fraction(1, 1000)
# seconds; shorter gaps are rounding errors of time stamps
_PAUSE = 0.1


class SoundEncoder(NamedTuple):
    """A codec with a rate in Hz and a layout of channels that it takes."""

    codec: str
    rate: int
    layout: str


def holds(av: Any, form: str, template: Any, packets: list[Any]) -> bool:
    """Whether a container of this form can hold a track like the template: tried with its first packets."""
    try:
        with av.open(io.BytesIO(), "w", format=form) as container:
            codec = template.codec_context.codec
            if not {codec.name, codec.canonical_name} & container.supported_codecs:
                return False
            stream = container.add_stream_from_template(template)
            for packet in packets:
                packet.stream = stream
                container.mux(packet)
    except (av.error.FFmpegError, ValueError, OSError):
        return False
    return True


def sound_encoder(av: Any, form: str, template: Any) -> SoundEncoder | None:
    """The encoder of sound for a container of this form, with the rate and layout nearest to the track's; None if none."""
    codec, context = _SOUND.get(form), template.codec_context
    if codec is None or not context.sample_rate:
        return None
    try:
        context.open(strict=False)
    except (av.error.FFmpegError, ValueError):
        return None
    rates = _RATES[codec]
    rate = context.sample_rate if context.sample_rate in rates else min(rates, key=lambda r: abs(r - context.sample_rate))
    count = context.layout.nb_channels
    usual = (_LAYOUTS[count - 1],) if 1 <= count <= len(_LAYOUTS) else ()
    for layout in (context.layout.name, *usual, "stereo"):
        try:
            trial = av.CodecContext.create(codec, "w")
            trial.layout, trial.sample_rate, trial.format = layout, rate, trial.codec.audio_formats[0].name
            trial.time_base = Fraction(1, rate)
            trial.open()
        except (av.error.FFmpegError, ValueError):
            continue
        return SoundEncoder(codec, rate, layout)
    return None


def encoded_sound(av: Any, packets: Iterator[Any], template: Any, stream: Any) -> Iterator[Any]:
    """The packets transcoded for the stream, at their times; damaged ones are skipped."""
    decoder, context = template.codec_context, stream.codec_context
    resampler = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or None)
    context.time_base = Fraction(1, context.sample_rate)
    at = 0

    def frames() -> Iterator[Any]:
        for packet in [*packets, None]:
            try:
                decoded = decoder.decode(packet)
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                if frame.pts is None and packet is not None:
                    frame.pts, frame.time_base = packet.pts, packet.time_base
                yield frame
        yield None

    heard: Fraction | None = None
    for frame in frames():
        if frame is not None:
            length = Fraction(frame.samples, frame.sample_rate)
            due = heard if frame.pts is None else frame.pts * (frame.time_base or Fraction(1, frame.sample_rate))
            if due is not None and (heard is None or due - heard > _PAUSE):
                at += round((due - (heard or 0)) * context.sample_rate)
                heard = due
            heard = (heard or 0) + length
            frame.pts = None
        for piece in resampler.resample(frame):
            piece.pts, piece.time_base = at, Fraction(1, context.sample_rate)
            at += piece.samples
            yield from stream.encode(piece)
    yield from stream.encode(None)


class Line(NamedTuple):
    """A subtitle: its start and duration in milliseconds, and its text as a line of ASS."""

    start: int
    duration: int
    text: bytes


def lines_of(av: Any, packets: Iterator[Any], template: Any) -> list[Line]:
    """The lines of a track of subtitles; empty if they are pictures."""
    lines: list[Line] = []
    for packet in packets:
        try:
            shown = template.codec_context.decode2(packet)
        except av.error.FFmpegError:
            continue
        for text in shown or ():
            if text.type == b"bitmap":
                return []
            start, duration = (round(n * packet.time_base / _MILLISECONDS) for n in (packet.pts, packet.duration))
            lines.append(Line(start, duration, text.ass))
    return lines


def encoded_text(lines: list[Line], template: Any, stream: Any) -> Iterator[Any]:
    """The packets of subtitles, encoded for the stream."""
    from av.subtitles.subtitle import SubtitleSet

    stream.time_base = _MILLISECONDS
    context = stream.codec_context
    context.subtitle_header = template.codec_context.subtitle_header or _STYLE

    def packets() -> Iterator[Any]:
        for start, duration, text in lines:
            packet = context.encode_subtitle(SubtitleSet.create(text, 0, duration, start))
            packet.pts = packet.dts = start
            packet.duration, packet.time_base, packet.stream = duration, _MILLISECONDS, stream
            yield packet

    return packets()
