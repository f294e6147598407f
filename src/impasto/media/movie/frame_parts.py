"""A movie, frame by frame: each frame is painted like a picture, and its strokes must move as the content moves.

After Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), arXiv:1604.08610.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from impasto.descent.descend import State
from impasto.media.image.colour import matched
from impasto.media.movie.optical_flow import motion
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.evaluation import BoundObjective, Costs, View
from impasto.objective.term import Moved, Objective, Scene

# what every frame but the first needs of the evaluations of the first: it starts from a painted one
_LATER = 1 / 3
# frames until what came into view is to stay as it is: a strip as wide as one step of the camera is too narrow for strokes
_YOUNG = 8
# of the strokes beside it; with all of them a pan draws them out into stripes that go on and on
_STROKES = 0.5


class Frames:
    """The frames of a movie, as parts of a descent: the first takes all evaluations, each other one a third of them.

    The first frame starts where it is; every other one from the last result, moved along the optical flow of the content.

    Args:
        objective: the terms; of :class:`impasto.objective.temporal.Temporal` one is to be among them.
        network: takes pictures (n, channels, height, width).
        content: C, of shape (1, channels, time, height, width).
        style: S, one or more pictures (n, channels, height, width) each, with their shares.
        bounds: of the values, or None.
        measured: see :class:`impasto.objective.term.Scene`.
    """

    def __init__(
        self,
        objective: Objective,
        network: Forward,
        content: Tensor,
        style: Blend,
        *,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        measured: dict[Any, Any] | None = None,
    ) -> None:
        self.content, self._objective, self._bounds = content, objective, bounds
        self._scene = Scene(network, content[:, :, 0], style, measured={} if measured is None else measured)

    def lengths(self, iterations: int) -> list[int]:
        """Of each frame."""
        return [iterations] + [max(1, round(_LATER * iterations))] * (self.content.shape[2] - 1)

    def begin(self, i: int, painted: Tensor, carried: State) -> tuple[Callable[[Tensor], Costs], Tensor]:
        """J of a frame, (1, channels, height, width), and where it starts; ``carried`` has what is trusted of it."""
        trust = carried.get("trust", painted.new_ones(painted.shape[3:]))
        carried["trust"] = trust
        if not i:
            return self.frame(0), painted[:, :, 0]
        frame, trust = self.moved(i, painted[:, :, i - 1], trust)
        if self._bounds is not None:
            frame = frame.clamp(*self._bounds)
        carried["trust"] = trust
        return self.frame(i, Moved(frame, trust)), frame

    def place(self, i: int, painted: Tensor, generated: Tensor) -> Tensor:
        """The movie with a frame in its place."""
        painted[:, :, i] = generated
        return painted

    def frame(self, i: int, moved: Moved | None = None) -> BoundObjective:
        """J of frame i, as of a picture, and with the temporal cost if there is a frame before."""
        scene = self._scene
        here = Scene(scene.network, self.content[:, :, i], scene.styles, moved=moved, measured=scene.measured)
        return BoundObjective(self._objective, [View(here)])

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
