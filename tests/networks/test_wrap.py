"""A torch module as a network: the same activations, fields, strides and grids as of the layer table it was made by."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import Tensor, nn

import impasto
from impasto.errors import SettingsError, SizeError, UnknownLayerError
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19, Field, LayerTable, up_to_deepest
from impasto.networks.network import Network
from impasto.networks.tiling.segments import Segmented
from impasto.networks.wrap import Wrapped, wrap

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
TABLE = up_to_deepest(VGG19, ["relu4_1"])


def module_of(table: LayerTable, units: int = 4, inplace: bool = False) -> tuple[ConvNet, nn.Sequential, dict[str, str]]:
    """A table with few channels as our network, as a plain module, and where in the module each row is."""
    generator, inputs, module = torch.Generator().manual_seed(0), 3, nn.Sequential()
    weights = {"mean": torch.tensor(MEAN), "std": torch.tensor(STD)}
    narrow = tuple(row._replace(channels=units if row.channels else 0) for row in table)
    for row in narrow:
        if row.operation == "conv":
            part = nn.Conv2d(inputs, units, 3, padding=1)
            with torch.no_grad():
                part.weight.normal_(0, (2 / (9 * inputs)) ** 0.5, generator=generator)
                part.bias.normal_(0, 0.1, generator=generator)  # pyright: ignore
            weights |= {f"{row.name}.weight": part.weight.detach(), f"{row.name}.bias": part.bias.detach()}  # pyright: ignore
            inputs = units
        else:
            part = nn.ReLU(inplace) if row.operation == "relu" else nn.MaxPool2d(2)
        module.append(part)
    return ConvNet(narrow, weights, padding="zeros"), module, {row.name: str(i) for i, row in enumerate(narrow)}


@pytest.fixture(scope="module")
def both() -> tuple[ConvNet, Wrapped]:
    network, module, paths = module_of(TABLE, inplace=True)
    return network, wrap(module, paths, mean=MEAN, std=STD)


def image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def test_both_are_networks_and_one_can_be_cut(both: tuple[ConvNet, Wrapped]):
    assert all(isinstance(network, Network) for network in both)
    assert [isinstance(network, Segmented) for network in both] == [True, False]
    assert both[0].layers == both[1].layers
    assert both[1].name == "sequential" and both[1].spatial_dims == 2 and both[1].device.type == "cpu"


def test_activations_are_the_same_and_no_later_operation_changes_them(both: tuple[ConvNet, Wrapped]):
    """Its ReLUs work in place, on what the layer before them gave."""
    ours, wrapped = both
    x = image(2, 3, 37, 51)
    expected, found = ours(x, ours.layers), wrapped(x, ours.layers)
    assert (expected["conv2_1"] < 0).any()
    for name in ours.layers:
        assert torch.allclose(found[name], expected[name], rtol=1e-4, atol=1e-5), name
        assert torch.equal(wrapped(x, [name])[name], found[name]), name
    with torch.inference_mode():
        assert torch.equal(wrapped(x, ["conv2_1", "relu3_1"])["conv2_1"], found["conv2_1"])


def test_fields_strides_and_grids_are_those_of_the_table_at_borders_too(both: tuple[ConvNet, Wrapped]):
    ours, wrapped = both
    for name in ("conv1_1", "relu1_2", "pool1", "conv2_2", "pool3", "relu4_1"):
        assert wrapped.smallest_size([name]) == ours.smallest_size([name])
        assert wrapped.total_stride([name]) == ours.total_stride([name])
        assert wrapped.channels(name) == ours.channels(name) == 4
        assert [wrapped.field(name, axis) for axis in (0, 1)] == [ours.field(name)] * 2
        for extent, axis in itertools.product((ours.smallest_size([name]), 21, 64, 101, 150, 407), (0, 1)):
            space = (extent, 40) if axis == 0 else (40, extent)
            assert wrapped.grid(name, space) == ours.grid(name, space)
            for position in range(ours.grid(name, space)[axis]):
                expected = ours.receptive_field(name, position, extent)
                assert wrapped.receptive_field(name, position, extent, axis) == expected, (name, position, extent)
    with pytest.raises(SettingsError, match="position 8 is outside of pool3, which has 8 for 64"):
        wrapped.receptive_field("pool3", 8, 64)


def test_the_module_stays_as_it_is_and_shares_its_weights():
    _, module, _ = module_of(up_to_deepest(VGG19, ["relu2_1"]))
    module.append(nn.BatchNorm2d(4)).append(nn.Dropout(0.5))
    module.train()
    before, attributes = copy.deepcopy(module.state_dict()), [dict(vars(part)) for part in module.modules()]
    wrapped = wrap(module, "2,8")
    x = image(1, 3, 16, 16).requires_grad_()
    a, again = (wrapped(x, ["8"])["8"] for _ in range(2))
    assert torch.equal(a, again)  # without dropout
    a.sum().backward()
    wrapped.field("8")
    assert x.grad is not None and all(p.grad is None and p.requires_grad for p in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(part.training for part in module.modules())
    for part, was in zip(module.modules(), attributes, strict=True):
        assert not part._forward_hooks and vars(part).keys() == was.keys()
    with torch.no_grad():
        module[0].weight.zero_()  # pyright: ignore
    assert not torch.equal(wrapped(x, ["8"])["8"], a)
    assert not any(p.requires_grad for p in wrapped.parameters())


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.second, self.last = nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.second(self.relu(self.first(x))))
        self.calls += 1
        a += 1
        return self.last(a)


def test_what_comes_after_the_deepest_layer_is_not_computed_and_of_several_calls_the_last_counts():
    network = wrap(Counting(), ["relu", "last", "first"])
    inside = network.module
    before = inside.calls
    x = image(1, 1, 9, 9)
    relu = network(x, ["relu"])["relu"]
    assert inside.calls == before
    assert network.layers == ("first", "relu", "last")
    both = network(x, ["relu", "last"])
    assert inside.calls == before + 1  # pyright: ignore
    assert torch.equal(both["relu"], relu)  # though a += 1 comes after it
    assert torch.equal(relu, inside.second(inside.first(x).relu()).relu())  # pyright: ignore
    assert network.field("last") == Field(0, 5, 1)
    assert network.smallest_size(["last"]) == 5


def test_a_grey_signal_is_repeated_and_other_numbers_of_channels_are_refused(both: tuple[ConvNet, Wrapped]):
    ours, wrapped = both
    grey = image(1, 1, 20, 20)
    assert torch.allclose(wrapped(grey, ["relu2_1"])["relu2_1"], ours(grey, ["relu2_1"])["relu2_1"], atol=1e-5)
    with pytest.raises(SettingsError, match="takes 3 channels, or 1 that is grey; 2 were given"):
        wrapped(image(1, 2, 20, 20), ["relu1_1"])
    with pytest.raises(SizeError, match="5 x 20 is too small for relu4_1: every side must be at least 8"):
        wrapped(image(1, 3, 5, 20), ["relu4_1"])


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair, self.unused, self.flat = nn.Identity(), nn.Identity(), nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        self.pair((x, x))
        return self.flat(x)


def test_what_is_no_layer_is_told():
    with pytest.raises(UnknownLayerError, match="unknown submodule 'pairs' of Odd: did you mean 'pair'"):
        wrap(Odd(), "pairs")
    with pytest.raises(SettingsError, match="layer a gives a tuple; a tensor"):
        wrap(Odd(), {"a": "pair"})
    with pytest.raises(SettingsError, match=r"layer flat gives a tensor \(1, 12288\)"):
        wrap(Odd(), "flat")
    with pytest.raises(SettingsError, match="layer unused is not computed"):
        wrap(Odd(), "unused")
    with pytest.raises(SettingsError, match="no layer is named"):
        wrap(Odd(), [])
    with pytest.raises(SettingsError, match="sequential cannot be computed for signals of 3 channels and 2 axes: "):
        wrap(nn.Sequential(nn.Linear(7, 7)), "0")
    with pytest.raises(SettingsError, match="std has 2 values; counting takes 3 channels"):
        wrap(Counting(), "first", mean=MEAN, std=(1, 1))
    with pytest.raises(UnknownLayerError, match="unknown layer 'frist': did you mean 'first'"):
        wrap(Counting(), "first").channels("frist")


class Residual(nn.Module):
    """Two ways of different fields, an attention over all of the signal, and a kernel that is not square."""

    def __init__(self) -> None:
        super().__init__()
        self.way, self.short = nn.Conv2d(3, 4, (7, 3), stride=2, padding=(3, 1)), nn.Conv2d(3, 4, 1, stride=2)
        self.sum, self.all = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        a = self.sum(self.way(x).relu() + self.short(x))
        return self.all(a * a.mean((2, 3), keepdim=True).sigmoid())


def test_fields_of_branches_of_odd_kernels_and_of_what_looks_everywhere():
    network = wrap(Residual(), "sum,all")
    assert network.field("sum", 0) == Field(-3, 7, 2) and network.field("sum", 1) == Field(-1, 3, 2)
    assert [network.receptive_field("sum", i, 11) for i in (0, 2, 5)] == [(0, 4), (1, 8), (7, 11)]
    assert network.field("all") is None
    assert network.receptive_field("all", 3, 90) == (0, 90)
    assert network.total_stride(["all"]) == 2


class LastAxis(nn.Module):
    """Gives its activations with the channels as the last axis, as transformers do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x).movedim(1, -1)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_channels_are_known_where_they_come_last(dims: int):
    convolution = getattr(nn, f"Conv{dims}d")(3, 7, 3, stride=2)
    network = wrap(nn.Sequential(LastAxis(convolution)), {"last": "0", "first": "0.inner"}, spatial_dims=dims)
    x = torch.rand(2, 3, *range(9, 9 + dims))
    a = network(x, ["last", "first"])
    assert torch.equal(a["last"], a["first"]) and a["last"].shape[1] == network.channels("last") == 7
    assert network.grid("last", x.shape[2:]) == tuple(a["last"].shape[2:])
    assert network.field("last") == network.field("first") and network.total_stride(["last"]) == 2
    assert network.receptive_field("last", 1, 11) == network.receptive_field("first", 1, 11)


@pytest.mark.parametrize("dims", [1, 3])
def test_one_and_three_dimensions(dims: int):
    conv, pool = ((nn.Conv1d, nn.MaxPool1d), (nn.Conv3d, nn.MaxPool3d))[dims // 2]
    network = wrap(nn.Sequential(conv(1, 2, 3, padding=1), nn.ReLU(), pool(2), conv(2, 2, 3)), "1,3", spatial_dims=dims)
    assert network.field("3") == Field(0, 6, 2) or network.field("3") == Field(-1, 8, 2)
    assert network(image(1, 1, *(12,) * dims), ["3"])["3"].shape == (1, 2, *(4,) * dims)


def test_a_module_that_cannot_go_to_meta_is_computed():
    class Stubborn(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input * float(input.sum() >= 0))

    network = wrap(Stubborn(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)), "1,2")
    assert network.field("2") == Field(-1, 4, 2) and network.total_stride(["2"]) == 2
    assert network.grid("2", (9, 12)) == (4, 6)
    assert network.memory((1, 3, 128, 128), ["2"]) > 4 * 128 * 128 * 2


def test_memory_is_what_is_kept_for_the_way_back():
    """Counted by hand for each row: of a pooling its result, its places and its input, of a ReLU its result."""
    network = wrap(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)), "2")
    n = 4 * 64 * 64
    signal, relu, pooled, places = 3 * n, 8 * n, 2 * n, 4 * n
    kept = signal + relu + pooled + places
    assert network.memory((1, 3, 64, 64), ["2"]) == pytest.approx(kept + 2 * relu, rel=0.01)
    assert network.memory((5, 3, 64, 128), ["2"]) == pytest.approx(10 * (kept + 2 * relu), rel=0.01)
    assert network.memory((1, 3, 64, 64), ["2"], gradient=False) == pytest.approx(signal + pooled + 2 * relu, rel=0.01)


def test_memory_of_a_table_and_of_the_same_module_are_alike(both: tuple[ConvNet, Wrapped]):
    ours, found = (network.memory((1, 3, 256, 192), ["relu4_1"]) for network in both)
    assert 0.3 < found / ours < 1.2


def test_wrap_is_public():
    assert impasto.wrap is wrap
