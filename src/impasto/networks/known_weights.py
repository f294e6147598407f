"""Which network weights are of, told by what they are: a file's name, and the names in it, are what somebody gave them.

VGG-19 was trained twice. The original one, by its authors, sees pictures of 0..255 from which a mean was subtracted;
torchvision's, trained anew, sees them in units of their deviation. Both have passed through many hands: renamed, with the
channels turned round, each kernel scaled by the mean activation of its unit (Gatys et al. 2015), trained a little further. A
few kernels of the first layer tell them apart all the same: colours are what they see, so that they differ with the order of
the channels, and no other network has the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Recognised(NamedTuple):
    """What weights are.

    Attributes:
        preprocessing: the row of :data:`impasto.networks.weights.PREPROCESSING` that tells what input they expect.
        bgr: whether their first kernels take blue first.
    """

    preprocessing: str
    bgr: bool


# from this cosine on a kernel is the same one; training a little further hardly changes the first layer
_SAME = 0.9
# how far the unit of the input may be from the expected one: a quarter of it would be another one, as 0..1 is
_UNIT = 2.0

# kernels of conv1_1 in hundredths, by the number of their unit: channel by channel (red, green, blue), row by row
_KERNELS = {
    "caffe": {
        25: "-17 -17 -15 -16 -16 -14 -15 -15 -14  8 10 10 12 14 13 9 12 10  13 16 14 18 21 19 13 17 14",
        29: "22 25 13 21 21 10 11 10 4  -2 -1 -5 -6 -8 -11 -7 -10 -9  -19 -19 -15 -21 -24 -19 -15 -18 -12",
        22: "-15 -19 -15 -19 -25 -20 -16 -19 -16  6 4 5 4 0 3 4 3 4  15 15 15 16 15 15 13 15 14",
    },
    "torchvision": {
        62: "3 38 29 -48 -36 23 -22 0 15  18 39 3 -39 -50 0 6 15 5  13 8 -39 5 -19 -18 34 22 -8",
        63: "-81 -74 -78 -17 34 -7 52 96 76  8 25 -15 -7 45 -38 -15 12 -11  52 76 62 -11 19 -12 -66 -65 -55",
    },
}
# and the biases of those units, where the unit of the input is told by them: a kernel may have been scaled with its bias
_BIASES = {"caffe": {25: 0.60, 29: 0.58, 22: 0.27}}


def recognised(weight: Tensor, bias: Tensor) -> Recognised | None:
    """What network has these as its first layer, weight (64, 3, 3, 3) and bias (64,); None if none that is known here."""
    for preprocessing, kernels in _KERNELS.items():
        units = list(kernels)
        known = torch.tensor([[float(number) / 100 for number in kernel.split()] for kernel in kernels.values()])
        for bgr in (False, True):
            found = (weight.flip(1) if bgr else weight)[units].float().flatten(1)
            if bool((torch.cosine_similarity(found, known) > _SAME).all()):
                larger = found.norm(dim=1) / known.norm(dim=1)
                if preprocessing in _BIASES:
                    larger = larger / (bias[units].float() / torch.tensor([*_BIASES[preprocessing].values()]))
                same_unit = 1 / _UNIT < float(larger.median()) < _UNIT
                return Recognised(preprocessing, bgr) if same_unit else None
    return None
