"""Winograd's convolution against the direct one in float64."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.cli.main import cli
from impasto.errors import SettingsError
from impasto.explore.gradients import activation_gradient
from impasto.explore.patches import empty_index, search
from impasto.media.image.read import read_image
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.kernels import autotune
from impasto.networks.kernels.convolution import Padding, Replicated, convolve
from impasto.networks.layers import VGG19
from impasto.networks.weights import Weights
from tests.conftest import as_tensor

if sys.version_info >= (3, 15):
    pytest.skip("there is no Numba for this Python yet", allow_module_level=True)

CHANNELS = st.sampled_from([32, 64, 96])


@pytest.fixture
def winograd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(autotune.VARIABLE, "winograd")


def direct(a: Tensor, weight: Tensor, bias: Tensor, padding: Padding) -> Tensor:
    if padding != "none":
        a = F.pad(a, (1, 1, 1, 1), mode="replicate" if padding == "replicate" else "constant")
    return F.conv2d(a, weight, bias)


def error(given: Tensor, expected: Tensor) -> float:
    return ((given - expected).norm() / expected.norm()).item()


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(
    batch=st.integers(1, 3),
    size=st.tuples(st.integers(1, 21), st.integers(1, 21)),
    channels=CHANNELS | st.just(3),
    out_channels=CHANNELS,
    padding=st.sampled_from(["replicate", "zeros", "none"]),
    ending=st.sampled_from([{}, {"rectified": True}, {"rectified": True, "pooled": True}]),
    last=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_values_and_gradients_equal_the_direct_ones(
    batch: int,
    size: tuple[int, int],
    channels: int,
    out_channels: int,
    padding: Padding,
    ending: dict[str, bool],
    last: bool,
    seed: int,
):
    if padding == "none":
        size = (size[0] + 2, size[1] + 2)
    if ending.get("pooled"):
        size = (size[0] + 1, size[1] + 1)
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(batch, channels, *size, generator=generator)
    weight = torch.randn(out_channels, channels, 3, 3, generator=generator) / (9 * channels) ** 0.5
    bias = torch.randn(out_channels, generator=generator)
    layout = torch.channels_last if last else torch.contiguous_format
    a = a.contiguous(memory_format=layout).requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(autotune.VARIABLE, "winograd")
        y = convolve(a, weight, bias, padding=padding, **ending)
        values = convolve(a, weight, bias, padding=padding)
        g = torch.randn(y.shape, generator=generator).contiguous(memory_format=layout)
        (gradient,) = torch.autograd.grad(y, a, g)
    a64 = a.detach().double().requires_grad_()
    y64 = direct(a64, weight.double(), bias.double(), padding)
    if "rectified" in ending:
        y64 = y64 * (values > 0)  # where a value is zero to rounding, its sign is the one found
    if "pooled" in ending:
        y64 = F.avg_pool2d(y64, 2)
    (expected,) = torch.autograd.grad(y64, a64, g.double())
    assert error(y, y64) < 1e-5
    assert error(gradient, expected) < 1e-5
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
def test_vgg19_is_the_same_down_to_its_last_layer(weights: Weights, photograph: Signal, winograd: None):
    names = [row.name for row in VGG19 if row.operation == "relu"]
    single = ConvNet(VGG19, weights, pooling="avg")
    double = ConvNet(VGG19, {name: w.double() for name, w in weights.items()}, pooling="avg")
    x = as_tensor(photograph)
    given, expected = single(x, names), double(x.double(), names)
    for name in names:
        assert error(given[name], expected[name]) < 1e-4, name


@pytest.mark.slow
def test_gradients_through_vgg19_are_the_same(weights: Weights, photograph: Signal, winograd: None):
    single = ConvNet(VGG19, weights, pooling="avg")
    double = ConvNet(VGG19, {name: w.double() for name, w in weights.items()}, pooling="avg")
    for name in ["relu1_2", "relu3_1", "relu5_4"]:
        x, x64 = as_tensor(photograph).requires_grad_(), as_tensor(photograph).double().requires_grad_()
        (given,) = torch.autograd.grad(single(x, [name])[name].square().sum(), x)
        (expected,) = torch.autograd.grad(double(x64, [name])[name].square().sum(), x64)
        # on some machines a rounding error puts an activation on the other side of a ReLU, which is seen in the gradient
        assert error(given, expected) < 1e-2, name


@pytest.mark.slow
@pytest.mark.parametrize("pooled", [False, True])
def test_a_gradient_of_the_gradient(winograd: None, pooled: bool):
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(1, 32, 6, 7, generator=generator, requires_grad=True)
    weight, bias = torch.randn(64, 32, 3, 3, generator=generator), torch.zeros(64)

    def second(y: Tensor) -> Tensor:
        (first,) = torch.autograd.grad(y.square().sum(), a, create_graph=True)
        return torch.autograd.grad(first.square().sum(), a)[0]

    y = convolve(a, weight, bias, padding="replicate", rectified=True, pooled=pooled)
    expected = direct(a, weight, bias, "replicate").relu()
    assert error(second(y), second(F.avg_pool2d(expected, 2) if pooled else expected)) < 1e-4


def test_nan_stays_nan(winograd: None):
    a = torch.zeros(1, 32, 9, 9)
    a[0, 3, 4, 4] = float("nan")
    y = convolve(a, torch.ones(32, 32, 3, 3), torch.zeros(32), rectified=True)
    assert y[0, :, 3:6, 3:6].isnan().all()


def test_changed_weights_are_seen(winograd: None):
    a, weight, bias = torch.ones(1, 32, 5, 5), torch.ones(32, 32, 3, 3), torch.zeros(32)
    before = convolve(a, weight, bias, padding="replicate")
    weight *= 2
    assert torch.allclose(convolve(a, weight, bias, padding="replicate"), 2 * before)


def test_several_threads_give_the_same_result(winograd: None):
    a, weight, bias = torch.rand(1, 64, 37, 41), torch.rand(64, 64, 3, 3), torch.rand(64)
    threads = torch.get_num_threads()
    results = []
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        results.append(convolve(a, weight, bias, padding="replicate", rectified=True))
    torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


@pytest.mark.parametrize("kind", ["plain", "guided"])
def test_guided_gradients_are_those_of_the_direct_convolution(network: ConvNet, kind: str, monkeypatch: pytest.MonkeyPatch):
    picture = np.random.default_rng(3).integers(0, 256, (37, 51, 3), np.uint8)
    signal = read_image(picture)
    index = empty_index({"relu3_1": (0, 1)}, network="small", size="full", top=1, per_image=1)
    *_, progress = search(network, {"p": picture}, index)
    gradients = {}
    for mode in ("direct", "winograd"):
        monkeypatch.setenv(autotune.VARIABLE, mode)
        gradients[mode] = [
            torch.from_numpy(activation_gradient(network, signal, "relu3_1", unit, patches[0], kind))  # pyright: ignore
            for unit, patches in progress.index.layers["relu3_1"].items()
        ]
    for found, expected in zip(gradients["winograd"], gradients["direct"], strict=True):
        assert error(found, expected) < 1e-4


@pytest.fixture
def measurements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty file of measurements, and no memory of others."""
    monkeypatch.setattr(autotune.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.delenv(autotune.VARIABLE, raising=False)
    autotune._gain.cache_clear()
    autotune._why_not_compiled.cache_clear()
    yield tmp_path / "impasto" / "convolution.json"
    autotune._gain.cache_clear()
    autotune._why_not_compiled.cache_clear()


def test_the_faster_one_is_measured_once_and_kept(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    assert "first used" in autotune.describe_convolution()
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 1.7)
    assert autotune.chooses_winograd((1, 64, 16, 16), 64)
    (kept,) = json.loads(measurements.read_text()).values()
    assert list(kept.values()) == [1.7]
    autotune._gain.cache_clear()
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 0.5)
    assert autotune.chooses_winograd((1, 64, 16, 16), 64)
    assert not autotune.chooses_winograd((1, 64, 64, 64), 64)
    assert f"1 of 2 shapes measured on {autotune.processor()} with " in autotune.describe_convolution()


def test_choices_are_told_by_size_with_their_gains(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    assert autotune.describe_choices() == {}
    gains = {(64, 64, 64): 2.013, (128, 256, 64): 1.5, (64, 128, 64): 2.5, (3, 64, 64): 0.724, (512, 512, 4): 1.02}
    monkeypatch.setattr(autotune, "_measure_gain", lambda *shape: gains[shape])
    for channels, out_channels, side in gains:
        autotune.chooses_winograd((1, channels, side, side), out_channels)
    told = {
        "64 px": "Winograd for 64 to 64 (2.01), 64 to 128 (2.50), 128 to 256 (1.50); direct for 3 to 64 (0.72)",
        "4 px": "direct for 512 to 512 (1.02)",
    }
    assert autotune.describe_choices() == told
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)  # what is measured with other threads is another machine's
    try:
        assert autotune.describe_choices() == {}
    finally:
        torch.set_num_threads(threads)
    output = CliRunner().invoke(cli, ["info"]).output.splitlines()
    assert f"choices:     64 px: {told['64 px']}" in output
    assert f"             4 px: {told['4 px']}" in output
    assert json.loads(CliRunner().invoke(cli, ["info", "--json"]).output)["choices"] == told


def test_measurements_carry_the_processor_s_name_and_instructions(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 1.7)
    assert autotune.chooses_winograd((1, 64, 16, 16), 64)
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 0.7)
    # the same name with other instructions, as in virtual machines
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "OTHER")
    assert not autotune.chooses_winograd((1, 64, 16, 16), 64)
    here, there = json.loads(measurements.read_text())
    assert here.startswith(f"{autotune.processor()} with ")
    assert there.startswith(f"{autotune.processor()} with OTHER, ")


def test_another_process_s_choice_can_be_taken_over(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 0.5)
    with autotune.own_choices():
        assert not autotune.chooses_winograd((1, 64, 16, 16), 64)
        (name,) = autotune.convolutions_chosen()
        autotune.choose_convolutions({name: True})
        assert autotune.chooses_winograd((1, 64, 16, 16), 64)
        assert autotune.convolutions_chosen() == {name: True}
    assert not autotune.chooses_winograd((1, 64, 16, 16), 64)  # what the next run does is its own matter


def test_a_measurement_is_a_ratio_of_times(measurements: Path):
    assert 0.05 < autotune._measure_gain(32, 32, 8) < 50


def test_measurements_that_cannot_be_kept_do_no_harm(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    measurements.parent.write_text("a file where the folder should be")
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 2.0)
    assert autotune.chooses_winograd((1, 64, 16, 16), 64)


def test_a_damaged_file_of_measurements_is_written_anew(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    measurements.parent.mkdir()
    measurements.write_text("[1")
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 2.0)
    assert autotune.chooses_winograd((1, 64, 16, 16), 64)
    assert json.loads(measurements.read_text())


def test_without_numba_it_is_direct_and_says_so(measurements: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "impasto.networks.kernels.winograd", None)
    assert not autotune.chooses_winograd((1, 64, 16, 16), 64)
    assert autotune.describe_convolution().startswith("direct (Numba does not work here")
    monkeypatch.setenv(autotune.VARIABLE, "winograd")
    with pytest.raises(SettingsError, match="choose direct or auto"):
        autotune.convolution_wanted()


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(autotune.VARIABLE, "direct")
    assert not autotune.chooses_winograd((1, 512, 64, 64), 512)
    assert autotune.describe_convolution() == "direct (IMPASTO_CONVOLUTION)"
    monkeypatch.setenv(autotune.VARIABLE, "winograd")
    assert autotune.chooses_winograd((1, 64, 4, 4), 64)
    assert not autotune.chooses_winograd((1, 65, 512, 512), 64)  # does not fill the registers
    monkeypatch.setenv(autotune.VARIABLE, "windograd")
    with pytest.raises(SettingsError, match="did you mean 'winograd'"):
        autotune.convolution_wanted()


def test_what_inference_leaves_behind_can_be_used_again(winograd: None):
    a, weight, bias = torch.randn(1, 32, 40, 40), torch.randn(32, 32, 3, 3), torch.randn(32)
    with ThreadPoolExecutor(1) as alone:  # a thread has buffers of its own, which it makes in inference
        with_inference = alone.submit(torch.inference_mode()(convolve), a, weight, bias).result()
        without = alone.submit(convolve, a, weight, bias).result()
    assert torch.equal(with_inference, without)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("margin", [1, 2])
@pytest.mark.parametrize("channels_last", [False, True])
def test_the_border_is_repeated_in_its_layout(dims: int, margin: int, channels_last: bool) -> None:
    """As it is on a GPU."""
    x = torch.rand(1, 2, *(3, 4, 2)[:dims], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = (x.movedim(1, -1).contiguous().movedim(-1, 1) if channels_last else x).requires_grad_()
    found, expected = Replicated.apply(x, margin), F.pad(x, (margin, margin) * dims, mode="replicate")
    assert torch.equal(found, expected)
    assert (found.stride(1) == 1) == channels_last
    g = torch.rand(expected.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    of_found, of_expected = (torch.autograd.grad(y, x, g.clone())[0] for y in (found, expected))
    torch.testing.assert_close(of_found, of_expected)
    assert torch.autograd.gradgradcheck(lambda x: Replicated.apply(x, margin), x)
