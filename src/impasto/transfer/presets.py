"""The settings of known programs and papers: a table whose rows are settings of impasto like any others.

What a program counts in other units is in the weights of the layers, so that J is the same number: a mean squared error is
four times the content cost of the equations, and of Gram matrices divided by n n_C it is 4 / n_C^2 times their style cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

_BLOCKS = (("1", 64), ("2", 128), ("3", 256), ("4", 512), ("5", 512))
"""The blocks of VGG-19, with the channels of their layers."""


class Preset(NamedTuple):
    """A row.

    Attributes:
        source: who made it.
        settings: the fields of ``TransferSettings`` in which it differs from the defaults.
        differs: what of the original is otherwise here; of J nothing, for a content and a style of one size.
    """

    source: str
    settings: dict[str, Any]
    differs: str


def _means(layers: Iterable[tuple[str, int]]) -> dict[str, float]:
    """Lambdas with which J_style is the sum of mean squared errors of Gram matrices divided by n n_C."""
    return {layer: 4 / channels**2 for layer, channels in layers}


_RELUS = [(f"relu{block}_1", channels) for block, channels in _BLOCKS]
_AS_TRAINED = {"pooling": "max", "padding": "zeros", "scales": 1}
_BY_LBFGS = {"optimizer": "lbfgs", "history": 100}

PRESETS: dict[str, Preset] = {
    "course": Preset(
        "the programming assignment of the course 'Convolutional Neural Networks' (deeplearning.ai), in TensorFlow",
        _AS_TRAINED
        | {
            "size": 400,
            "weighting": "absolute",
            "content_layers": {"relu5_4": 1.0},
            "style_layers": {layer: 0.2 for layer, _ in _RELUS},
            "alpha": 10.0,
            "beta": 40.0,
            "optimizer": "adam",
            "step": 0.01,
            "iterations": 2500,
            "init_noise": 0.5,
            "noise": "uniform",
            "preprocessing": "none",
        },
        "Both pictures keep their shape, where the course makes them squares of 400; Adam forgets its squares sooner.",
    ),
    "gatys2015": Preset(
        "Gatys, Ecker and Bethge, 'A Neural Algorithm of Artistic Style' (2015), arXiv:1508.06576",
        _AS_TRAINED
        | _BY_LBFGS
        | {
            "pooling": "avg",
            "size": 512,
            "weighting": "summed",
            "content_layers": {"relu4_2": 1.0},
            "style_layers": {layer: 0.2 for layer, _ in _RELUS},
            "alpha": 1.0,
            "beta": 1000.0,
            "iterations": 500,
            "init": "random",
            "noise": "white",
        },
        "G stays in 0..1; the published weights are not normalised; size and number of steps are not in the paper.",
    ),
    "neural-style": Preset(
        "the defaults of neural-style, in its version for PyTorch, neural-style-pt",
        _AS_TRAINED
        | _BY_LBFGS
        | {
            "size": 512,
            "weighting": "absolute",
            "content_layers": {"relu4_2": 4.0},
            "style_layers": _means(_RELUS),
            "alpha": 5.0,
            "beta": 100.0,
            "tv": 0.255,  # 0.001 for values in 0..255
            "tv_cost": "summed",
            "iterations": 1000,
            "init": "random",
            "noise": "white",
        },
        "G stays in 0..1, and starts from noise that is seen, where the original starts from nearly even grey.",
    ),
    "pytorch-tutorial": Preset(
        "the tutorial 'Neural Transfer Using PyTorch' (Alexis Jacq)",
        _AS_TRAINED
        | _BY_LBFGS
        | {
            "size": 512,
            "weighting": "absolute",
            "content_layers": {"conv2_2": 4.0},
            "style_layers": _means([("conv1_1", 64), ("conv1_2", 64), ("conv2_1", 128), ("conv2_2", 128), ("conv3_1", 256)]),
            "alpha": 1.0,
            "beta": 1e6,
            "iterations": 300,
            "weights": "torchvision",  # in whose units alpha and beta are
        },
        "Pictures keep their shape; the tutorial itself takes 128 pixels where there is no GPU.",
    ),
}
"""By the names that ``--preset`` has for them."""
