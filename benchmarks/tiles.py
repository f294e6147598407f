"""An evaluation of J and its gradient in tiles: its time against the whole at once, and how it grows with the size.

    python benchmarks/tiles.py [--size 1024] [--rounds 5] [--memory 256MiB] [--grow 256,362,512,724,1024]

Both are run in turns in one process; the ratio of the medians is what counts. Seconds are fitted to pixels^exponent.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable

import torch
from evaluation import seconds
from torch import Tensor

from impasto.networks.convnet import vgg19
from impasto.networks.layers import up_to_deepest
from impasto.networks.tiling.plan import Plan, Task, cheapest
from impasto.networks.tiling.statistics import Forward
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Scene
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings
from impasto.validation import memory

SETTINGS = TransferSettings().for_kind("image")
LAYERS = [*SETTINGS.content_weights, *SETTINGS.style_lambdas]
STYLE = 512


def plan_for(table: tuple, size: int, within: int) -> Plan:
    task = Task(table, (size, size), 3, 1, tuple(SETTINGS.content_weights), (STYLE, STYLE))
    plan = cheapest(task, within)
    if plan is None:
        raise SystemExit(f"{size} px do not fit into {within} bytes")
    return plan


def cost_of(network: Forward, size: int) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    random = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, side, side, generator=random) for side in (size, STYLE))
    objective = BoundObjective(objective_of(SETTINGS), [View(Scene(network, content, [(style, 1.0)]))])
    return lambda x: objective(x).cost, 0.5 * (content + torch.rand(content.shape, generator=random))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", default="256MiB", help="of an evaluation at --size, beside signals and network")
    parser.add_argument("--grow", default="256,362,512,724,1024", help="sizes for the growth, each in tiles as at --size")
    arguments = parser.parse_args()
    network = vgg19(pooling=SETTINGS.pooling)
    table = up_to_deepest(network.table, LAYERS)
    if arguments.rounds:
        plan = plan_for(table, arguments.size, memory("memory", arguments.memory))
        print(f"{arguments.memory}: cut after {', '.join(plan.cuts)}, tiles {plan.sides}, the last {plan.kept} kept")
        contestants = {"whole": network, "tiles": plan.apply(network, LAYERS)}
        costs = {name: cost_of(contestant, arguments.size) for name, contestant in contestants.items()}
        times: dict[str, list[float]] = {name: [] for name in costs}
        for turn in range(arguments.rounds + 1):
            for name, (cost, start) in costs.items():
                taken = seconds(cost, start)
                if turn:  # the first warms up
                    times[name].append(taken)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, median in medians.items():
            print(f"{name}: {median:.3f} s an evaluation at {arguments.size} px")
        print(f"ratio of medians: {medians['tiles'] / medians['whole']:.3f}")
    sizes = [int(size) for size in arguments.grow.split(",") if size]
    if len(sizes) > 1:
        plan = plan_for(table, max(sizes), memory("memory", arguments.memory))
        found: list[tuple[float, float]] = []
        for size in sizes:
            cost, start = cost_of(plan.apply(network, LAYERS), size)
            seconds(cost, start)
            taken = statistics.median(seconds(cost, start) for _ in range(max(1, min(5, round((1024 / size) ** 2)))))
            found.append((math.log(size * size), math.log(taken)))
            print(f"{size} px: {taken:.3f} s")
        print(f"seconds grow as pixels^{statistics.linear_regression(*zip(*found, strict=True)).slope:.3f}")


if __name__ == "__main__":
    main()
