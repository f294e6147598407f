"""J of a movie, frame by frame: each frame is painted like a picture, and its strokes must move as the content moves.

After Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), arXiv:1604.08610.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from impasto.costs import temporal_cost
from impasto.network.statistics import Blend, Network
from impasto.signals.optical_flow import motion
from impasto.transfer.descent import Progress, State, descend, nested, shifted
from impasto.transfer.objective import Costs, Objective
from impasto.transfer.settings import TransferSettings

# what every frame but the first needs of the evaluations of the first: it starts from a painted one
_LATER = 1 / 3


class FramesObjective:
    """J as a function of each frame of a movie.

    Args:
        network: takes pictures (n, channels, height, width).
        content: C, of shape (1, channels, time, height, width).
        style: S, one or more pictures (n, channels, height, width), or a blend of several such.
        settings: alpha, beta, layers, style cost and weighting, with nothing left open.
    """

    def __init__(self, network: Network, content: Tensor, style: Tensor | Blend, settings: TransferSettings) -> None:
        self.content = content
        self._first = Objective(network, content[:, :, 0], style, settings)

    def frame(self, i: int) -> Objective:
        """J of frame i, (1, channels, height, width), as a picture."""
        return self._first.with_content(self.content[:, :, i])

    def moved(self, i: int, before: Tensor) -> tuple[Tensor, Tensor]:
        """The painted frame ``before`` frame i, moved as the content moved, and where (height, width) it is still seen.

        There it also changes as the content changes on its way, when the light does.
        """
        earlier, later = (frame[0].cpu().numpy() for frame in (self.content[:, :, i - 1], self.content[:, :, i]))
        path = motion(earlier, later)
        # where new things appear there are strokes, too: of the content nothing would be painted over, so little they weigh
        moved = torch.from_numpy(path.moved(before[0].cpu().numpy()) + path.visible * (later - path.moved(earlier)))[None]
        return moved.to(before), torch.from_numpy(path.visible).to(before)


class TemporalObjective:
    """J of a frame, with the temporal cost of what differs from the ``moved`` frame before where that is ``visible``."""

    def __init__(self, spatial: Objective, moved: Tensor, visible: Tensor) -> None:
        self._spatial, self._moved, self._visible = spatial, moved, visible

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the frame."""
        costs = self._spatial(generated)
        return replace(costs, cost=costs.cost + temporal_cost(self._moved, generated, self._visible))


def descend_frames(
    objective: FramesObjective,
    start: Tensor,
    settings: TransferSettings,
    bounds: tuple[float, float] | None,
    natural: bool = True,
    state: State | None = None,
) -> Iterator[Progress]:
    """Descend J of one frame after the other, as :func:`impasto.transfer.descent.descend` does for a picture.

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
    at = state or {"frame": 0, "movie": start, "done": 0, "seconds": 0.0, "inner": None}
    movie, done, seconds = at["movie"].to(start.device).clone(), at["done"], at["seconds"]
    for i in range(at["frame"], count):
        first, cost = start[:, :, i], objective.frame(i)
        if i:
            first, visible = objective.moved(i, movie[:, :, i - 1])
            if bounds is not None:
                first = first.clamp(*bounds)
            cost = TemporalObjective(cost, first, visible)
        inner = at["inner"] if i == at["frame"] else None
        progress: Progress | None = None
        for progress in descend(cost, first, later if i else settings, bounds, natural, inner):
            movie[:, :, i] = progress.best_generated
            latest, best = (shifted(e, done, seconds) for e in (progress.latest, progress.best))
            now = nested(progress, frame=i, movie=movie, done=done, seconds=seconds)
            yield Progress(latest, best, total, movie, movie, now)
        assert progress is not None
        done, seconds = done + progress.iterations, seconds + progress.latest.seconds
