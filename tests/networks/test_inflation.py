"""One network for signals of one, two and three dimensions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import SizeError
from impasto.networks.convnet import ConvNet, vgg19
from impasto.networks.inflation import to_dimensions
from impasto.networks.layers import ARCHITECTURES, SIGNAL, Layer, bank, smallest_size, total_stride, up_to_deepest
from impasto.objective.costs import style_layer_cost, style_matrix

STYLE_LAYERS = [f"relu{block}_1" for block in range(1, 6)]
TWO_CONVOLUTIONS = (Layer("conv1", "conv", kernel=5, channels=16), Layer("conv2", "conv", kernel=5, channels=32))


def random_weights(table, channels, dims, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weights = {"mean": torch.zeros(channels), "std": torch.ones(channels)}
    sizes = {SIGNAL: channels}
    above = SIGNAL
    for row in table:
        inputs = sizes[row.source or above]
        sizes[row.name] = row.channels or inputs
        if row.operation == "conv":
            shape = (row.channels, inputs, *(row.kernel,) * dims)
            weights[f"{row.name}.weight"] = torch.randn(shape, generator=generator)
            weights[f"{row.name}.bias"] = torch.randn(row.channels, generator=generator)
        above = row.name
    return weights


@pytest.mark.parametrize(("dims", "channels"), [(1, 1), (2, 3), (3, 1)])
def test_the_shapes_of_the_lecture(dims, channels):
    network = ConvNet(TWO_CONVOLUTIONS, random_weights(TWO_CONVOLUTIONS, channels, dims), padding="none")
    activations = network(torch.randn(1, channels, *(14,) * dims), ["conv1", "conv2"])
    assert activations["conv1"].shape == (1, 16, *(10,) * dims)
    assert activations["conv2"].shape == (1, 32, *(6,) * dims)


def test_a_signal_smaller_than_the_kernels_is_refused():
    network = ConvNet(TWO_CONVOLUTIONS, random_weights(TWO_CONVOLUTIONS, 1, 1), padding="none")
    assert network(torch.randn(1, 1, 9), ["conv2"])["conv2"].shape[-1] == 1
    with pytest.raises(SizeError, match="8 is too small for conv2: every side must be at least 9"):
        network(torch.randn(1, 1, 8), ["conv2"])


@pytest.fixture(scope="module")
def flat():
    """VGG-19 in 2D and what it makes of a small picture."""
    network = vgg19()
    picture = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    return picture, network(picture, STYLE_LAYERS)


def relative_error(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


@pytest.mark.slow
@pytest.mark.parametrize("axis", [0, 1])
def test_constant_along_an_axis_is_one_dimension_less(axis):
    line = torch.rand(1, 3, 64, generator=torch.Generator().manual_seed(2))
    picture = line.unsqueeze(2 + axis).repeat_interleave(16, 2 + axis)
    in_1d = vgg19(1, axis=axis)(line, STYLE_LAYERS)
    in_2d = vgg19(2)(picture, STYLE_LAYERS)
    for name in STYLE_LAYERS:
        for i in range(in_2d[name].shape[2 + axis]):
            assert relative_error(in_2d[name].select(2 + axis, i), in_1d[name]) < 1e-5, name
        matrices = style_matrix(in_1d[name]), style_matrix(in_2d[name])
        assert style_layer_cost(*matrices) < 1e-9 * matrices[0].square().sum(), name


@pytest.mark.slow
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_repeated_along_a_new_axis_is_the_picture(flat, axis):
    picture, in_2d = flat
    volume = picture.unsqueeze(2 + axis).repeat_interleave(16, 2 + axis)
    in_3d = vgg19(3, axis=axis)(volume, STYLE_LAYERS)
    for name in STYLE_LAYERS:
        for i in range(in_3d[name].shape[2 + axis]):
            assert relative_error(in_3d[name].select(2 + axis, i), in_2d[name]) < 1e-5, name
        matrices = style_matrix(in_2d[name]), style_matrix(in_3d[name])
        assert style_layer_cost(*matrices) < 1e-9 * matrices[0].square().sum(), name


@pytest.mark.slow
def test_zeros_beyond_the_border_break_the_constancy(flat):
    picture, _ = flat
    volume = picture.unsqueeze(2).repeat_interleave(8, 2)
    in_2d, in_3d = (vgg19(d, padding="zeros")(x, ["relu3_1"])["relu3_1"] for d, x in ((2, picture), (3, volume)))
    assert relative_error(in_3d[:, :, 0], in_2d) > 0.01


def test_a_grey_signal_needs_one_channel():
    grey = torch.rand(1, 1, 40, generator=torch.Generator().manual_seed(3))
    network = vgg19(1)
    one, three = (network(x, ["relu3_1"])["relu3_1"] for x in (grey, grey.expand(1, 3, 40)))
    assert torch.equal(one, three)


@pytest.mark.parametrize(("dims", "axis"), [(4, 0), (1, 2), (3, 3), (0, 0)])
def test_other_dimensions_are_refused(dims, axis):
    with pytest.raises(ValueError, match="1, 2 or 3 dimensions"):
        to_dimensions({}, dims, axis)


def test_a_bank_looks_at_the_signal_in_parallel():
    table = bank((3, 7), 4)
    weights = random_weights(table, 2, 1)
    x = torch.randn(1, 2, 50, generator=torch.Generator().manual_seed(4))
    activations = ConvNet(table, weights)(x, ["relu3", "conv7", "relu7"])
    for width in (3, 7):
        kernel, bias = (weights[f"conv{width}.{part}"].double().numpy() for part in ("weight", "bias"))
        padded = np.pad(x[0].double().numpy(), ((0, 0), (width // 2, width // 2)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
        expected = np.einsum("ctw,kcw->kt", windows, kernel) + bias[:, None]
        np.testing.assert_allclose(activations[f"relu{width}"][0], expected.clip(0), atol=1e-4)
    assert activations["conv7"].min() < 0, "the ReLU must not overwrite what is asked for"


def test_only_the_rows_that_are_needed_are_computed():
    table = ARCHITECTURES["bank"].table
    assert [row.name for row in up_to_deepest(table, ["relu9"])] == ["conv9", "relu9"]
    assert total_stride(table) == 1
    assert smallest_size(table, padded=False) == 129
    assert total_stride(up_to_deepest(ARCHITECTURES["vgg19"].table, ["relu5_1"])) == 16


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_table_computes_what_its_rows_say(data):
    """Rows with random sources, against a walk that keeps everything and works on copies."""
    table, names = [], [SIGNAL]
    for i in range(data.draw(st.integers(2, 6))):
        operation = data.draw(st.sampled_from(["conv", "relu"])) if i else "conv"
        source = data.draw(st.sampled_from(names))
        table.append(Layer(f"row{i}", operation, kernel=3 if operation == "conv" else 1, channels=2, source=source))
        names.append(f"row{i}")
    weights = random_weights(table, 2, 1, seed=5)
    x = torch.randn(1, 2, 9, generator=torch.Generator().manual_seed(6), requires_grad=True)
    asked = data.draw(st.lists(st.sampled_from(names[1:]), min_size=1, unique=True))
    given_ = ConvNet(tuple(table), weights)(x, asked)
    expected = {SIGNAL: x}
    for row in table:
        a = expected[row.source]
        if row.operation == "conv":
            padded = torch.nn.functional.pad(a, (1, 1), mode="replicate")
            a = torch.nn.functional.conv1d(padded, weights[f"{row.name}.weight"], weights[f"{row.name}.bias"])
        expected[row.name] = a.relu() if row.operation == "relu" else a
    for name in asked:
        torch.testing.assert_close(given_[name], expected[name])
    gradients = [
        torch.autograd.grad(torch.stack([a[name].square().sum() for name in asked]).sum(), x)[0] for a in (given_, expected)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-3)
