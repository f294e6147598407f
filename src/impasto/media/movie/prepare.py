"""Movies ready to be painted: frame by frame, or as a volume (time, height, width) by a network inflated along time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from impasto.descent.stages import Parts, Whole
from impasto.errors import SettingsError, SizeError
from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.movie.frame_parts import Frames
from impasto.media.movie.optical_flow import flicker
from impasto.media.movie.read import frame_of, resample_movie
from impasto.media.movie.scenes import SCENE, cuts_of
from impasto.media.prepared import Bind, Measured, Prepared, check_whole
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal, roles
from impasto.media.styles import Styles
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.slices import SlicesObjective
from impasto.objective.temporal import temporal
from impasto.objective.term import Objective

# frames of a movie that is a style that are looked at, evenly spaced
_STYLE_FRAMES = 8


def prepare_movies(content: Signal, styles: Styles, settings: ResolvedSettings) -> Prepared:
    """Content and styles with their longest sides at most ``settings.size`` pixels, if network and memory can take it.

    Raises:
        SettingsError: the method is not for movies.
        SizeError: a side is too small for the deepest layer, a clip too short for the 3D network, or the memory too small.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    if settings.method not in ("frames", "volume"):
        raise SettingsError(f"method {settings.method!r} is not for a movie: frames or volume is")
    as_volume = settings.method == "volume"
    # of the content as it was read, so that the scenes are the same whatever is painted of it, and where
    cuts = () if as_volume else cuts_of(content, settings.cuts)
    if as_volume and not isinstance(settings.cuts, str):
        raise SettingsError("cuts divide a movie that is painted frame by frame; with --method volume leave them out")
    longest = max(content.shape[1:])
    size = min(longest, settings.size or longest)
    content = resample_movie(content, scaled_shape(content.shape[1:], size))
    pictures = [_pictures(style, round(settings.stroke * size)) for style, _ in styles]
    smallest, deepest = settings.smallest_size, settings.deepest
    for role, shape in roles(content.shape[1:], [tuple(frames.shape[2:]) for frames in pictures]).items():
        if min(shape) < smallest:
            raise SizeError(
                f"the {role} at {shape[1]} x {shape[0]} pixels is too small for {deepest}, which needs {smallest} on "
                "each side; give a larger one, or layers less deep"
            )
    if as_volume and content.shape[0] < smallest:
        raise SizeError(
            f"a clip of {content.shape[0]} frames is too short for {deepest} in three dimensions, which needs "
            f"{smallest}; use --method frames"
        )
    if as_volume:
        check_whole(settings, content.shape)
    shape = content.shape

    def fit(start: Signal) -> Tensor:
        if len(start.shape) == 2:
            frame = torch.from_numpy(resample_image(over_white(start), (shape[1], shape[2])).values)
            return frame[None, :, None].expand(1, 3, *shape)
        if start.shape[0] != shape[0]:
            raise SettingsError(f"G cannot start from a movie of {start.shape[0]} frames: the content has {shape[0]}")
        return torch.from_numpy(resample_movie(start, (shape[1], shape[2])).values)[None]

    return Prepared(
        content=torch.from_numpy(content.values)[None],
        style=[(frames, share) for frames, (_, share) in zip(pictures, styles, strict=True)],
        objective=settings.objective if as_volume else settings.objective + temporal(),
        network=settings.network.build(),
        restore=content.with_values,
        fit=fit,
        random=(0.5, 0.15),
        bounds=(0.0, 1.0),
        natural=True,
        in_tiles=not as_volume,
        bind=_bind_volume(settings.network.build(3)) if as_volume else _bind_frames(cuts, content.header.get(SCENE)),
    )


def _bind_frames(cuts: Sequence[int], scene: tuple[int, int] | None) -> Bind:
    def bind(
        objective: Objective, network: Forward, content: Tensor, style: Blend, painted: Tensor | None, measured: Measured
    ) -> Parts:
        return Frames(objective, network, content, style, cuts=cuts, scene=scene, measured=measured)

    return bind


def _bind_volume(inflated: nn.Module) -> Bind:
    def bind(
        objective: Objective, network: Forward, content: Tensor, style: Blend, painted: Tensor | None, measured: Measured
    ) -> Parts:
        how = {"inflated": inflated, "axes": (0,), "painted": painted, "measured": measured}
        return Whole(SlicesObjective(objective, network, content, style, **how))

    return bind


def measure_movie(content: Signal, result: Signal) -> dict[str, float]:
    """The flicker of the result at its own size, see :func:`impasto.media.movie.optical_flow.flicker`."""
    return {"flicker": flicker(resample_movie(content, (result.shape[1], result.shape[2])), result)}


def _pictures(style: Signal, size: int) -> Tensor:
    """The style as pictures (n, 3, height, width): one, or frames of a movie."""
    if len(style.shape) == 3:
        chosen = np.linspace(0, style.shape[0] - 1, min(_STYLE_FRAMES, style.shape[0])).round().astype(int)
        frames = [over_white(frame_of(style, i)) for i in chosen]
    else:
        frames = [over_white(style)]
    shape = scaled_shape(frames[0].shape, min(size, max(frames[0].shape)))
    return torch.stack([torch.from_numpy(resample_image(frame, shape).values) for frame in frames])
