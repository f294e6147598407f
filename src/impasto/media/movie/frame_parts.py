"""Movies frame by frame: each frame is painted like a picture, and its strokes follow the motion of the content.

After Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), arXiv:1604.08610.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

# later frames start from a painted one, and need this share of the evaluations of the first
_LATER = 1 / 3
# frames until what came into view is fully trusted: the strip that a pan uncovers in one frame is too narrow for strokes
_YOUNG = 8
# share of the neighbouring strokes that what comes into view starts with; with all of them a pan draws them out into stripes
_STROKES = 0.5


class Frames:
    """The frames of a movie as parts of a descent; frames after the first of a scene get a third of its evaluations.

    A frame after the first of a scene starts from the previous result, moved along the optical flow of the content.

    Args:
        objective: the terms, one of them :class:`impasto.objective.temporal.Temporal`.
        network: takes pictures (n, channels, height, width).
        content: C, of shape (1, channels, time, height, width).
        style: S, each one or more pictures (n, channels, height, width), with their shares.
        bounds: the range of the values, or None.
        cuts: the frames with which a new scene begins; it knows nothing of the one before.
        scene: the first frame that is painted, and the one after the last; all if None.
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
        cuts: Sequence[int] = (),
        scene: tuple[int, int] | None = None,
        measured: dict[Any, Any] | None = None,
    ) -> None:
        self.content, self._objective, self._bounds = content, objective, bounds
        self._numbers = range(*(scene or (0, content.shape[2])))
        self._first = {self._numbers[0], *cuts}
        self._scene = Scene(network, content[:, :, 0], style, measured={} if measured is None else measured)

    def lengths(self, iterations: int) -> list[int]:
        """Evaluations of each frame."""
        later = max(1, round(_LATER * iterations))
        return [iterations if number in self._first else later for number in self._numbers]

    def begin(self, i: int, painted: Tensor, carried: State) -> tuple[Callable[[Tensor], Costs], Tensor]:
        """J of the frame, and where it starts, (1, channels, height, width); ``carried`` keeps the trust of ``moved``."""
        number = self._numbers[i]
        if number in self._first:
            carried["trust"] = painted.new_ones(painted.shape[3:])
            return self.frame(number), painted[:, :, number]
        frame, trust = self.moved(
            number, painted[:, :, number - 1], carried.get("trust", painted.new_ones(painted.shape[3:]))
        )
        if self._bounds is not None:
            frame = frame.clamp(*self._bounds)
        carried["trust"] = trust
        return self.frame(number, Moved(frame, trust)), frame

    def place(self, i: int, painted: Tensor, generated: Tensor) -> Tensor:
        """The movie with the painted frame put in."""
        painted[:, :, self._numbers[i]] = generated
        return painted

    def frame(self, i: int, moved: Moved | None = None) -> BoundObjective:
        """J of frame ``i``, like that of a picture, with the temporal cost if the frame before was ``moved``."""
        scene = self._scene
        painted = None if moved is None else moved.frame
        here = Scene(
            scene.network, self.content[:, :, i], scene.styles, painted=painted, moved=moved, measured=scene.measured
        )
        return BoundObjective(self._objective, [View(here)])

    def moved(self, i: int, before: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
        """The painted frame before frame ``i``, moved as the content moved, and its trust, (height, width) in 0..1.

        Where the content is still visible the painting also follows changes of the light. What comes into view is the
        content in the colours of the painting, with half of the neighbouring strokes. The trust is the weight of the
        temporal cost: low for what is new, and growing from frame to frame.
        """
        earlier, later = (frame[0].cpu().numpy() for frame in (self.content[:, :, i - 1], self.content[:, :, i]))
        painted, path = before[0].cpu().numpy(), motion(earlier, later)
        seen = path.moved(painted) + later - path.moved(earlier)
        new = matched(later, painted) + _STROKES * path.moved(painted - matched(earlier, painted))
        known = path.visible * (path.moved(trust.cpu().numpy()[None])[0] + 1 / _YOUNG).clip(0, 1)
        moved = torch.from_numpy(np.where(path.visible, seen, new))[None]
        return moved.to(before), torch.from_numpy(known.astype(np.float32)).to(before)
