"""How a signal is described to an optimizer.

Pixels are a poor description: a photograph has most of its energy in large forms and in brightness, so a step of equal size
in every pixel is mostly fine-grained coloured noise. Described by coefficients that are alike in energy (whitened in space
and colour), the same optimizer reaches the same cost in about half the evaluations, without the noise.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

log = logging.getLogger("impasto")

Map = Callable[[Tensor], Tensor]

# square root of the covariance of R, G, B in photographs: brightness, red to blue, green to magenta (measured on 260
# natural pictures, each in units of its own variance)
_COLOUR = ((0.871, 0.432, -0.098), (0.935, 0.030, 0.185), (0.978, -0.414, -0.089))


@dataclass(frozen=True)
class Parametrisation:
    """A linear map of coefficients to a signal, both of shape (1, channels, *space).

    ``decode`` gives the signal, ``encode`` is its inverse, and ``adjoint`` takes the gradient of a cost with respect to the
    signal to that with respect to the coefficients.
    """

    decode: Map
    encode: Map
    adjoint: Map


def plain() -> Parametrisation:
    """The values themselves."""
    return Parametrisation(torch.clone, torch.clone, torch.clone)


def whitened(shape: tuple[int, ...], device: torch.device) -> Parametrisation:
    """Coefficients alike in energy for natural signals of ``shape`` (channels, *space).

    The amplitude spectrum falls as 1/frequency in every number of dimensions (Field 1987); three channels are taken as
    R, G, B and described by brightness and two opponent colours.
    """
    channels, space = shape[0], shape[1:]
    axes = tuple(range(-len(space), 0))
    grids = [torch.fft.fftfreq(n) for n in space[:-1]] + [torch.fft.rfftfreq(space[-1])]
    frequency = torch.stack(torch.meshgrid(*grids, indexing="ij")).square().sum(0).sqrt()
    spectrum = 1 / frequency.clamp_min(1 / max(space))
    place = _place(device)
    spectrum = (spectrum / spectrum.square().mean().sqrt()).to(place)
    colour = torch.tensor(_COLOUR) if channels == 3 else torch.eye(channels)
    inverse = torch.linalg.inv(colour).to(device)
    colour = colour.to(device)

    def scaled(x: Tensor, amplitude: Tensor) -> Tensor:
        found = torch.fft.irfftn(torch.fft.rfftn(x.to(place), dim=axes) * amplitude, s=space, dim=axes)
        return found.to(device)

    def mixed(matrix: Tensor, x: Tensor) -> Tensor:
        return torch.einsum("ij,bj...->bi...", matrix, x)

    return Parametrisation(
        decode=lambda z: mixed(colour, scaled(z, spectrum)),
        encode=lambda x: scaled(mixed(inverse, x), 1 / spectrum),
        adjoint=lambda g: scaled(mixed(colour.T, g), spectrum),
    )


def in_phases(z: Tensor) -> Tensor:
    """Coefficients (N, channels, *space) with the phases of ``z``, and all of them with the magnitude of white noise.

    Decoded by :func:`whitened` they are signals with the spectrum of natural ones, of which only the phases can be chosen
    (Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization", 2023).
    """
    space = z.shape[2:]
    axes = tuple(range(2, z.dim()))
    transform = torch.fft.rfftn(z.to(_place(z.device)), dim=axes)
    magnitude = transform.abs().clamp_min(torch.finfo(z.dtype).tiny)
    return torch.fft.irfftn(transform / magnitude, s=space, dim=axes).to(z.device) * math.sqrt(math.prod(space))


def _place(device: torch.device) -> torch.device:
    """Where Fourier transforms of what lies on a device are computed."""
    return device if device.type in ("cpu", "cuda") or _transforms(device) else torch.device("cpu")


@cache
def _transforms(device: torch.device) -> bool:
    """Whether torch has the Fourier transform for a device; if not, that is told once."""
    try:
        torch.fft.irfftn(torch.fft.rfftn(torch.ones(2, 2, device=device)))
    except (RuntimeError, NotImplementedError):
        log.warning("torch has no Fourier transform for %s: it is computed on the CPU", device)
        return False
    return True
