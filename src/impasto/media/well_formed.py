"""Whether a signal that the user made is what its medium asks for."""

from __future__ import annotations

import numpy as np

from impasto.errors import SignalError
from impasto.media.medium import Medium
from impasto.media.signal import Signal

_OVERSHOOT = 0.01  # filters may go this far beyond black and white


def check_signal(signal: Signal, medium: Medium) -> None:
    """See that a signal that the user made has the values and the header that its medium asks for.

    Raises:
        SignalError: it has not.
    """
    kind, values, axes = signal.kind, signal.values, medium.axes
    given, counts = getattr(values, "shape", type(values).__name__), axes[0].split(" or ")
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise SignalError(f"the values of a signal are {getattr(values, 'dtype', given)}; an array of floats was expected")
    fitting = not counts[0].isdigit() or str(len(values) if values.ndim else 0) in counts
    if values.ndim != len(axes) or not values.size or not fitting:
        raise SignalError(f"values of shape {given} are no signal of the kind {kind!r}: ({', '.join(axes)}) was expected")
    if medium.finite and not np.isfinite(values.sum(dtype=np.float64)):
        raise SignalError(f"the values of a signal of the kind {kind!r} are NaN or infinite in places")
    low, high = medium.bounds or (-np.inf, np.inf)
    if values.min() < low - _OVERSHOOT or values.max() > high + _OVERSHOOT:
        raise SignalError(
            f"a signal of the kind {kind!r} has values in {values.min():g}..{values.max():g}; {low:g}..{high:g} was expected"
        )
    for name, words in medium.needs.items():
        if not signal.header.get(name):
            raise SignalError(f"{medium.noun} has no {name} in its header; {words} were expected there")
    if "alpha" in signal.header and np.shape(signal.header["alpha"]) != signal.shape:
        raise SignalError(f"an opacity of shape {np.shape(signal.header['alpha'])} was given for values of shape {given}")
