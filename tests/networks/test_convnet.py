from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import correlate

from impasto.errors import SizeError
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet, Padding, Pooling
from impasto.networks.layers import VGG19
from impasto.networks.weights import Weights
from tests.conftest import as_tensor


def reference(
    image: NDArray[np.float32], weights: Weights, deepest: str, padding: Padding, pooling: Pooling
) -> dict[str, NDArray[np.float64]]:
    """VGG-19 written a second time, in NumPy and float64."""
    a = (image.astype(np.float64) - weights["mean"].numpy().reshape(3, 1, 1)) / weights["std"].numpy().reshape(3, 1, 1)
    activations = {}
    for row in VGG19:
        if row.operation == "conv":
            kernels = weights[f"{row.name}.weight"].numpy().astype(np.float64)
            padded = np.pad(a, ((0, 0), (1, 1), (1, 1)), "edge" if padding == "replicate" else "constant")
            a = np.stack([correlate(padded, kernel, mode="valid", method="direct")[0] for kernel in kernels])
            a += weights[f"{row.name}.bias"].numpy().astype(np.float64)[:, None, None]
        elif row.operation == "relu":
            a = np.maximum(a, 0)
        else:
            blocks = a[:, : a.shape[1] // 2 * 2, : a.shape[2] // 2 * 2]
            blocks = blocks.reshape(len(a), a.shape[1] // 2, 2, a.shape[2] // 2, 2)
            a = blocks.max((2, 4)) if pooling == "max" else blocks.mean((2, 4))
        activations[row.name] = a
        if row.name == deepest:
            return activations
    raise AssertionError(deepest)


@pytest.mark.slow
@pytest.mark.parametrize(("padding", "pooling"), [("replicate", "avg"), ("zeros", "max")])
def test_activations_equal_an_independent_network(weights: Weights, photograph: Signal, padding: Padding, pooling: Pooling):
    image = photograph.values[:, :9, :11]
    names = ["conv1_1", "relu1_1", "relu1_2", "pool1", "conv2_1", "relu2_1", "relu2_2", "pool2", "relu3_1"]
    expected = reference(image, weights, names[-1], padding, pooling)
    with torch.no_grad():
        network = ConvNet(VGG19, weights, padding=padding, pooling=pooling)
        activations = network(torch.from_numpy(image)[None], names)
    for name in names:
        got = activations[name][0].numpy()
        assert got.shape == expected[name].shape
        assert np.abs(got - expected[name]).max() <= 1e-5 * np.abs(expected[name]).max(), name


@pytest.mark.slow
def test_asking_for_the_value_before_relu_does_not_change_it(network: ConvNet, photograph: Signal):
    x = as_tensor(photograph)
    alone = network(x, ["conv2_1"])["conv2_1"]
    together = network(x, ["conv2_1", "relu2_1"])
    assert torch.equal(alone, together["conv2_1"])
    assert torch.equal(together["relu2_1"], alone.relu())
    assert (alone < 0).any()


def test_the_input_is_not_changed_and_the_weights_have_no_gradient(network: ConvNet, photograph: Signal):
    x = as_tensor(photograph).clone().requires_grad_()
    before = x.detach().clone()
    network(x, ["relu1_1"])["relu1_1"].sum().backward()
    assert torch.equal(x.detach(), before)
    assert x.grad is not None
    assert not list(network.parameters())


@pytest.mark.slow
def test_a_signal_too_small_says_the_smallest_size(network: ConvNet):
    with pytest.raises(SizeError, match=r"15 x 64 .* relu5_1.* 16"):
        network(torch.zeros(1, 3, 15, 64), ["relu5_1"])
    assert network(torch.zeros(1, 3, 16, 64), ["relu5_1"])["relu5_1"].shape == (1, 512, 1, 4)


def test_features_are_channels_last(network: ConvNet, photograph: Signal):
    feature = network(as_tensor(photograph), ["relu3_1"])["relu3_1"]
    assert feature.is_contiguous(memory_format=torch.channels_last)
