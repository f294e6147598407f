"""Long signals in pieces: the activations of all of it, computed within the memory of a part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Chunks(NamedTuple):
    """How to cut a 1D signal for a network whose layers all have one ``stride``.

    Attributes:
        length: samples of a piece, a multiple of the stride.
        margin: samples to either side that the piece's activations depend on, a multiple of the stride and at most the
            length. Where the signal ends, so does the margin: the network pads there as it does for the whole.
        stride: samples between two positions of an activation.
    """

    length: int
    margin: int
    stride: int

    def cut(self, x: Tensor) -> Iterator[tuple[Tensor, slice]]:
        """The pieces of x (..., samples) with margins, and which positions of their activations are the piece's own."""
        pieces = x.split(self.length, dim=-1)
        for i, piece in enumerate(pieces):
            before = [pieces[i - 1][..., -self.margin :]] if i else []
            after = [following[..., : self.margin] for following in pieces[i + 1 : i + 2]]
            first = self.margin // self.stride if before else 0
            own = slice(first, first + self.length // self.stride if after else None)
            yield torch.cat([*before, piece, *after], -1), own
