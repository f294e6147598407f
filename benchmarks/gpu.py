"""impasto on a GPU: that it computes there what it computes on the CPU, how fast, and in which memory.

    python benchmarks/gpu.py [--out gpu.json] [--sizes 512 1024 2048 4096] [--only speed memory] [--quick] [--device cpu]

Every kind of signal is evaluated on both devices; then come seconds of an evaluation against plain eager PyTorch and against
the peak of matrix products there, memory against what was planned, and pictures a second of the explorer. What fails is told
and the rest goes on; the exit code is then 1. All signals are made here, by a seed. It takes less than ten minutes.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from evaluation import contestants, our_objective, random_pictures
from explore_throughput import write_photos
from PIL import Image
from torch import Tensor, nn

import impasto
from impasto.descent.descend import descend
from impasto.descent.memory import _beside
from impasto.errors import ImpastoError
from impasto.explore.ahead import read_ahead
from impasto.explore.patches import empty_index, search
from impasto.explore.processes import read_in_processes
from impasto.explore.reading import FEWEST, readers_for
from impasto.explore.seen import Seen, seen
from impasto.explore.settings import parse_layers, parse_units
from impasto.explore.sources import Source, Sources, view
from impasto.explore.trained import trained_network
from impasto.flow_painting import flow_painting
from impasto.media.signal import Signal, Values
from impasto.networks import convnet
from impasto.networks.layers import VGG19, up_to_deepest
from impasto.networks.network import Network
from impasto.networks.precision import Precision, computing_in
from impasto.networks.tiling.plan import Task, cheapest, least_memory
from impasto.objective.evaluation import Costs
from impasto.transfer.dry_run import dry_run
from impasto.transfer.inputs import take_in
from impasto.transfer.resolve import optimizer_of
from impasto.transfer.scales import Scales
from impasto.transfer.settings import TransferSettings

LIMIT = 1e-4
"""By so much J and its gradient on a device may differ from those on the CPU, relatively, without TF32."""
MIB = 2**20

PRECISIONS: tuple[Precision, ...] = ("float32", "tf32")


@dataclass
class Report:
    """What was found, row by row, and until when there is time."""

    device: str
    quick: bool
    until: float
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, section: str, what: str, value: Any, unit: str = "", ok: bool | None = None) -> None:
        """A row; ``ok`` is None where nothing was checked."""
        self.rows.append({"section": section, "what": what, "value": value, "unit": unit, "ok": ok})
        print(_line(self.rows[-1]), flush=True)

    @contextmanager
    def guarded(self, section: str, what: str) -> Iterator[None]:
        """Within it an error is a row, with the last lines of its traceback."""
        try:
            yield
        except Exception as error:
            self.add(section, what, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", ok=False)
            print("".join(f"    {line}\n" for line in traceback.format_exc().splitlines()[-12:]), flush=True)
            free()

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.until

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of checks that failed."""
        return [row for row in self.rows if row["ok"] is False]


def _line(row: dict[str, Any]) -> str:
    value = f"{row['value']:.4g}" if isinstance(row["value"], float) else str(row["value"])
    mark = {True: "ok", False: "FAILED", None: ""}[row["ok"]]
    return f"{row['section']:12} {row['what']:66} {value:>12} {row['unit']:14} {mark}".rstrip()


# ---------------------------------------------------------------------------------------------------------------- signals


def waves(*shape: int, seed: int) -> Values:
    """Values in 0..1 with something on every scale, (channels, *space)."""
    rng = np.random.default_rng(seed)
    space, total = shape[1:], np.zeros(shape)
    places = np.meshgrid(*(np.linspace(0, 1, n) for n in space), indexing="ij")
    for k in range(12):
        for channel in total:
            direction = rng.normal(size=len(space)) * 2 ** (k / 2)
            channel += np.sin(2 * np.pi * sum(d * p for d, p in zip(direction, places, strict=True)) + 6 * rng.random())
    total += rng.normal(size=shape)
    return ((total - total.min()) / (total.max() - total.min())).astype(np.float32)


def picture(height: int, width: int, seed: int = 0) -> Signal:
    return Signal(waves(3, height, width, seed=seed))


def small_resnet() -> nn.Module:
    """A plain module of torch with a residual, strides and batch normalisation."""

    class Block(nn.Module):
        def __init__(self, given: int, made: int, stride: int) -> None:
            super().__init__()
            self.way = nn.Sequential(
                nn.Conv2d(given, made, 3, stride, 1, bias=False),
                nn.BatchNorm2d(made),
                nn.ReLU(True),
                nn.Conv2d(made, made, 3, 1, 1, bias=False),
                nn.BatchNorm2d(made),
            )
            self.short = nn.Conv2d(given, made, 1, stride)

        def forward(self, x: Tensor) -> Tensor:
            return (self.way(x) + self.short(x)).relu()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(Block(3, 16, 1), Block(16, 32, 2), Block(32, 64, 2))


def own_objective() -> Any:
    """The terms of examples/own_cost.py."""
    skew = impasto.activation_term(
        "skew",
        "relu1_1,relu2_1",
        mean=lambda a: a.pow(3).flatten(2).mean((0, 2)),
        cost=lambda generated, of_content, of_style: (generated / of_style.clamp_min(1e-3) - 1).square().mean(),
    )
    warmth = impasto.image_term("warmth", lambda x: (1 + x[:, 2] - x[:, 0]).mean(), signals=2)
    style = impasto.style("relu1_1,relu2_1,relu3_1,relu4_1,relu5_1")
    return impasto.content("relu4_2") + 20 * style + 1e-3 * skew + 5 * warmth + 3 * impasto.total_variation()


@dataclass(frozen=True)
class Case:
    """Something of which J is to be the same on both devices."""

    content: Signal
    style: Signal
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    parts: Callable[[], dict[str, Any]] = dict
    in_tiles: bool = False
    frame: int = 0


def masks(folder: Path, shapes: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """Files of masks with two regions for a content and a style, and of what is protected."""
    paths = [folder / name for name in ("content.png", "style.png", "kept.png")]
    for path, (height, width) in zip(paths, (*shapes, shapes[0]), strict=True):
        colours = np.zeros((height, width, 3), np.uint8)
        colours[:, : width // 2] = 255
        if path.stem == "kept":
            colours[height // 4 :] = 0
        Image.fromarray(colours).save(path)
    return {"content_mask": str(paths[0]), "style_mask": [str(paths[1])], "protect": str(paths[2])}


def cases(quick: bool, folder: Path) -> dict[str, Case]:
    """All kinds of signals, and all ways to compute J."""
    n = 64 if quick else 160
    content, style = picture(n, n + 32), picture(n + 16, n, seed=1)
    lines, samples = 2, 1500 if quick else 6000
    series = [Signal(waves(lines, samples, seed=s) - np.float32(0.5), "series", {"rate": 125.0}) for s in (2, 3)]
    sounds = [Signal(waves(lines, 6 * samples, seed=s) - np.float32(0.5), "sound", {"rate": 8000.0}) for s in (4, 5)]
    volumes = [Signal(waves(1, 20, 18, 24, seed=s), "volume") for s in (6, 7)]
    times = {"times": tuple(i / 10 for i in range(3))}
    movie = Signal(np.stack([content.values, content.values, np.roll(content.values, 2, 2)], 1), "movie", times)
    found = {
        "image": Case(content, style),
        "image, max pooling, zeros": Case(content, style, {"pooling": "max", "padding": "zeros"}),
        "image in tiles": Case(content, style, in_tiles=True),
        "image, masks": Case(content, style, masks(folder, [content.shape, style.shape])),
        "image, Wasserstein": Case(content, style, {"style_cost": "wasserstein"}),
        "image, own terms": Case(content, style, parts=lambda: {"objective": own_objective()}),
        "image, own terms in tiles": Case(content, style, parts=lambda: {"objective": own_objective()}, in_tiles=True),
        "image, wrapped ResNet": Case(content, style, parts=wrapped),
        "series": Case(series[0], series[1]),
        "series, VGG-19 in 1D": Case(series[0], series[1], {"network": "vgg19"}),
        "sound": Case(sounds[0], sounds[1]),
        "sound in tiles": Case(sounds[0], sounds[1], in_tiles=True),
        "volume, slices": Case(volumes[0], volumes[1]),
        "volume, whole": Case(volumes[0], volumes[1], {"method": "volume"}),
        "movie, first frame": Case(movie, style),
        "movie, third frame": Case(movie, style, frame=2),
    }
    return found


def wrapped() -> dict[str, Any]:
    network = impasto.wrap(small_resnet(), {"early": "0", "middle": "1", "late": "2"})
    return {"network": network, "objective": impasto.content("late") + 10 * impasto.style("early,middle,late")}


# ------------------------------------------------------------------------------------------------------------ correctness


def tight(scales: Scales) -> int:
    """The smallest memory in which J is computed tile by tile."""
    here, prepared = scales.at(len(scales) - 1)
    task, limits = prepared.task(), here.limits._replace(signals=prepared.objective.signals)
    assert task
    beside, step = _beside([limits.optimizer, *limits.optimizer.frugal()][-1], task, limits, 0)
    held = prepared.bytes_held(scales._content, scales._styles)
    fitting = prepared.fitting(limits._replace(budget=round(beside + max(step, least_memory(task)) + held) + 1), held)
    assert fitting and fitting.plan and fitting.plan.tile, "the smallest memory takes no tiles"
    return fitting.budget


def evaluated(case: Case, device: str) -> tuple[Callable[[], tuple[Costs, Tensor]], Tensor]:
    """J of a case and its gradient at a G near the content, on a device, by the way of a painting."""
    settings = (
        TransferSettings(scales=1, device=device, **case.settings)
        if case.content.kind in ("image",)
        else (TransferSettings(device=device, **case.settings))
    )
    inputs = take_in(case.content, case.style, settings, **case.parts())
    made = functools.partial(Scales, inputs.medium, inputs.content, inputs.styles)
    resolved = replace(inputs.settings, memory=64 * 2**30)
    if case.in_tiles:
        resolved = replace(resolved, memory=tight(made(resolved, torch.device("cpu"))))
    begun = made(resolved, torch.device(device)).stages()[-1].begin(None, False)
    noise = torch.randn(begun.start.shape, generator=torch.Generator().manual_seed(9)).to(begun.start.device)
    painted = begun.start + 0.05 * noise
    carried: dict[str, Any] = {}
    objective, start = begun.parts.begin(case.frame, painted, carried)

    def evaluate() -> tuple[Costs, Tensor]:
        leaf = start.detach().clone().requires_grad_()
        costs = objective(leaf)
        (gradient,) = torch.autograd.grad(costs.cost, leaf)
        return costs, gradient

    return evaluate, start


def relative(found: Tensor, expected: Tensor) -> float:
    """|found - expected| / |expected|, in float64."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    return float((found - expected).norm() / expected.norm())


def check_cases(report: Report) -> None:
    section = "correct"
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases(report.quick, Path(folder)).items():
            with report.guarded(section, name):
                exact, at = evaluated(case, "cpu")
                costs, gradient = exact()
                with computing_in("float32", torch.device(report.device)):
                    evaluate, start = evaluated(case, report.device)
                    # where G of a movie starts is computed too
                    same_start = relative(start, at)
                    costs_there, gradient_there = evaluate()
                    of_j, of_gradient = relative(costs_there.cost, costs.cost), relative(gradient_there, gradient)
                    again, gradient_again = evaluate()
                fine = max(of_j, of_gradient, same_start) < LIMIT
                report.add(section, f"{name}: J", of_j, "relative", fine)
                report.add(section, f"{name}: gradient", of_gradient, "relative", fine)
                same = torch.equal(again.cost, costs_there.cost) and torch.equal(gradient_again, gradient_there)
                report.add(section, f"{name}: twice the same bits", "yes" if same else "no")
                if on_gpu(report.device):
                    with computing_in("tf32", torch.device(report.device)):
                        evaluate, _ = evaluated(case, report.device)
                        rough, gradient_rough = evaluate()
                    report.add(section, f"{name}: J in TF32", relative(rough.cost, costs.cost), "relative")
                    report.add(section, f"{name}: gradient in TF32", relative(gradient_rough, gradient), "relative")


def check_explorer(report: Report) -> None:
    section = "explorer"
    n = 64 if report.quick else 160
    photos = {f"{i}": picture(n, n + 8 * i, seed=10 + i) for i in range(4 if report.quick else 12)}
    ways: dict[str, Callable[[], Network | str]] = {"VGG-19": lambda: "vgg19", "ResNet": lambda: wrapped()["network"]}
    for name, network in ways.items():
        layers = "relu1_1,relu3_1,relu5_1" if name == "VGG-19" else "early,late"
        with report.guarded(section, f"patches, {name}"):
            how: dict[str, Any] = {"units": "0-15", "top": 3, "size": n}
            here, there = (
                impasto.top_patches(photos, layers, network=network(), device=device, **how)
                for device in ("cpu", report.device)
            )
            differences, others = compared(here, there)
            report.add(section, f"patches, {name}: activations", differences, "relative", differences < LIMIT)
            report.add(section, f"patches, {name}: others without a tie", others, "patches", others == 0)
    with report.guarded(section, "synthesis"):
        scores: dict[str, list[float]] = {}
        pictures: list[Signal] = []
        for device in ("cpu", report.device):
            told = scores.setdefault(f"{len(scores)}", [])
            pictures += impasto.synthesise(
                "relu3_1:5", size=48, iterations=8, device=device, on_progress=lambda _, score, told=told: told.append(score)
            )
        difference = max(abs(a / b - 1) for a, b in zip(scores["1"], scores["0"], strict=True))
        report.add(section, "synthesis, 8 steps: activation", difference, "relative", difference < 1e-2)
        report.add(
            section, "synthesis, 8 steps: picture", float(abs(pictures[0].values - pictures[1].values).max()), "of 0..1"
        )


def compared(here: Any, there: Any) -> tuple[float, int]:
    """By how much activations differ at most, relatively, and how many patches are others where none is nearly as good."""
    largest, others = 0.0, 0
    for layer, units in here.layers.items():
        scale = max((patch.activation for patches in units.values() for patch in patches), default=1.0)
        for unit, patches in units.items():
            for a, b in itertools.zip_longest(patches, there.layers[layer][unit]):
                if a is None or b is None:
                    others += 1
                    continue
                difference = abs(a.activation - b.activation) / scale
                largest = max(largest, difference)
                others += (a.image, a.position) != (b.image, b.position) and difference > LIMIT
    return largest, others


def check_paintings(report: Report) -> None:
    section, n = "paintings", 64 if report.quick else 192
    content, style = picture(n, n + 32), picture(n, n, seed=1)
    settings = TransferSettings(iterations=8, device=report.device, precision="float32")
    with report.guarded(section, "a painting"):
        found = impasto.transfer_style(content, style, settings)
        here = impasto.transfer_style(content, style, replace(settings, device="cpu"))
        fine = found.best.cost < 0.9 * found.history[0].cost and abs(found.best.cost / here.best.cost - 1) < 0.02
        report.add(section, "a painting: J at the end by J on the CPU", found.best.cost / here.best.cost, "", fine)
        seen = float(abs(found.signal.values - here.signal.values).max())
        report.add(section, "a painting: its values, from those on the CPU", seen, "of 0..1")
    for optimizer in ("lbfgs", "adam", "gd"):
        with report.guarded(section, f"{optimizer}, cancelled and resumed"), tempfile.TemporaryDirectory() as folder:
            path, cancel, some = Path(folder) / "kept", Event(), replace(settings, optimizer=optimizer)
            whole = impasto.transfer_style(content, style, some)
            again = impasto.transfer_style(content, style, some)

            def stop(progress: Any, cancel: Event = cancel) -> None:
                if progress.latest.evaluation == 4:
                    cancel.set()

            part = impasto.transfer_style(
                content, style, some, checkpoint=path, checkpoint_every=0, on_progress=stop, cancel=cancel
            )
            rest = impasto.transfer_style(content, style, some, checkpoint=path)
            ended = len(part.history) == 4 and len(rest.history) == 8
            difference = float(abs(rest.signal.values - whole.signal.values).max())
            noise = float(abs(again.signal.values - whole.signal.values).max())
            report.add(
                section, f"{optimizer}, cancelled and resumed: values", difference, "of 0..1", ended and difference < 2e-2
            )
            report.add(section, f"{optimizer}: of the same painting twice", noise, "of 0..1")
    with report.guarded(section, "two scales"):
        scaled = impasto.transfer_style(content, style, replace(settings, scales=2, iterations=12))
        falls = scaled.history[-1].cost < next(e.cost for e in scaled.history if e.scale == 2)
        report.add(section, "two scales", len(scaled.history), "evaluations", falls)
    with report.guarded(section, "a movie"):
        frames = np.stack([np.roll(content.values, 2 * i, 2) for i in range(3)], 1)
        movie = Signal(frames, "movie", {"times": (0.0, 0.1, 0.2)})
        painted = impasto.transfer_style(movie, style, replace(settings, iterations=6))
        report.add(
            section,
            "a movie of 3 frames",
            len(painted.history),
            "evaluations",
            bool(np.isfinite(painted.signal.values).all()),
        )
    with report.guarded(section, "an optimizer and a network of one's own"):

        class Own(impasto.Optimizer):
            def step(self, gradient: Tensor, size: float) -> Tensor:
                mean = self.state["mean"] = 0.5 * self.state.get("mean", 0 * gradient) + gradient
                return -size * mean

        network = wrapped()
        painter = impasto.Painter(**network, optimizer=Own(), settings=settings)
        first, second = (painter.paint(content, style) for _ in range(2))
        report.add(
            section,
            "an own optimizer, a wrapped network, twice",
            first.best.cost,
            "J",
            second.best.cost <= first.history[0].cost,
        )
    if on_gpu(report.device):
        with report.guarded(section, "too little memory"):
            total = torch.cuda.get_device_properties(0).total_memory
            free()
            torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 300 * MIB) / total)
            told = ""
            try:
                impasto.transfer_style(content, style, replace(settings, size=4096, scales=1, memory="64GiB"))
            except ImpastoError as error:
                told = str(error)
            finally:
                torch.cuda.set_per_process_memory_fraction(1.0)
            report.add(section, f"too little memory: {told}", len(told.splitlines()), "line", "ran out" in told)
            free()


# ------------------------------------------------------------------------------------------------------------------ speed


def on_gpu(device: str) -> bool:
    return device.startswith("cuda")


def free() -> None:
    """Give back what nobody uses."""
    import gc

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def timed(work: Callable[[], object], device: str, seconds: float = 1.0, rounds: int = 15) -> float:
    """The median of the milliseconds of the work, after a warm-up, each waited for."""
    work()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or (len(times) < rounds and time.perf_counter() - began < seconds):
        if on_gpu(device):
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            start.record()
            work()
            end.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(end))
        else:
            before = time.perf_counter()
            work()
            times.append(1e3 * (time.perf_counter() - before))
    return statistics.median(times)


def measure_peaks(report: Report) -> dict[str, float]:
    """TFLOP/s of a matrix product of random numbers in float32 and in TF32, and GB/s of a copy."""
    side = 512 if report.quick else 8192
    a, b = (torch.rand(side, side, device=report.device) for _ in range(2))
    peaks: dict[str, float] = {}
    matmul = torch.backends.cuda.matmul
    for name in PRECISIONS if on_gpu(report.device) else PRECISIONS[:1]:
        before, matmul.allow_tf32 = matmul.allow_tf32, name == "tf32"
        peaks[name] = 2 * side**3 / timed(lambda: torch.mm(a, b), report.device) / 1e9
        matmul.allow_tf32 = before
        report.add("speed", f"peak: matrix product, {side} squared, {name}", peaks[name], "TFLOP/s")
    source = torch.rand(2**20 if report.quick else 2**29, device=report.device)
    target = torch.empty_like(source)
    rate = 2 * 4 * source.numel() / timed(lambda: target.copy_(source), report.device) / 1e6
    report.add("speed", "peak: copy, bytes read and written", rate, "GB/s")
    return peaks


def gradient_of(cost: Callable[[Tensor], Tensor], start: Tensor) -> Callable[[], object]:
    x = start.clone().requires_grad_()
    return lambda: torch.autograd.grad(cost(x), x)


@contextmanager
def contiguous_layout() -> Iterator[None]:
    """The convnet in the layout of torch's own default, channels first."""
    before = dict(convnet._MEMORY_FORMAT)
    convnet._MEMORY_FORMAT[2] = torch.contiguous_format
    try:
        yield
    finally:
        convnet._MEMORY_FORMAT.update(before)


def work_of(size: int) -> float:
    """GFLOP of the convolutions of an evaluation and its gradient, each product and each sum counted."""
    settings = TransferSettings().for_kind("image")
    table = up_to_deepest(VGG19, [*settings.content_weights, *settings.style_lambdas])
    plan = cheapest(Task(table, (size, size), 3, 1, (), (size, size)), 1e15)
    assert plan
    return 2 * plan.work / 1e9


def measure_speed(report: Report, sizes: Sequence[int]) -> None:
    section = "speed"
    peaks: dict[str, float] = {}
    with report.guarded(section, "peaks"):
        peaks = measure_peaks(report)
        free()
    names = PRECISIONS if on_gpu(report.device) else PRECISIONS[:1]
    for size in sizes:
        work = work_of(size)
        own: dict[str, float] = {}
        for padding, way, name in itertools.product(
            ("replicate", "zeros"), ("impasto", "impasto NCHW", "impasto tuned", "channels-last", "NCHW"), names
        ):
            if report.late:
                report.add(section, f"{size} px and what follows: left out, no time", "")
                return
            if padding == "zeros" and way.startswith("impasto "):
                continue
            if way == "impasto tuned" and not on_gpu(report.device):
                continue
            what = f"{size} px, {padding}, {way}, {name}"
            with report.guarded(section, what), computing_in(name, torch.device(report.device)):
                layout = contiguous_layout() if way == "impasto NCHW" else nullcontext()
                benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, way == "impasto tuned"
                try:
                    with layout:
                        written, start = contestants(size, padding, report.device)
                        cost = written["impasto" if way.startswith("impasto") else way]()
                        milliseconds = timed(gradient_of(cost, start), report.device, 0.6 if size < 4096 else 1.0)
                    del written, cost, start
                except (RuntimeError, MemoryError) as error:
                    if "out of memory" not in str(error):
                        raise
                    report.add(section, f"{what}: does not fit", "")
                    continue
                finally:
                    torch.backends.cudnn.benchmark = benchmark
                    free()
                if way == "impasto":
                    own[padding + name] = milliseconds
                ratio = (
                    "" if way == "impasto" or padding + name not in own else f", {milliseconds / own[padding + name]:.2f}x"
                )
                report.add(section, what, milliseconds, f"ms{ratio}")
                if way == "impasto":
                    speed = work / milliseconds
                    share = f"{speed / peaks[name]:.0%} of peak" if peaks else ""
                    report.add(section, f"{what}: convolutions alone", speed, f"TFLOP/s, {share}")


def measure_descent(report: Report, sizes: Sequence[int]) -> None:
    for size, name in itertools.product(sizes, ("lbfgs", "adam")):
        if report.late:
            return
        with report.guarded("descent", f"{size} px, {name}"):
            measure_steps(report, size, name)
        free()


def measure_steps(report: Report, size: int, name: Any) -> None:
    """What a step takes beside an evaluation, and how often the CPU waits for the device."""
    settings, what = TransferSettings(optimizer=name).for_kind("image"), f"{size} px, {name}"
    content, style = random_pictures(size, report.device)
    objective, start = our_objective(content, style, settings), 0.5 * (content + style)
    count = 4 if report.quick else 26
    times: list[float] = []
    before = 0.0
    steps = descend(objective, start, optimizer_of(settings), iterations=count + 2, bounds=(0.0, 1.0))
    for progress in itertools.islice(steps, count):
        times.append(progress.latest.seconds - before)
        before = progress.latest.seconds
    each = 1e3 * statistics.median(times[count // 2 :])
    evaluate = gradient_of(lambda x: objective(x).cost, start)
    alone = timed(evaluate, report.device, 0.5)
    report.add("descent", f"{what}: an evaluation with its step", each, "ms")
    report.add("descent", f"{what}: of that the step, the trace and waiting", each - alone, "ms")
    if on_gpu(report.device):
        waits = synchronisations(lambda: next(steps)), synchronisations(evaluate)
        report.add("descent", f"{what}: waits for the device", waits[0], "an evaluation")
        report.add("descent", f"{what}: of that J and its gradient", waits[1], "an evaluation")


def synchronisations(work: Callable[[], object]) -> int:
    """How often the CPU waits for the device meanwhile."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in told)


def profile(report: Report, size: int) -> None:
    """The kernels that take most of an evaluation."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiled

    for name in PRECISIONS:
        with report.guarded("profile", f"{size} px, {name}"), computing_in(name, torch.device(report.device)):
            written, start = contestants(size, "replicate", report.device)
            evaluate = gradient_of(written["impasto"](), start)
            evaluate()
            with profiled(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as found:
                evaluate()
                torch.cuda.synchronize()
            rows = [row for row in found.key_averages() if str(row.device_type).endswith("CUDA")]
            rows.sort(key=lambda row: -row.self_device_time_total)
            total = sum(row.self_device_time_total for row in rows)
            report.add(
                "profile", f"{size} px, {name}: all kernels", total / 1e3, f"ms, {sum(row.count for row in rows)} calls"
            )
            for row in rows[:14]:
                report.add("profile", f"  {row.key[:62]}", row.self_device_time_total / 1e3, f"ms, {row.count} calls")


# ----------------------------------------------------------------------------------------------------------------- memory


def measure_memory(report: Report, sizes: Sequence[int]) -> None:
    section = "memory"
    budgets: list[str | None] = [None, "1200MiB"] if report.quick else [None, "4GiB"]
    for size, memory in itertools.product(sizes, budgets):
        if report.late:
            report.add(section, f"{size} px and what follows: left out, no time", "")
            return
        what = f"{size} px, {memory or 'as much as there is'}"
        with report.guarded(section, what):
            content, style = flat(size, 0), flat(size, 1)
            settings = TransferSettings(size=size, scales=1, iterations=5, memory=memory, device=report.device)
            told = dry_run(take_in(content, style, settings))
            (fitting,) = told.fittings
            assert fitting
            tile = fitting.plan.tile if fitting.plan else None
            report.add(section, f"{what}: planned", fitting.memory / MIB, f"MiB, tiles {tile or 'none'}")
            free()
            if on_gpu(report.device):
                torch.cuda.reset_peak_memory_stats()
            painting = impasto.transfer_style(content, style, settings)
            if on_gpu(report.device):
                allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
                fine = allocated <= fitting.memory and allocated <= fitting.budget
                report.add(
                    section,
                    f"{what}: allocated at the peak",
                    allocated / MIB,
                    f"MiB, {allocated / fitting.memory:.2f}",
                    fine,
                )
                report.add(section, f"{what}: reserved at the peak", reserved / MIB, f"MiB, {reserved / fitting.memory:.2f}")
            seconds = painting.history[-1].seconds
            report.add(
                section, f"{what}: seconds of 5 evaluations by those foretold", seconds / told.seconds, f"{seconds:.2f} s"
            )
            del painting
            free()


def flat(size: int, seed: int) -> Signal:
    """A picture that is made quickly at any size."""
    random = np.random.default_rng(seed)
    return Signal(random.random((3, size, size), np.float32))


# -------------------------------------------------------------------------------------------------------------- precision


def measure_precision(report: Report, sizes: Sequence[int]) -> None:
    """A whole painting in each precision: its seconds, and J of its picture in float32."""
    from skimage import data

    section = "precision"
    content, painter = data.astronaut(), flow_painting(96 if report.quick else 768)
    for size in sizes:
        for name in PRECISIONS:
            if report.late:
                report.add(section, f"{size} px and what follows: left out, no time", "")
                return
            what = f"{size} px, {name}"
            with report.guarded(section, what):
                settings = TransferSettings(size=size, device=report.device, precision=name)
                settings = replace(settings, iterations=4) if report.quick else settings
                impasto.transfer_style(content, painter, settings)  # warms up
                painting = impasto.transfer_style(content, painter, settings)
                seconds, count = painting.history[-1].seconds, len(painting.history)
                report.add(section, f"{what}: a painting", seconds, f"s, {count / seconds:.0f} evaluations/s")
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "painting.png"
                    painting.write(path)
                    exact = replace(settings, precision="float32", init=str(path), scales=1, iterations=1)
                    cost = impasto.transfer_style(content, painter, exact).history[0].cost
                report.add(section, f"{what}: J of its picture in float32", cost, "J")


# --------------------------------------------------------------------------------------------------------------- explorer


def repeated(sources: Sources, count: int) -> dict[str, Source]:
    """So many sources, which are some files again and again."""
    files = list(sources.values())
    return {f"{i:06d}.jpg": files[i % len(files)] for i in range(count)}


def measure_reading(report: Report, section: str, sources: Sources, size: int) -> None:
    """Images a second of what reads beside a GPU, with the start of the processes and without."""
    cores, many = os.cpu_count() or 1, repeated(sources, 8 if report.quick else 4 * FEWEST)
    ways = {"threads": readers_for("cuda", len(many), files=False, cores=cores, memory=0)}
    if find_spec("loky"):
        ways["processes"] = readers_for("cuda", max(FEWEST, len(many)), files=True, cores=max(cores, 3), memory=2**36)
    else:
        report.add(section, "reading in processes: left out, there is no loky", "")
    for name, how in ways.items():
        began = time.perf_counter()
        if how.processes:
            items = read_in_processes(many, many, size, None, how.readers, how.waiting)
        else:
            read = functools.partial(_seen_among, many, size)
            items = (
                item for _, item in read_ahead(many, read, how.waiting, readers=how.readers, memory=attrgetter("memory"))
            )
        next(items)
        first = time.perf_counter()
        failures = [item for item in items if isinstance(item, Exception)]
        seconds, what = time.perf_counter() - began, f"reading alone in {how.readers} {name}, {size} px"
        report.add(section, what, len(many) / seconds, "images/s", ok=not failures)
        report.add(section, f"{what}, once begun", (len(many) - 1) / (seconds - first + began), "images/s")


def _seen_among(sources: Sources, size: int, name: str) -> Seen:
    return seen(name, sources[name], size, None)


def measure_explorer(report: Report) -> None:
    section, count, size = "explorer", 4 if report.quick else 96, 64 if report.quick else 224
    with tempfile.TemporaryDirectory() as folder:
        sources = write_photos(Path(folder), count)
        many = repeated(sources, 8 if report.quick else 4 * FEWEST)
        decoded = [torch.from_numpy(view(source, size).values)[None] for source in sources.values()]
        with report.guarded(section, "reading"):
            measure_reading(report, section, sources, size)
        for given in ("relu3_1", "relu5_1", "all"):
            if report.late:
                report.add(section, f"{given} and what follows: left out, no time", "")
                return
            with report.guarded(section, given):
                layers = parse_layers(given)
                units = {layer: parse_units("all", layer) for layer in layers}
                network, name = trained_network(device=report.device)

                def bare(batch: int, network: Network = network, layers: tuple[str, ...] = layers) -> None:
                    with torch.inference_mode():
                        shapes = {x.shape for x in decoded}
                        for shape in shapes:
                            alike = [x for x in decoded if x.shape == shape]
                            for begin in range(0, len(alike), batch):
                                network(torch.cat(alike[begin : begin + batch]).to(report.device), layers)

                def whole(network: Network = network, units: Any = units, name: str = name) -> None:
                    index = empty_index(units, network=name, size=size, top=9, per_image=1)
                    for _ in search(network, many, index):
                        pass

                for batch in (1, 8, 32):
                    if report.quick and batch > 1:
                        continue
                    milliseconds = timed(lambda b=batch: bare(b), report.device, 0.5, 5)
                    report.add(section, f"{given}, bare forward, batches of {batch}", 1e3 * count / milliseconds, "images/s")
                milliseconds = timed(whole, report.device, 0.5, 3)
                report.add(section, f"{given}, the whole search", 1e3 * len(many) / milliseconds, "images/s")
        with report.guarded(section, "synthesis"):
            began = time.perf_counter()
            steps = 4 if report.quick else 64
            impasto.synthesise("relu4_1:17", size=size, iterations=steps, device=report.device)
            report.add(section, f"synthesis, {size} px", steps / (time.perf_counter() - began), "steps/s")


# ------------------------------------------------------------------------------------------------------------------- main


def about(device: str) -> dict[str, Any]:
    found: dict[str, Any] = {"python": sys.version.split()[0], "torch": torch.__version__, "device": device}
    if on_gpu(device):
        asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        with_driver = subprocess.run(asked, capture_output=True, text=True).stdout.strip() if _there(asked[0]) else ""
        found |= {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        found |= {"driver": with_driver}
    return found


def _there(program: str) -> bool:
    import shutil

    return shutil.which(program) is not None


SECTIONS = ("correct", "paintings", "precision", "explorer", "speed", "descent", "profile", "memory", "throughput")


def measure(report: Report, sizes: Sequence[int], only: Sequence[str] = SECTIONS) -> Report:
    """All sections, one after the other."""
    work: dict[str, Callable[[], None]] = {
        "correct": lambda: check_cases(report),
        "paintings": lambda: check_paintings(report),
        "precision": lambda: measure_precision(report, [n for n in sizes if n <= 1024]),
        "explorer": lambda: check_explorer(report),
        "speed": lambda: measure_speed(report, sizes),
        "descent": lambda: measure_descent(report, [n for n in sizes if n <= 2048]),
        "profile": lambda: profile(report, 1024) if on_gpu(report.device) else None,
        "memory": lambda: measure_memory(report, sizes),
        "throughput": lambda: measure_explorer(report),
    }
    for name in only:
        began = time.monotonic()
        with report.guarded(name, "the whole section"):
            work[name]()
        print(f"-- {name}: {time.monotonic() - began:.1f} s", flush=True)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--seconds", type=float, default=480.0, help="after which nothing new is begun")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the program itself")
    given = parser.parse_args()
    # what is compared with is torch's own convolution
    os.environ.setdefault("IMPASTO_CONVOLUTION", "direct")
    report = Report(given.device, given.quick, time.monotonic() + given.seconds)
    found = about(given.device)
    print(json.dumps(found), flush=True)
    try:
        measure(report, given.sizes or ([64] if given.quick else [512, 1024, 2048, 4096]), given.only)
    finally:
        if given.out:
            given.out.write_text(json.dumps({"about": found, "rows": report.rows}, indent=1))
    print(f"\n{json.dumps(found)}")
    for row in report.rows:
        print(_line(row))
    print(f"{len(report.failed)} of {sum(row['ok'] is not None for row in report.rows)} checks failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
