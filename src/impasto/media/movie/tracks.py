"""Sounds, subtitles and what else a movie holds beside its frames: read undecoded, and written if the format can hold it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from impasto.media.movie.track_coding import encoded_sound, encoded_text, holds, lines_of, sound_encoder

# containers one of which can hold the parameters of any codec
_KEEPERS = ("matroska", "mov", "avi", "asf", "mpegts", "ogg", "nut")
# so many packets tell the parameters that are not in a header
_FIRST = 8
# bytes of the ADTS header of an AAC packet, with and without a checksum
_ADTS = (9, 7)
_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_NOUNS = {"audio": "sound", "subtitle": "subtitles"}
# metadata that are not copied, as they are about the file that was read
_ITS_OWN = ("major_brand", "minor_version", "compatible_brands", "encoder", "comment", "duration", "rotate", "creation_tool")
# languages with two codes, of which QuickTime knows only the second
_OF_QUICKTIME = {"deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "zho": "chi"}
_TAGS_OF_A_TRACK = ("language", "title")


class Packet(NamedTuple):
    """A packet: its bytes, its times in units of the track's time base, and whether decoding can begin with it."""

    data: bytes
    pts: int
    dts: int
    duration: int
    key: bool


@dataclass(frozen=True)
class Track:
    """A track of sound or subtitles, undecoded.

    Attributes:
        kind: "audio" or "subtitle".
        parameters: the bytes of a small file with the codec's parameters and the first packets.
        time_base: the unit of times, in seconds.
        packets: all packets, in order.
        tags: its language and title.
        disposition: FFmpeg's flags: default, forced and others.
    """

    kind: str
    parameters: bytes
    time_base: Fraction
    packets: tuple[Packet, ...]
    tags: dict[str, str]
    disposition: int


def read_beside(av: Any, path: Path, shift: Fraction) -> tuple[dict[str, Any], float]:
    """Entries of the header for what a file holds beside the frames, and the end of its sound in seconds.

    Times in the entries are moved ``shift`` seconds earlier, so that the movie begins at 0; the end of the sound is not.
    """
    left_out: list[str] = []
    tracks: list[Track] = []
    end = 0.0
    with av.open(str(path), metadata_errors="replace") as container:
        streams = [s for s in container.streams if s.type in _NOUNS and s.codec_context is not None]
        packets: dict[int, list[Packet]] = {stream.index: [] for stream in streams}
        with suppress(av.error.FFmpegError):  # read_movie compares the length with the promised one
            for packet in container.demux(streams) if streams else ():
                if packet.dts is not None and packet.size:
                    packets[packet.stream.index].append(_kept(packet))
        for stream in streams:
            base, own = stream.time_base, packets[stream.index]
            if own and stream.type == "audio":
                length = own[-1].duration or max(0, own[-1].dts - own[max(0, len(own) - 2)].dts)
                end = max(end, float((own[-1].dts + length) * base))
            track = _track(av, stream, own, round(shift / base)) if own else None
            if track:
                tracks.append(track)
            elif own:
                left_out.append(f"{_NOUNS[stream.type]} in {stream.codec_context.name}")
        chapters = [
            {**chapter, "start": chapter["start"] - round(shift / chapter["time_base"]),
             "end": chapter["end"] - round(shift / chapter["time_base"])}
            for chapter in container.chapters() if chapter["time_base"]
        ]  # fmt: skip
        attachments = [(s.metadata.get("filename", "file"), s.mimetype or "", s.data) for s in container.streams.attachments]
        metadata = {key: text for key, text in container.metadata.items() if key.lower() not in _ITS_OWN and text}
        comment = next((text for key, text in container.metadata.items() if key.lower() == "comment"), "")
        if comment and not comment.startswith("{"):
            left_out.append("its comment, for it says now how the movie was made")
        left_out += _others(container, chapters)
    beside = {"tracks": tracks, "chapters": chapters, "attachments": attachments, "metadata": metadata, "left_out": left_out}
    return {name: tuple(held) if isinstance(held, list) else held for name, held in beside.items() if held}, end


def _others(container: Any, chapters: list[Any]) -> Iterator[str]:
    """What is neither the movie's video stream nor a track that can be kept, each in a few words."""
    covers = sum(map(is_cover, container.streams.video))
    pictures = len(container.streams.video) - covers - 1
    # MOV keeps the names of chapters in a track of data
    data = len(container.streams.data) - bool(chapters and container.streams.data)
    unknown = sum(s.codec_context is None and s.type in (*_NOUNS, "unknown") for s in container.streams)
    counts = {"cover pictures": covers, "further tracks of pictures": pictures, "tracks of data": data}
    counts["tracks in an unknown coding"] = unknown
    for name, count in counts.items():
        if count > 0:
            yield f"{name} ({count})"


def is_cover(stream: Any) -> bool:
    """Whether a video stream is a cover picture (FFmpeg's AV_DISPOSITION_ATTACHED_PIC)."""
    return bool(int(stream.disposition) & 0x400)


def _kept(packet: Any) -> Packet:
    pts = packet.dts if packet.pts is None else packet.pts
    return Packet(bytes(packet), pts, packet.dts, packet.duration or 0, packet.is_keyframe)


def _track(av: Any, stream: Any, packets: list[Packet], shift: int) -> Track | None:
    """The packets, ``shift`` earlier, with the parameters of their codec; None if no container can hold these."""
    moved, latest = [], None
    for data, pts, dts, duration, key in packets:
        dts -= shift
        if latest is not None and dts <= latest:  # containers refuse others
            dts = latest + 1
        latest = dts
        moved.append(Packet(data, max(dts, pts - shift), dts, duration, key))
    in_adts = stream.codec_context.name == "aac" and all(p.data[0] == 0xFF and p.data[1] & 0xF6 == 0xF0 for p in moved)
    tags = {name: text for name in _TAGS_OF_A_TRACK if (text := stream.metadata.get(name))}
    for keeper in _KEEPERS[1:] if in_adts else _KEEPERS:
        parameters = _file(av, keeper, stream, moved[:_FIRST])
        if parameters:
            if in_adts:  # the parameters now have what was in the header of each packet
                moved = [p._replace(data=p.data[_ADTS[p.data[1] & 1] :]) for p in moved]
            return Track(stream.type, parameters, stream.time_base, tuple(moved), tags, int(stream.disposition))
    return None


def _file(av: Any, form: str, template: Any, packets: list[Packet]) -> bytes | None:
    """The bytes of a file of this form with the packets; None if it cannot be written and read again."""
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format=form) as container:
            stream = container.add_stream_from_template(template)
            for kept in packets:
                packet = _packet(av, kept, template.time_base, packets[0].dts)
                packet.stream = stream
                container.mux(packet)
        with av.open(io.BytesIO(buffer.getvalue())) as container:
            first = container.streams[0]
            if first.codec_context is None or first.codec_context.name != template.codec_context.name:
                return None
            first.codec_context.open(strict=False)  # fails if a parameter got lost
    except (av.error.FFmpegError, ValueError, OSError, IndexError):
        return None
    return buffer.getvalue()


def _packet(av: Any, kept: Packet, time_base: Fraction, origin: int = 0) -> Any:
    packet = av.Packet(kept.data)
    packet.pts, packet.dts, packet.duration = kept.pts - origin, kept.dts - origin, kept.duration
    packet.time_base, packet.is_keyframe = time_base, kept.key
    return packet


def add_tracks(
    av: Any, container: Any, tracks: tuple[Track, ...], tell: Callable[[str], None], stack: ExitStack
) -> list[Iterator[Any]]:
    """Add the tracks to a container that is being written; returns the packets of each, to be muxed in the order of times.

    A track that the container cannot hold is transcoded, or left out, and ``tell`` is called with a warning.
    """
    written: list[Iterator[Any]] = []
    for track in tracks:
        source = stack.enter_context(av.open(io.BytesIO(track.parameters)))
        added = _added(av, container, track, source.streams[0], tell)
        if added is None:
            verb = "is" if track.kind == "audio" else "are"
            name = source.streams[0].codec_context.codec.canonical_name
            tell(f"{_NOUNS[track.kind]} in {name} cannot be in such a file, and {verb} left out")
            continue
        stream, packets = added
        stream.metadata.update(track.tags)
        if container.format.name == "mov" and track.tags.get("language") in _OF_QUICKTIME:
            stream.metadata["language"] = _OF_QUICKTIME[track.tags["language"]]
        stream.disposition = track.disposition
        written.append(packets)
    return written


def _added(
    av: Any, container: Any, track: Track, template: Any, tell: Callable[[str], None]
) -> tuple[Any, Iterator[Any]] | None:
    """A new stream for the track and its packets; None if the container cannot hold it in any coding."""
    form, name = container.format.name.split(",")[0], template.codec_context.codec.canonical_name
    first = [_packet(av, kept, track.time_base, track.packets[0].dts) for kept in track.packets[:_FIRST]]
    if holds(av, form, template, first):
        stream = container.add_stream_from_template(template)
        return stream, _copied(av, track, stream)
    packets = (_packet(av, kept, track.time_base) for kept in track.packets)
    if track.kind == "audio" and (encoder := sound_encoder(av, form, template)):
        tell(f"sound in {name} cannot be in such a file, so it is encoded anew as {encoder.codec}")
        stream = container.add_stream(encoder.codec, rate=encoder.rate, layout=encoder.layout)
        return stream, encoded_sound(av, packets, template, stream)
    if track.kind == "subtitle" and form in _TEXT and (lines := lines_of(av, packets, template)):
        tell(f"subtitles in {name} cannot be in such a file, so they are written as {_TEXT[form]}")
        stream = container.add_stream(_TEXT[form])
        return stream, encoded_text(lines, template, stream)
    return None


def _copied(av: Any, track: Track, stream: Any) -> Iterator[Any]:
    for kept in track.packets:
        packet = _packet(av, kept, track.time_base)
        packet.stream = stream
        yield packet
