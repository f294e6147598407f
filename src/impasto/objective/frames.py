"""J of a movie, frame by frame: each frame is painted like a picture, and its strokes must move as the content moves.

After Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), arXiv:1604.08610.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from impasto.descent.descend import Progress, State, descend, nested, shifted
from impasto.media.movie.optical_flow import motion
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.costs import temporal_cost
from impasto.objective.objective import Costs, Objective
from impasto.transfer.colour import matched
from impasto.transfer.settings import TransferSettings

# what every frame but the first needs of the evaluations of the first: it starts from a painted one
_LATER = 1 / 3
# frames until what came into view is to stay as it is: a strip as wide as one step of the camera is too narrow for strokes
_YOUNG = 8
# of the strokes beside it; with all of them a pan draws them out into stripes that go on and on
_STROKES = 0.5


class FramesObjective:
    """J as a function of each frame of a movie.

    Args:
        network: takes pictures (n, channels, height, width).
        content: C, of shape (1, channels, time, height, width).
        style: S, one or more pictures (n, channels, height, width), or a blend of several such.
        settings: alpha, beta, layers, style cost and weighting, with nothing left open.
    """

    def __init__(self, network: Forward, content: Tensor, style: Tensor | Blend, settings: TransferSettings) -> None:
        self.content = content
        self._first = Objective(network, content[:, :, 0], style, settings)

    def frame(self, i: int) -> Objective:
        """J of frame i, (1, channels, height, width), as a picture."""
        return self._first.with_content(self.content[:, :, i])

    def moved(self, i: int, before: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
        """The painted frame ``before`` frame i, moved as the content moved, and its ``trust``, (height, width).

        What is still seen also changes as the content changes on its way, when the light does. What comes into view is the
        content in the colours of the painting, with half the strokes beside it. The trust says how much a place is to stay
        as it is: 0 for what is new, and more from frame to frame.
        """
        earlier, later = (frame[0].cpu().numpy() for frame in (self.content[:, :, i - 1], self.content[:, :, i]))
        painted, path = before[0].cpu().numpy(), motion(earlier, later)
        seen = path.moved(painted) + later - path.moved(earlier)
        new = matched(later, painted) + _STROKES * path.moved(painted - matched(earlier, painted))
        known = path.visible * (path.moved(trust.cpu().numpy()[None])[0] + 1 / _YOUNG).clip(0, 1)
        moved = torch.from_numpy(np.where(path.visible, seen, new))[None]
        return moved.to(before), torch.from_numpy(known.astype(np.float32)).to(before)


class TemporalObjective:
    """J of a frame, with the temporal cost of what differs from the ``moved`` frame before, as far as that is trusted.

    The first frame has none before.
    """

    def __init__(self, spatial: Objective, moved: Tensor | None = None, trust: Tensor | None = None) -> None:
        self._spatial, self._moved, self._trust = spatial, moved, trust

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the frame."""
        costs = self._spatial(generated)
        if self._moved is None or self._trust is None:
            return costs.plus("temporal", generated.new_zeros(()))
        return costs.plus("temporal", temporal_cost(self._moved, generated, self._trust))


def descend_frames(
    objective: FramesObjective,
    start: Tensor,
    settings: TransferSettings,
    bounds: tuple[float, float] | None,
    natural: bool = True,
    state: State | None = None,
) -> Iterator[Progress]:
    """Descend J of one frame after the other, as :func:`impasto.descent.descend.descend` does for a picture.

    The first frame starts where ``start`` (1, channels, time, height, width) does and takes ``settings.iterations``
    evaluations; every other one starts from the last result, moved along the optical flow of the content, and takes a third
    as many. Each item has the whole movie as it is; its costs are those of the frame at work.

    Raises:
        SettingsError: J is not finite at the start.
    """
    assert settings.iterations is not None
    later = replace(settings, iterations=max(1, round(_LATER * settings.iterations)))
    count = start.shape[2]
    total = settings.iterations + (count - 1) * (later.iterations or 1)
    fresh = {"frame": 0, "movie": start, "trust": start.new_ones(start.shape[3:]), "done": 0, "seconds": 0.0, "inner": None}
    at = state or fresh
    movie, trust = (at[name].to(start.device).clone() for name in ("movie", "trust"))
    done, seconds = at["done"], at["seconds"]
    for i in range(at["frame"], count):
        first, cost, known = start[:, :, i], TemporalObjective(objective.frame(i)), trust
        if i:
            first, trust = objective.moved(i, movie[:, :, i - 1], known)
            if bounds is not None:
                first = first.clamp(*bounds)
            cost = TemporalObjective(objective.frame(i), first, trust)
        inner = at["inner"] if i == at["frame"] else None
        progress: Progress | None = None
        for progress in descend(cost, first, later if i else settings, bounds, natural, inner):
            movie[:, :, i] = progress.best_generated
            latest, best = (shifted(e, done, seconds) for e in (progress.latest, progress.best))
            now = nested(progress, frame=i, movie=movie, trust=known, done=done, seconds=seconds)
            yield Progress(latest, best, total, movie, movie, now)
        assert progress is not None
        done, seconds = done + progress.iterations, seconds + progress.latest.seconds
