"""Small movies with any tags and tracks, as cameras and other programs write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from skimage import data

RATE = 25


def pan(count: int = 4, height: int = 24, width: int = 32) -> list[NDArray[np.uint8]]:
    """A camera that moves over a photograph, without fine detail."""
    picture = data.astronaut()[:256, :256].reshape(64, 4, 64, 4, 3).mean((1, 3)).round().astype(np.uint8)
    return [np.ascontiguousarray(picture[2 * i : 2 * i + height, 3 * i : 3 * i + width]) for i in range(count)]


def values_of(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The values (3, time, y, x) of frames (y, x, 3 or 4)."""
    return (np.stack(frames)[..., :3].transpose(3, 0, 1, 2) / 255).astype(np.float32)


def make_movie(
    path: Path,
    frames: Sequence[NDArray[Any]] = (),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    given: str = "rgb24",
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    rate: int = RATE,
    form: str | None = None,
    setup: Callable[[Any, Any], Any] = lambda stream, container: None,
    sounds: Sequence[tuple[str, int, str, float]] = (),
    subtitles: Sequence[tuple[str, str]] = (),
    tags: Sequence[dict[str, str]] = (),
) -> Path:
    """Write ``frames`` with sounds, each (codec, rate, layout, start in seconds), and texts, each (codec, text)."""
    from av.subtitles.subtitle import SubtitleSet

    from impasto.media.movie.track_coding import _STYLE

    frames = frames or pan()
    with av.open(str(path), "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pixels
        setup(stream, container)
        tracks: list[Any] = [container.add_stream(name, rate=hertz, layout=layout) for name, hertz, layout, _ in sounds]
        texts: list[Any] = [container.add_stream(name) for name, _ in subtitles]
        for track, own in zip([*tracks, *texts], tags, strict=False):
            track.metadata.update(own)
        for text in texts:
            text.codec_context.subtitle_header, text.time_base = _STYLE, Fraction(1, 1000)
        for i, pixels_of in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels_of, given)
            frame = frame if given == pixels else frame.reformat(format=pixels, dst_colorspace=5)
            frame.pts, frame.time_base = times[i] if times else i, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for track, (_, hertz, layout, start) in zip(tracks, sounds, strict=True):
            channels = len(av.AudioLayout(layout).channels)
            wave = np.tile(0.3 * np.sin(0.05 * np.arange(hertz // 8)), (channels, 1)).astype(np.float32)
            for at in range(0, wave.shape[1], 1024):
                heard: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, at : at + 1024]), "fltp", layout)
                heard.sample_rate, heard.time_base = hertz, Fraction(1, hertz)
                heard.pts = at + round(start * hertz)
                container.mux(track.encode(heard))
            container.mux(track.encode(None))
        for text, (_, words) in zip(texts, subtitles, strict=True):
            packet = text.codec_context.encode_subtitle(
                SubtitleSet.create(f"0,0,Default,,0,0,0,,{words}".encode(), 0, 60, 40)
            )
            packet.pts, packet.dts, packet.duration, packet.time_base, packet.stream = 40, 40, 60, Fraction(1, 1000), text
            container.mux(packet)
    return path
