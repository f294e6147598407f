"""impasto paints a signal in the style of another one, and shows what the network that does it has learned.

>>> import impasto
>>> painting = impasto.transfer_style("harbour.jpg", "monet.jpg", impasto.TransferSettings(size=1024))
>>> painting.write("out.png")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from impasto.errors import (
    ClusterError,
    ImpastoError,
    SettingsError,
    SignalError,
    SizeError,
    UnknownLayerError,
    WeightsError,
)
from impasto.transfer.settings import TransferSettings

if TYPE_CHECKING:
    __version__: str
    from impasto.cluster.executor import Cluster
    from impasto.descent.descend import Evaluation, Progress
    from impasto.descent.optimizers import LBFGS, Adam, GradientDescent, Optimizer
    from impasto.explanation.explain import explain
    from impasto.explanation.explanation import Explanation
    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import top_patches
    from impasto.explore.synthesis import synthesise
    from impasto.media.image.read import read_image
    from impasto.media.image.write import write_image
    from impasto.media.signal import Signal
    from impasto.networks.convnet import ConvNet, vgg16, vgg19
    from impasto.networks.weights import load_weights
    from impasto.networks.wrap import wrap
    from impasto.objective.content import content
    from impasto.objective.neighbours import neighbours
    from impasto.objective.own import activation_term, image_term, total_variation
    from impasto.objective.style import style
    from impasto.objective.term import Objective, Term
    from impasto.transfer.folder import FolderProgress, FolderResult, transfer_folder
    from impasto.transfer.painter import Painter, TransferInterrupted, transfer_style
    from impasto.transfer.painting import Painting
    from impasto.transfer.scenes import transfer_scenes

# imported when first used, so that `import impasto` and `impasto --help` do not wait for torch
_LATER = {
    "Adam": "impasto.descent.optimizers",
    "Cluster": "impasto.cluster.executor",
    "ConvNet": "impasto.networks.convnet",
    "Evaluation": "impasto.descent.descend",
    "Explanation": "impasto.explanation.explanation",
    "FolderProgress": "impasto.transfer.folder",
    "FolderResult": "impasto.transfer.folder",
    "GradientDescent": "impasto.descent.optimizers",
    "LBFGS": "impasto.descent.optimizers",
    "Objective": "impasto.objective.term",
    "Optimizer": "impasto.descent.optimizers",
    "Painter": "impasto.transfer.painter",
    "Painting": "impasto.transfer.painting",
    "PatchIndex": "impasto.explore.index",
    "Progress": "impasto.descent.descend",
    "Signal": "impasto.media.signal",
    "Term": "impasto.objective.term",
    "TransferInterrupted": "impasto.transfer.painter",
    "activation_term": "impasto.objective.own",
    "content": "impasto.objective.content",
    "explain": "impasto.explanation.explain",
    "image_term": "impasto.objective.own",
    "load_weights": "impasto.networks.weights",
    "neighbours": "impasto.objective.neighbours",
    "read_image": "impasto.media.image.read",
    "style": "impasto.objective.style",
    "synthesise": "impasto.explore.synthesis",
    "top_patches": "impasto.explore.patches",
    "total_variation": "impasto.objective.own",
    "transfer_folder": "impasto.transfer.folder",
    "transfer_scenes": "impasto.transfer.scenes",
    "transfer_style": "impasto.transfer.painter",
    "vgg16": "impasto.networks.convnet",
    "vgg19": "impasto.networks.convnet",
    "wrap": "impasto.networks.wrap",
    "write_image": "impasto.media.image.write",
}

__all__ = [
    "LBFGS",
    "Adam",
    "Cluster",
    "ClusterError",
    "ConvNet",
    "Evaluation",
    "Explanation",
    "FolderProgress",
    "FolderResult",
    "GradientDescent",
    "ImpastoError",
    "Objective",
    "Optimizer",
    "Painter",
    "Painting",
    "PatchIndex",
    "Progress",
    "SettingsError",
    "Signal",
    "SignalError",
    "SizeError",
    "Term",
    "TransferInterrupted",
    "TransferSettings",
    "UnknownLayerError",
    "WeightsError",
    "activation_term",
    "content",
    "explain",
    "image_term",
    "load_weights",
    "neighbours",
    "read_image",
    "style",
    "synthesise",
    "top_patches",
    "total_variation",
    "transfer_folder",
    "transfer_scenes",
    "transfer_style",
    "vgg16",
    "vgg19",
    "wrap",
    "write_image",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("impasto")
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'impasto' has no attribute {name!r}")
