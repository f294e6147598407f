"""The network that is explored, as it was trained."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from impasto.errors import SettingsError
from impasto.explore.relevance import Towards
from impasto.media.registry import medium_of, views
from impasto.networks.device import find_device
from impasto.networks.network import Network
from impasto.networks.registry import constructor_of, networks
from impasto.networks.weights import TITLES, state_of_file, usual_preprocessing

# how VGG was trained; any other network that has these options is made in the same way
_AS_TRAINED = {"padding": "zeros", "pooling": "max"}


def explored_networks(kind: str = "image") -> tuple[str, ...]:
    """The networks by name that can be explored for signals of a kind by anybody, as they need no file of weights."""
    dims = views()[kind].dims
    return tuple(name for name, row in networks().items() if row.explored and dims in row.dims and not row.needs_file)


def trained_network(
    weights: str | None = None,
    device: str = "auto",
    kind: str = "image",
    preprocessing: str = "auto",
    network: str | Network = "vgg19",
    towards: str | None = None,
) -> tuple[Network, str]:
    """The network for signals of a kind, as it was trained, and its name.

    By name one of :func:`impasto.networks.registry.networks`: VGG with zero padding and max pooling. The name tells the
    preprocessing where it is not the one by which these weights are loaded without being told. A network that is given is
    used as it is, and where it is unless there is a ``device`` other than "auto". ``towards`` a target its activations are
    relevances (:class:`impasto.explore.relevance.Towards`), which the name tells too.

    Raises:
        WeightsError: the weights are missing or damaged.
        SettingsError: there is no such network or device, or the network is not for this kind.
    """
    if towards is not None:
        found, name = trained_network(weights, device, kind, preprocessing, network)
        relevant = Towards(found, towards)
        return relevant, name + relevant.name.removeprefix(found.name)
    if not isinstance(network, str):
        return _given(network, weights, device, kind, preprocessing)
    row = constructor_of(network)
    if not row.explored:
        raise SettingsError(f"network {network!r} cannot be explored: it needs {', '.join(row.takes)} beside the signal")
    if "weights" in row.takes:
        weights = weights or row.weights or None
    state = state_of_file(weights) if weights and network in TITLES else None
    return _built(weights, device, kind, preprocessing, network, state)


@lru_cache(1)
def _built(weights: str | None, device: str, kind: str, preprocessing: str, name: str, _: object) -> tuple[Network, str]:
    row = constructor_of(name)
    options: dict[str, Any] = {option: value for option, value in _AS_TRAINED.items() if option in row.takes}
    told = None if preprocessing == "auto" else preprocessing
    network = row.build(views()[kind].dims, weights=weights, preprocessing=told, **options)
    seen = "" if medium_of(kind).is_picture else f" in {network.spatial_dims}D over each {kind}"
    of_weights = ""
    if weights:
        unusual = told and (name not in TITLES or told != usual_preprocessing(weights, name))
        of_weights = f" ({Path(weights).name}{f', {told}' if unusual else ''})"
    return network.to(find_device(device)), f"{name}{seen}{of_weights}"


def _given(network: Network, weights: str | None, device: str, kind: str, preprocessing: str) -> tuple[Network, str]:
    if not isinstance(network, Network):
        raise SettingsError(
            f"network is a {type(network).__name__}; a name, or what impasto.wrap(module, layers) gives, was expected"
        )
    if weights is not None or preprocessing != "auto":
        raise SettingsError(f"weights and preprocessing are of networks by name; {network.name} is given with its own")
    dims, noun = views()[kind].dims, medium_of(kind).noun
    if network.spatial_dims != dims:
        raise SettingsError(f"{network.name} looks along {network.spatial_dims} axes of space; {noun} has {dims}")
    return network if device == "auto" else network.to(find_device(device)), network.name
