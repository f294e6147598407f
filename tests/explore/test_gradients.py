"""Gradients of an activation against independent ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from impasto.explore.gradients import activation_gradient, gradient_panel
from impasto.explore.patches import empty_index, search
from impasto.media.image.read import read_image
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import up_to_deepest


class _Guided(torch.autograd.Function):
    """Springenberg et al. 2015: backwards through a ReLU goes what is positive, where the input was positive."""

    @staticmethod
    def forward(ctx, x):  # pyright: ignore
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx, gradient):  # pyright: ignore
        return gradient.clamp_min(0) * (ctx.saved_tensors[0] > 0)


def reference(network: ConvNet, x: torch.Tensor, layer: str, relu) -> torch.Tensor:  # pyright: ignore
    a = (x - network.get_buffer("mean")) / network.get_buffer("std")
    for row in up_to_deepest(network.table, [layer]):
        if row.operation == "conv":
            a = F.conv2d(a, network.get_buffer(f"{row.name}_weight"), network.get_buffer(f"{row.name}_bias"), padding=1)
        elif row.operation == "pool":
            a = F.max_pool2d(a, 2)
        else:
            a = relu(a)
    return a


@pytest.mark.parametrize("kind", ["plain", "guided"])
@pytest.mark.parametrize("layer", ["relu1_1", "relu2_2", "relu3_1"])
def test_the_gradient_in_the_field_is_that_of_the_whole_picture(network: ConvNet, kind: str, layer: str) -> None:
    rng = np.random.default_rng(3)
    source = rng.integers(0, 256, (37, 51, 3), np.uint8)
    index = empty_index({layer: (0, 1, 2, 3)}, network="small", size="full", top=4, per_image=4)
    *_, progress = search(network, {"p": source}, index)
    signal = read_image(source)
    relu = _Guided.apply if kind == "guided" else F.relu
    for unit, patches in progress.index.layers[layer].items():
        for patch in patches:
            x = torch.from_numpy(signal.values)[None].requires_grad_()
            a = reference(network, x, layer, relu)[(0, unit, *patch.position)]
            (expected,) = torch.autograd.grad(a, x)
            (top, bottom), (left, right) = patch.field
            given = activation_gradient(network, signal, layer, unit, patch, kind)  # pyright: ignore[reportArgumentType]
            inside = expected[0, :, top:bottom, left:right].numpy()
            np.testing.assert_allclose(given, inside, rtol=1e-4, atol=1e-4 * np.abs(inside).max() + 1e-12)
            outside = expected[0].clone()
            outside[:, top:bottom, left:right] = 0
            assert not outside.any()


def test_the_panel_is_grey_where_nothing_matters(network: ConvNet) -> None:
    rng = np.random.default_rng(3)
    source = rng.integers(0, 256, (40, 40, 3), np.uint8)
    index = empty_index({"relu3_1": (0, 1, 2, 3)}, network="small", size="full", top=1, per_image=1)
    *_, progress = search(network, {"p": source}, index)
    patch = max(patches[0] for patches in progress.index.layers["relu3_1"].values())
    panel = gradient_panel(network)(read_image(source), "relu3_1", 0, patch)
    assert panel.dtype == np.float32
    assert panel.shape == (3, *(stop - start for start, stop in patch.field))
    assert 0 <= panel.min() <= 0.5 <= panel.max() <= 1
