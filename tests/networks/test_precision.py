"""Precision on a CUDA device, as far as a CPU can tell: what is set there, and that it is put back."""

import pytest
import torch

from impasto.networks import precision
from impasto.networks.precision import computing_in

CUDA, CPU = torch.device("cuda"), torch.device("cpu")


def switches():
    return [getattr(owner, name) for owner, name, _ in precision._switches()]


@pytest.mark.parametrize(("given", "convolutions"), [("float32", "ieee"), ("tf32", "tf32")])
def test_the_switches_of_torch_are_set_and_put_back(given, convolutions):
    before = switches()
    with pytest.raises(RuntimeError, match="in between"), computing_in(given, CUDA):
        assert switches() == [convolutions, "ieee"]
        raise RuntimeError("in between")
    assert switches() == before


def test_the_switches_of_an_older_torch(monkeypatch):
    monkeypatch.setattr(torch.backends, "cudnn", type("Cudnn", (), {"allow_tf32": True}))
    monkeypatch.setattr(torch.backends.cuda, "matmul", type("Matmul", (), {"allow_tf32": True}))
    with computing_in("float32", CUDA):
        assert switches() == [False, False]
        with computing_in("tf32", CUDA):
            assert switches() == [True, False]
        assert switches() == [False, False]
    assert switches() == [True, True]


def test_nothing_is_switched_for_another_device():
    before = switches()
    with computing_in("float32", CPU):
        assert switches() == before
