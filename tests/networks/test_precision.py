"""Precision on a CUDA device, as far as a CPU can tell: what is set there, and that it is put back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import impasto
from impasto.explanation import explain, walk
from impasto.explore import gradients, responses, synthesis
from impasto.explore.gradients import activation_gradient
from impasto.networks import precision
from impasto.networks.precision import computed_in, computing_in
from impasto.studio.components import activation_maps
from impasto.transfer import dry_run, painter
from impasto.transfer.inputs import take_in

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


def test_between_two_steps_others_compute_in_their_own():
    """As in the studio, where a painting gives way to one that looks."""
    usual = switches()

    def steps() -> Iterator[Any]:
        for _ in range(2):
            yield switches()

    coarse, exact = computed_in("tf32", CUDA, steps()), computed_in("float32", CUDA, steps())
    seen = [[next(coarse), switches(), next(exact), switches()] for _ in range(2)]
    assert seen == [[["tf32", "ieee"], usual, ["ieee"] * 2, usual]] * 2
    assert list(coarse) == list(exact) == [] and switches() == usual


def test_other_threads_wait_for_the_switches():
    seen: list[Any] = []

    def look() -> None:
        with computing_in("tf32", CUDA):
            seen.append(switches())

    with computing_in("float32", CUDA):
        other = threading.Thread(target=look)
        other.start()
        other.join(0.05)
        assert not seen and switches() == ["ieee"] * 2
    other.join(10)
    assert seen == [["tf32", "ieee"]]


PICTURE = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
HOW: dict[str, Any] = {"size": 32, "iterations": 2, "draw": 0, "precision": "float32"}


def transfer() -> impasto.Painting:
    return impasto.transfer_style(PICTURE, PICTURE, impasto.TransferSettings(**HOW))


def explored(tmp_path: Path) -> None:
    """Patches, a gradient of one of them, and maps of where its unit is active."""
    signal = impasto.Signal(PICTURE.transpose(2, 0, 1).copy())
    index = impasto.top_patches(PICTURE, "relu1_1", units="0", top=1)
    network, (patch,) = impasto.vgg19(padding="zeros"), index.layers["relu1_1"][0]
    activation_gradient(network, signal, "relu1_1", 0, patch)
    impasto.write_image(signal, tmp_path / "picture.png")
    activation_maps.activation_maps({"picture": tmp_path / "picture.png"}, "relu1_1", 0)
    walk.walk(signal, network, ["relu1_1"])


@pytest.mark.parametrize(
    ("module", "name", "run"),
    [
        (painter, "computed_in", lambda _: transfer()),
        (dry_run, "computed_in", lambda _: dry_run.dry_run(take_in(PICTURE, PICTURE, impasto.TransferSettings(**HOW)))),
        (explain, "computing_in", lambda _: impasto.explain(transfer())),
        (synthesis, "computing_in", lambda _: impasto.synthesise("relu1_1:0", size=32, iterations=2)),
        (responses, "computing_in", explored),
        (gradients, "computing_in", explored),
        (activation_maps, "computing_in", explored),
        (walk, "computing_in", explored),
    ],
    ids=lambda value: getattr(value, "__name__", "").rpartition(".")[2],
)
def test_everything_that_computes_says_how_exactly(
    module: Any, name: str, run: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, torch.device]] = []

    @contextmanager
    def recorded(wanted: Any, device: torch.device) -> Iterator[None]:
        asked.append((wanted, device))
        yield

    def recorded_steps(wanted: Any, device: torch.device, steps: Iterator[Any]) -> Iterator[Any]:
        asked.append((wanted, device))
        return steps

    monkeypatch.setattr(module, name, recorded if name == "computing_in" else recorded_steps)
    run(tmp_path)
    assert asked and set(asked) == {("float32", CPU)}
