"""impasto paints a signal in the style of another one, and shows what the network that does it has learned.

>>> import impasto
>>> painting = impasto.transfer_style("harbour.jpg", "monet.jpg", impasto.TransferSettings(size=1024))
>>> painting.write("out.png")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from impasto.errors import (
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
    from impasto.descent.descend import Evaluation, Progress
    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import top_patches
    from impasto.explore.synthesis import synthesise
    from impasto.media.image.read import read_image
    from impasto.media.image.write import write_image
    from impasto.media.signal import Signal
    from impasto.networks.convnet import ConvNet, vgg16, vgg19
    from impasto.networks.weights import load_weights
    from impasto.networks.wrap import wrap
    from impasto.transfer.style_transfer import Painting, TransferInterrupted, transfer_style

# imported when first used, so that `import impasto` and `impasto --help` do not wait for torch
_LATER = {
    "PatchIndex": "impasto.explore.index",
    "synthesise": "impasto.explore.synthesis",
    "top_patches": "impasto.explore.patches",
    "ConvNet": "impasto.networks.convnet",
    "vgg16": "impasto.networks.convnet",
    "vgg19": "impasto.networks.convnet",
    "load_weights": "impasto.networks.weights",
    "wrap": "impasto.networks.wrap",
    "read_image": "impasto.media.image.read",
    "write_image": "impasto.media.image.write",
    "Signal": "impasto.media.signal",
    "Evaluation": "impasto.descent.descend",
    "Progress": "impasto.descent.descend",
    "Painting": "impasto.transfer.style_transfer",
    "TransferInterrupted": "impasto.transfer.style_transfer",
    "transfer_style": "impasto.transfer.style_transfer",
}

__all__ = [
    "ConvNet",
    "Evaluation",
    "ImpastoError",
    "Painting",
    "PatchIndex",
    "Progress",
    "SettingsError",
    "Signal",
    "SignalError",
    "SizeError",
    "TransferInterrupted",
    "TransferSettings",
    "UnknownLayerError",
    "WeightsError",
    "load_weights",
    "read_image",
    "synthesise",
    "top_patches",
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
