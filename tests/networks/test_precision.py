"""Precision on a CUDA device, as far as a CPU can tell: what is set, that it is put back, and what a network computes in."""

import logging

import pytest
import torch
from torch import nn

from impasto import wrap
from impasto.networks import precision
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import Layer
from impasto.networks.precision import computing_in, reduced

TABLE = (Layer("conv", "conv", kernel=5, channels=8), Layer("relu", "relu"))
CUDA, CPU = torch.device("cuda"), torch.device("cpu")


def of_table(convolution: nn.Conv2d) -> ConvNet:
    weights = {"conv.weight": convolution.state_dict()["weight"], "conv.bias": convolution.state_dict()["bias"]}
    return ConvNet(TABLE, weights | {"mean": torch.zeros(3), "std": torch.ones(3)})


def switches():
    return [getattr(owner, name) for owner, name, *_ in precision._switches()]


@pytest.mark.parametrize(("given", "convolutions"), [("float32", "ieee"), ("tf32", "tf32"), ("bfloat16", "ieee")])
def test_the_switches_of_torch_are_set_and_put_back(given, convolutions):
    before = switches()
    with pytest.raises(RuntimeError, match="in between"), computing_in(given, CUDA):
        assert [str(value) for value in switches()] == [convolutions, "ieee"]
        raise RuntimeError("in between")
    assert switches() == before


def test_the_switches_of_an_older_torch(monkeypatch):
    class Old:
        allow_tf32 = True

    monkeypatch.setattr(precision.torch.backends, "cudnn", Old)
    monkeypatch.setattr(precision.torch.backends.cuda, "matmul", type("Matmul", (), {"allow_tf32": False}))
    with computing_in("float32", CUDA):
        assert switches() == [False, False]
    with computing_in("tf32", CUDA):
        assert switches() == [True, False]
    assert switches() == [True, False]


def test_a_cpu_computes_in_float32_and_tells_it(caplog):
    before = switches()
    with caplog.at_level(logging.WARNING, "impasto"), computing_in("bfloat16", CPU):
        assert switches() == before
        with reduced(CPU):
            assert not torch.is_autocast_enabled("cpu")
    assert caplog.messages == ["precision bfloat16 is for CUDA devices: the cpu computes in float32"]


@pytest.mark.parametrize("made", ["table", "wrapped"])
def test_a_network_in_bfloat16_gives_float32_near_its_own(made, monkeypatch):
    """The CPU's autocast stands for that of the GPU."""
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 8, 5)
    network = wrap(nn.Sequential(convolution, nn.ReLU()), "0,1") if made == "wrapped" else of_table(convolution)
    layers, x = network.layers[-1:], torch.rand(1, 3, 32, 32)
    exact = network(x, layers)[layers[0]]
    half = torch.autocast("cpu", torch.bfloat16)
    for module in ("impasto.networks.convnet", "impasto.networks.wrap"):
        monkeypatch.setattr(f"{module}.reduced", lambda device: half)
    coarse = network(x.requires_grad_(), layers)[layers[0]]
    assert coarse.dtype == torch.float32
    error = (coarse - exact).norm() / exact.norm()
    assert 0 < error < 0.02
    (gradient,) = torch.autograd.grad(coarse.square().mean(), x)
    assert gradient.dtype == torch.float32 and gradient.isfinite().all()
