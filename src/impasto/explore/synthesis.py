"""What a unit wants to see: the picture that excites it, by gradient ascent from noise.

The picture is described by whitened coefficients, and seen in another way at every step, so that no fine pattern which only
works at one place can win. With the spectrum of photographs, as Fel et al. (2023) do it, only the phases of the coefficients
are chosen, and each step sees another part of the picture, enlarged and a little noisy. With a free one, as Olah et al.
("Feature Visualization", 2017) do it, the picture is shifted and scaled a little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.descent.parametrisation import in_phases, whitened
from impasto.explore.settings import SPECTRA, SYNTHESIS, Objective, parse_objective
from impasto.explore.trained import trained_network
from impasto.media.signal import Signal
from impasto.networks.device import memory_told
from impasto.networks.network import Network, OfTable
from impasto.networks.precision import computing_in
from impasto.networks.registry import constructor_of
from impasto.objective.costs import style_matrix
from impasto.objective.weighting import check_choice
from impasto.validation import whole

_INTERPOLATION = {1: "linear", 2: "bilinear", 3: "trilinear"}
_SCALES = (0.9, 1.1)
_PARTS, _NOISE = (0.35, 0.85), 0.05  # the part of the picture that is seen, of its side, and the deviation of its noise
_MARGIN = 16
_START, _CONTRAST = 0.1, 1.5
_SLOPE = 0.01  # the default of F.leaky_relu
_MEAN, _SQUARE, _NOT_ZERO = 0.9, 0.999, 1e-8


def synthesise(
    objective: str | Objective,
    *,
    diverse: int = 1,
    size: int | Sequence[int] = SYNTHESIS.size,
    iterations: int = SYNTHESIS.iterations,
    seed: int = SYNTHESIS.seed,
    spectrum: str = SYNTHESIS.spectrum,
    network: str | Network = "vgg19",
    weights: str | None = None,
    preprocessing: str = "auto",
    device: str = "auto",
    on_progress: Callable[[int, float], None] | None = None,
    cancel: Event | None = None,
) -> list[Signal]:
    """The picture that excites a unit, or a weighted sum of units.

    Args:
        objective: "relu4_1:17", "relu4_1:17=1,relu4_1:30=0.5", or a mapping of (layer, unit) to weights.
        diverse: how many pictures, at least 1, each of another style (by the correlations of the layer's channels).
        size: of the pictures, in pixels: one number, or (height, width), of at least 32.
        iterations: steps of gradient ascent, at least 1.
        seed: of the noise it starts from and of what is seen of it, at least 0; with one seed, one result on one machine.
        spectrum: "natural", every frequency as strong as in photographs and only the phases chosen; or "free".
        network: by name, or a network, as of :func:`impasto.top_patches`.
        weights: of a network by name, as of :func:`impasto.load_weights`, as is ``preprocessing``.
        device: "auto", "cpu", "cuda", "mps".
        on_progress: called after each step with its number and the mean activation.
        cancel: once it is set, from wherever, no other step is made, and the pictures are as far as they came.

    Returns:
        ``diverse`` pictures of shape (3, height, width) in 0..1.

    Raises:
        SettingsError: a number is out of its range, or there is no such network or unit; UnknownLayerError: no such layer.
        WeightsError: the weights are missing, damaged, or of another network.
        SizeError: it needs more memory than there is.
    """
    known = constructor_of(network) if isinstance(network, str) else None
    if known and known.table:  # what is wrong is told before weights are read
        parse_objective(objective, known)
    space = (size, size) if isinstance(size, int) else tuple(size)
    space = tuple(whole(32)("size", n) for n in space)
    diverse, iterations = whole(1)("diverse", diverse), whole(1)("iterations", iterations)
    network, _ = trained_network(weights, device, preprocessing=preprocessing, network=network)
    units = parse_objective(objective, network)
    tell = on_progress or (lambda *_: None)
    seed, spectrum = whole(0)("seed", seed), check_choice("spectrum", spectrum, SPECTRA)
    with memory_told(network.device):
        pictures = ascend(network, units, (diverse, 3, *space), iterations, seed, tell, cancel, spectrum)
        return [Signal(picture) for picture in pictures.cpu().numpy()]


def ascend(
    network: Network,
    objective: Objective,
    shape: tuple[int, ...],
    iterations: int,
    seed: int,
    on_progress: Callable[[int, float], None],
    cancel: Event | None = None,
    spectrum: str = SYNTHESIS.spectrum,
) -> Tensor:
    """Signals of ``shape`` (N, channels, *space) in 0..1 that excite the units of ``objective``; see :func:`synthesise`."""
    generator = torch.Generator().manual_seed(seed)
    device = network.device
    # a margin, which is cut off at the end: zero padding leaves traces along the border
    shape = (*shape[:2], *(n + 2 * _MARGIN for n in shape[2:]))
    decode, natural = whitened(shape[1:], device).decode, spectrum == "natural"
    seen = _part if natural else _moved
    axes = tuple(range(1, len(shape)))

    def picture(z: Tensor) -> Tensor:
        # the contrast is fixed: otherwise the ascent would raise it until every colour is saturated
        x = decode(in_phases(z) if natural else z)
        return torch.sigmoid(_CONTRAST * x / x.square().mean(axes, keepdim=True).sqrt())

    # as the contrast is fixed, only the direction of z counts: a short z turns quickly, and more slowly as it grows
    z = (_START * torch.randn(shape, generator=generator)).to(device).requires_grad_()
    mean, square = torch.zeros_like(z), torch.zeros_like(z)
    sources = {layer: _before_relu(network, layer) for layer, _ in objective}

    def excitement(activations: Mapping[str, Tensor], layer: str, unit: int) -> Tensor:
        a = activations[sources[layer]]
        # where a ReLU gives 0 there would be no slope to climb, so a little of one is left
        return (a[:, unit] if sources[layer] == layer else F.leaky_relu(a[:, unit])).mean()

    for iteration in range(1, iterations + 1):
        with computing_in("float32", device):
            signals = picture(z)
            activations = network(seen(signals, generator), list(sources.values()))
            for layer, source in sources.items():
                if source == layer:
                    _leave_slope(activations[layer])
            score = sum(
                (weight * excitement(activations, layer, unit) for (layer, unit), weight in objective.items()),
                start=z.new_zeros(()),
            )
            likeness = _likeness(list(activations.values())) if shape[0] > 1 else 0.0
            loss = -score + SYNTHESIS.diversity * score.detach().abs() * likeness
            (gradient,) = torch.autograd.grad(loss, z)
        with torch.no_grad():
            _adam_step(z, gradient, mean, square, iteration)
        on_progress(iteration, float(score.detach()))
        if cancel is not None and cancel.is_set():
            break
    inner = (slice(_MARGIN, -_MARGIN),) * (len(shape) - 2)
    return picture(z.detach())[(..., *inner)]


def _adam_step(z: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, iteration: int) -> None:
    """Adam (Kingma and Ba 2015), in place; torch's own loads its compiler, which takes seconds and filters warnings."""
    mean.lerp_(gradient, 1 - _MEAN)
    square.mul_(_SQUARE).addcmul_(gradient, gradient, value=1 - _SQUARE)
    deviation = (square.sqrt() / (1 - _SQUARE**iteration) ** 0.5).add_(_NOT_ZERO)
    z.addcdiv_(mean, deviation, value=-SYNTHESIS.step / (1 - _MEAN**iteration))


def _leave_slope(activation: Tensor) -> None:
    """The same slope for a ReLU whose input has no name: where it gives 0, it hands back a little of its gradient."""
    node = activation.grad_fn
    while node is not None and node.name() == "CloneBackward0":
        node = node.next_functions[0][0]
    if node is not None and node.name() == "ReluBackward0":
        active = activation.detach() > 0
        node.register_hook(lambda into, out: (torch.where(active, into[0], _SLOPE * out[0]),))


def _before_relu(network: Network, layer: str) -> str:
    """The layer from which a ReLU gets its input; of any other layer, and where no table tells, the layer itself."""
    if not isinstance(network, OfTable):
        return layer
    names = [row.name for row in network.table]
    at = names.index(layer)
    return names[at - 1] if network.table[at].operation == "relu" else layer


def _part(signals: Tensor, generator: torch.Generator) -> Tensor:
    """A part of the signals, as large as they are without their margin, with a little noise."""
    low, high = _PARTS
    share = low + (high - low) * float(torch.rand((), generator=generator))
    parts = [min(n, max(_MARGIN, round(n * share))) for n in signals.shape[2:]]
    starts = [
        int(torch.randint(n - part + 1, (), generator=generator)) for n, part in zip(signals.shape[2:], parts, strict=True)
    ]
    inside = tuple(slice(start, start + part) for start, part in zip(starts, parts, strict=True))
    space = [n - 2 * _MARGIN for n in signals.shape[2:]]
    part = F.interpolate(signals[(..., *inside)], space, mode=_INTERPOLATION[len(space)], align_corners=False)
    return part + _NOISE * torch.randn(part.shape, generator=generator).to(part.device)


def _moved(signals: Tensor, generator: torch.Generator) -> Tensor:
    """The signals a little larger or smaller, and shifted."""
    low, high = _SCALES
    scale = low + (high - low) * float(torch.rand((), generator=generator))
    dims = signals.dim() - 2
    smallest = 32
    space = [max(smallest, round(n * scale)) for n in signals.shape[2:]]
    scaled = F.interpolate(signals, space, mode=_INTERPOLATION[dims], align_corners=False)
    shifts = torch.randint(-SYNTHESIS.jitter, SYNTHESIS.jitter + 1, (dims,), generator=generator).tolist()
    return scaled.roll(shifts, tuple(range(2, 2 + dims)))


def _likeness(activations: Sequence[Tensor]) -> Tensor:
    """Mean cosine between the style matrices of every two signals (the diversity term of Olah et al. 2017)."""
    cosines: list[Tensor] = []
    for a in activations:
        matrices = F.normalize(torch.stack([style_matrix(one[None]).flatten() for one in a]), dim=1)
        count = len(matrices)
        cosines.append(((matrices @ matrices.T).sum() - count) / (count * (count - 1)))
    return torch.stack(cosines).mean()
