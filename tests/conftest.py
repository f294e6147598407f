"""What several tests use: the trained network once, and small real pictures from scikit-image."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores, without waiting for each other
# not to depend on what was measured on this machine; of the two the faster one, and test_convolution.py compares them
os.environ.setdefault("IMPASTO_CONVOLUTION", "winograd")

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from impasto.cli import main
from impasto.descent.descend import Progress, descend
from impasto.descent.stages import Begun, Parts, Stage, descend_stages
from impasto.media.image.read import read_image, resample_image
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.kernels.autotune import winograd_possible
from impasto.networks.layers import VGG19
from impasto.networks.tiling.statistics import Blend, as_blend
from impasto.networks.weights import Weights, load_weights
from impasto.objective.evaluation import BoundObjective, Costs, View
from impasto.objective.term import Scene
from impasto.transfer.resolve import objective_of, optimizer_of
from impasto.transfer.settings import TransferSettings

winograd_possible()  # what a first run compiles is told by the command line, which otherwise some test would have to expect


@pytest.fixture(scope="session")
def weights() -> Weights:
    return load_weights()


@pytest.fixture(scope="session")
def network(weights: Weights) -> ConvNet:
    return ConvNet(VGG19, weights, pooling="avg")


@pytest.fixture(scope="session")
def photograph() -> Signal:
    return resample_image(read_image(data.coffee()), (48, 64))


@pytest.fixture(scope="session")
def texture() -> Signal:
    return resample_image(read_image(data.chelsea()), (48, 64))


def pytest_report_header() -> str:
    """What the results may hang on; .ci/everywhere.py looks here whether what it varies has an effect."""
    convolution, chromium = os.environ["IMPASTO_CONVOLUTION"], CHROMIUM or "none"
    isa, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
    return f"torch {torch.__version__}: {isa}, threads: {threads}, convolution: {convolution}, browser: {chromium}"


# what `make fast` leaves out beside the tests that are marked themselves: beginnings of their names
SLOW = (
    "tests/cli/test_folder.py",
    "tests/descent/test_descend.py",
    "tests/explanation/test_explain.py",
    "tests/explanation/test_walk.py",
    "tests/explore/test_growing.py",
    "tests/explore/test_index.py",
    "tests/explore/test_kinds.py",
    "tests/explore/test_networks.py",
    "tests/explore/test_near_duplicates.py::test_whatever_the_pictures_are_like",
    "tests/explore/test_near_duplicates.py::test_the_same_groups_as_by_comparing_with_all",
    "tests/explore/test_patches.py::test_equals_brute_force_with_ties",
    "tests/explore/test_report.py",
    "tests/explore/test_synthesis.py",
    "tests/media/test_foreign_medium.py::test_a_terrain_is_painted_by_the_command_line",
    "tests/networks/test_mel.py::test_j_in_pieces_is_j_of_the_whole",
    "tests/networks/test_plan.py",
    "tests/networks/test_wrap.py::test_fields",
    "tests/networks/test_weights.py::test_vgg16",
    "tests/networks/test_tiles.py",
    "tests/media/test_frame_parts.py",
    "tests/media/test_regions.py",
    "tests/objective/test_slices.py",
    "tests/objective/test_terms.py",
    "tests/test_examples.py::test_a",
    "tests/test_examples.py::test_an",
    "tests/test_gpu_benchmark.py",
    "tests/transfer/test_checkpoint.py",
    "tests/media/test_colour.py::test_a_picture_gets_the_luma_and_keeps_the_hue",
    "tests/transfer/test_dry_run.py",
    "tests/transfer/test_folder.py",
    "tests/transfer/test_kinds.py",
    "tests/transfer/test_networks.py",
    "tests/transfer/test_outputs.py",
    "tests/transfer/test_painter.py",
    "tests/transfer/test_pictures.py",
    "tests/transfer/test_scales.py",
    "tests/transfer/test_space_and_time.py",
    "tests/transfer/test_styles.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow by its name, and what drives Chromium by the fixture that starts it.

    In a browser that two busy cores share, a click is lost now and then: what fails there is tried once more, and told.
    """
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell why a test was tried once more."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"tried once more: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["impasto", *arguments])
        with pytest.raises(SystemExit) as exit:
            main()
        assert isinstance(exit.value.code, int)
        out, err = capfd.readouterr()
        return exit.value.code, out, err

    return run


Bounds = tuple[float, float] | None


class ToldCosts(Costs):
    """Costs with the words of the paper."""

    @property
    def content_cost(self) -> Tensor:
        return torch.stack([*self.by_layer["content"].values()]).sum()

    @property
    def style_cost(self) -> Tensor:
        return torch.stack([*self.by_layer["style"].values()]).sum()

    @property
    def style_cost_by_layer(self) -> dict[str, Tensor]:
        return self.by_layer["style"]


def told(objective: Callable[[Tensor], Costs]) -> Callable[[Tensor], ToldCosts]:
    return lambda generated: ToldCosts(*objective(generated))


def bound(network: Any, content: Tensor, style: Tensor | Blend, settings: TransferSettings) -> Callable[[Tensor], ToldCosts]:
    """J of settings in which nothing is open, for a signal that is seen whole."""
    return told(BoundObjective(objective_of(settings), [View(Scene(network, content, as_blend(style)))]))


def descent_of(
    objective: Any, start: Tensor, settings: TransferSettings, bounds: Bounds, state: Any = None
) -> Iterator[Progress]:
    """The descent with the optimizer, the step and the evaluations of settings in which nothing is open."""
    how: Any = {"iterations": settings.iterations, "step": settings.step, "bounds": bounds, "state": state}
    return descend(objective, start, optimizer_of(settings), **how)


def descent_of_parts(
    parts: Parts, start: Tensor, settings: TransferSettings, bounds: Bounds, state: Any = None
) -> Iterator[Progress]:
    """The same of a signal in parts."""
    begun = Begun(parts, start, optimizer_of(settings), bounds)
    return descend_stages([Stage(settings.iterations or 1, 1.0, lambda *_: begun)], step=settings.step, state=state)


def as_tensor(picture: Signal) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.values))[None]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """What starts a headless Chromium: its arguments are those of Playwright's ``launch``."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        # where changes are judged, a test that cannot run is no test that has passed
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not installed")
    with sync_playwright() as driver:
        yield lambda **how: driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, **how)


@pytest.fixture(scope="module")
def browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    """A headless Chromium."""
    started = chromium()
    yield started
    started.close()
