"""One content and one style become a picture: the way through the house, from files to the painting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impasto.errors import SizeError, TransferInterrupted
from impasto.network.device import find_device
from impasto.network.layers import VGG19, LayerTable, total_stride, up_to_deepest
from impasto.network.vgg19 import ConvNet
from impasto.network.weights import load_weights
from impasto.signals.image import over_white, read_image, resample_image, scaled_shape, to_pillow, write_image
from impasto.signals.signal import Signal
from impasto.transfer.descent import Evaluation, Progress, descend
from impasto.transfer.estimate import check_memory, peak_memory_mib
from impasto.transfer.objective import Objective
from impasto.transfer.settings import TransferSettings

Source = str | Path | Image.Image | np.ndarray[Any, Any] | Signal
"""What a picture is given as: a file, a PIL image, an array (height, width[, 3 or 4]), or a signal."""


@dataclass(frozen=True)
class Painting:
    """What a transfer gives: the picture with the lowest cost, and how it came about.

    Attributes:
        signal: the picture.
        settings: how it was made.
        best: the evaluation that belongs to the picture.
        history: all evaluations in order; the last one tells the seconds the descent took.
        about: the names of content and style and of the network.
    """

    signal: Signal
    settings: TransferSettings
    best: Evaluation
    history: tuple[Evaluation, ...]
    about: dict[str, str]

    @property
    def image(self) -> Image.Image:
        """The picture as a PIL image with 8 bits a channel."""
        return to_pillow(self.signal)

    def write(self, path: str | Path) -> None:
        """Write the picture with its settings inside; see :func:`impasto.signals.image.write_image`."""
        made = {
            "impasto": version("impasto"),
            **self.about,
            "cost": self.best.cost,
            "settings": self.settings.as_dict(),
        }
        write_image(self.signal, path, made)

    def summary(self) -> dict[str, Any]:
        """The numbers of the transfer, as ``impasto transfer --json`` prints them."""
        best = asdict(self.best)
        del best["evaluation"]
        return {
            "size": list(reversed(self.signal.shape)),
            **best,
            "alpha": self.settings.alpha,
            "beta": self.settings.beta,
            "evaluations": len(self.history),
            "seconds": self.history[-1].seconds,
            "seed": self.settings.seed,
            **self.about,
            "peak_memory_mib": round(peak_memory_mib(), 1),
        }


def transfer_style(
    content: Source,
    style: Source,
    settings: TransferSettings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> Painting:
    """Paint the content in the style of another picture (Gatys et al. 2015).

    Args:
        content: what is painted: a file, a PIL image, or an array of shape (height, width[, 3 or 4]).
        style: how it is painted, given in the same ways.
        settings: how; the defaults of :class:`TransferSettings` if None.
        on_progress: called after each evaluation of J.

    Raises:
        ImpastoError: an input, a setting or a size is wrong; see :mod:`impasto.errors`.
        TransferInterrupted: Ctrl-C (KeyboardInterrupt); it carries the painting as far as it came.
    """
    settings = settings or TransferSettings()
    content_picture, style_picture = _prepare(_read(content), over_white(_read(style)), settings)
    device = find_device(settings.device)
    start = _start(content_picture, style_picture, settings).to(device)
    network = ConvNet(VGG19, load_weights(settings.weights, settings.preprocessing), pooling=settings.pooling).to(device)
    objective = Objective(network, _tensor(content_picture).to(device), _tensor(style_picture).to(device), settings)
    about = {"content": _name(content), "style": _name(style), "network": f"vgg19 ({Path(settings.weights).name})"}
    history: list[Evaluation] = []

    def painting(progress: Progress) -> Painting:
        values = progress.best_generated[0].cpu().numpy()
        return Painting(content_picture.with_values(values), settings, progress.best, tuple(history), about)

    progress: Progress | None = None
    try:
        for progress in descend(objective, start, settings, bounds=(0.0, 1.0)):
            history.append(progress.latest)
            if on_progress is not None:
                on_progress(progress)
    except KeyboardInterrupt:
        if progress is None:
            raise
        raise TransferInterrupted(painting(progress)) from None
    assert progress is not None
    return painting(progress)


def _read(source: Source) -> Signal:
    return source if isinstance(source, Signal) else read_image(source)


def _name(source: Source) -> str:
    return Path(source).name if isinstance(source, str | Path) else type(source).__name__


def _prepare(content: Signal, style: Signal, settings: TransferSettings) -> tuple[Signal, Signal]:
    """Content and style at the size at which they are compared, if network and memory can take it."""
    table = up_to_deepest(VGG19, dict(settings.content_layers + settings.style_layers))
    longest = max(content.shape) if settings.size == "full" else int(settings.size)
    # a style is never enlarged: its strokes would be learned blurred
    targets = {"content": longest, "style": min(longest, max(style.shape))}
    shapes: dict[str, tuple[int, int]] = {}
    for (role, target), picture in zip(targets.items(), (content, style), strict=True):
        shapes[role] = scaled_shape(picture.shape, target)
        _check_size(role, picture.shape, shapes[role], table)
        check_memory(table, shapes[role])
    return resample_image(content, shapes["content"]), resample_image(style, shapes["style"])


def _check_size(role: str, given: tuple[int, ...], shape: tuple[int, int], table: LayerTable) -> None:
    smallest = total_stride(table)
    if min(shape) >= smallest:
        return
    height, width = shape
    longest = ceil(smallest * max(given) / min(given))
    raise SizeError(
        f"the {role} at {width} x {height} pixels is too small for {table[-1].name}, which needs {smallest} on each side; "
        f"give a {role} and a --size of at least {longest}, or layers less deep"
    )


def _start(content: Signal, style: Signal, settings: TransferSettings) -> Tensor:
    """The first G, of the content's shape."""
    if settings.init == "content":
        return _tensor(content)
    if settings.init == "random":
        generator = torch.Generator().manual_seed(settings.seed)
        noise = torch.randn(1, *content.values.shape, generator=generator)
        return (0.5 + 0.15 * noise).clamp(0, 1)
    picture = style if settings.init == "style" else over_white(read_image(settings.init))
    return _tensor(resample_image(picture, (content.shape[0], content.shape[1])))


def _tensor(picture: Signal) -> Tensor:
    return torch.from_numpy(picture.values)[None]
