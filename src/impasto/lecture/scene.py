"""What every part of a lecture is computed with: content, style, the network that paints, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import Any

import torch
from torch import Tensor

from impasto.descent.descend import Progress
from impasto.lecture.pictures import uri_of
from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.signal import Signal, Values
from impasto.networks.convnet import ConvNet, vgg19
from impasto.objective.costs import content_cost, content_unit, relative_lambda, style_layer_cost, style_matrix
from impasto.transfer.painter import transfer_style
from impasto.transfer.painting import Painting
from impasto.transfer.settings import TransferSettings

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
"""The layers whose style matrices J compares."""
CONTENT_LAYER = "relu4_2"
"""The layer at which J compares content."""


class LectureStopped(Exception):  # noqa: N818
    """Raised within a part when the work was cancelled; the parts before it are whole."""


@dataclass(frozen=True)
class Scene:
    """The pictures of a lecture, or the series or volumes of one of its parts.

    Attributes:
        content: at the size of the figures.
        style: the same.
        watch: called after each evaluation, with G as a function that draws it.
        cancel: set when the work is to end.
        shortened: of every descent only so many evaluations are made, for tests; 0: all.
    """

    content: Signal
    style: Signal
    watch: Callable[[Callable[[], str]], None] = field(default=lambda draw: None)
    cancel: Event = field(default_factory=Event)
    shortened: int = 0

    @classmethod
    def of(cls, content: Signal, style: Signal, size: int, **how: Any) -> Scene:
        """The pictures at ``size`` pixels on their longer side; a smaller one stays as it is."""
        return cls(_fitted(content, size), _fitted(style, size), **how)

    @cached_property
    def network(self) -> ConvNet:
        """As it paints: the border repeated, average pooling."""
        return vgg19(padding="replicate", pooling="avg")

    def activations(self, picture: Values, layers: Sequence[str]) -> dict[str, Tensor]:
        """a^[l] of a picture (3, height, width), each (1, n_C, height, width)."""
        with torch.no_grad():
            return self.network(torch.from_numpy(picture)[None], layers)

    @cached_property
    def seen(self) -> dict[str, dict[str, Tensor]]:
        """The activations of "content" and of "style" at all layers that J looks at."""
        layers = (*LAYERS, CONTENT_LAYER)
        pictures = {"content": self.content, "style": self.style}
        return {name: self.activations(picture.values, layers) for name, picture in pictures.items()}

    def content_cost(self, picture: Values, layer: str) -> float:
        """J_content^[l](C, G) in units of mean(a(C)^2) / 4, as J has it."""
        target = self.seen["content"][layer]
        found = self.activations(picture, [layer])[layer]
        return float(content_cost(target, found) / content_unit(target))

    def style_costs(self, picture: Values) -> dict[str, float]:
        """lambda^[l] J_style^[l](S, G) of each layer, before its share: the squared relative error of the style matrix."""
        found = self.activations(picture, LAYERS)
        costs: dict[str, float] = {}
        for layer in LAYERS:
            target = style_matrix(self.seen["style"][layer])
            costs[layer] = float(relative_lambda(1.0, target) * style_layer_cost(target, style_matrix(found[layer])))
        return costs

    def descend(self, iterations: int, watch: Callable[[Progress], None] | None = None, **settings: Any) -> Painting:
        """G from noise, always the same, down some J.

        Raises:
            LectureStopped: it was cancelled.
        """

        def tell(progress: Progress) -> None:
            if watch is not None:
                watch(progress)
            self.watch(lambda: uri_of(progress.best_generated[0].cpu().numpy()))

        # J as the lecture writes it: content and style, and no other term
        size, iterations = max(self.content.shape), self.count(iterations)
        how = {"size": size, "init": "random", "scales": 1, "draw": 0.0, "iterations": iterations}
        return self.paint(TransferSettings(**how, **settings), tell)

    def paint(self, settings: TransferSettings, tell: Callable[[Progress], None]) -> Painting:
        """Content in the style of style; ``tell`` is called after each evaluation.

        Raises:
            LectureStopped: it was cancelled.
        """
        painting = transfer_style(self.content, self.style, settings, on_progress=tell, cancel=self.cancel)
        if not painting.finished:
            raise LectureStopped
        return painting

    def count(self, iterations: int) -> int:
        """How many evaluations a descent of so many makes here."""
        return min(iterations, self.shortened) if self.shortened else iterations


def _fitted(picture: Signal, size: int) -> Signal:
    picture = over_white(picture)
    if max(picture.shape) <= size:
        return Signal(picture.values)
    height, width = picture.shape
    return Signal(resample_image(picture, scaled_shape((height, width), size)).values)
