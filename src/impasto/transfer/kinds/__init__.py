"""What a transfer does for each kind of signal: a row for each kind."""

from __future__ import annotations

from impasto.errors import SignalError
from impasto.media.image.prepare import prepare_images
from impasto.media.movie.prepare import measure_movie, prepare_movies
from impasto.media.read_write import FORMATS
from impasto.media.series.prepare import prepare_series
from impasto.media.signal import Signal
from impasto.media.sound.plot import plot_series, plot_sounds
from impasto.media.sound.prepare import prepare_sounds
from impasto.media.volume.plot import plot_movie, plot_volume
from impasto.media.volume.prepare import prepare_volumes
from impasto.transfer.prepared import Kind
from impasto.transfer.styles import Styles

KINDS: dict[str, Kind] = {
    "image": Kind(
        prepare_images,
        styles=("image",),
        why="the brush strokes of a picture are learned from a picture",
    ),
    "volume": Kind(
        prepare_volumes,
        styles=("image", "volume"),
        why="its sections have the texture of pictures or of the sections of another volume",
        draw=plot_volume,
    ),
    "movie": Kind(
        prepare_movies,
        styles=("image", "movie"),
        why="its frames have the brush strokes of a picture or of the frames of another movie",
        draw=plot_movie,
        measure=measure_movie,
    ),
    "series": Kind(
        prepare_series,
        styles=("series",),
        why="its axis is time, and what it must learn are waves",
        draw=plot_series,
    ),
    "sound": Kind(
        prepare_sounds,
        styles=("sound",),
        why="what it must learn can only be heard",
        draw=plot_sounds,
    ),
}


def kind_for(content: Signal, styles: Styles) -> Kind:
    """The row of the content's kind.

    Raises:
        SignalError: a style is of a kind that the content cannot take; the message says why.
    """
    kind = KINDS[content.kind]
    for style, _ in styles:
        if style.kind not in kind.styles:
            expected = " or ".join(FORMATS[name].noun for name in kind.styles)
            raise SignalError(
                f"{FORMATS[content.kind].noun} cannot be painted in the style of {FORMATS[style.kind].noun}: {kind.why}; "
                f"{expected} was expected"
            )
    return kind
