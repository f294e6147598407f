"""An optimizer of one's own: python examples/own_optimizer.py CONTENT STYLE OUT"""

import sys

import torch

import impasto


class Momentum(impasto.Optimizer):
    """A ball with inertia (Polyak 1964). What it remembers is in its state, which checkpoints keep."""

    def step(self, gradient: torch.Tensor, size: float) -> torch.Tensor:
        self.state["speed"] = self.state.get("speed", torch.zeros_like(gradient)) * 0.9 - 0.1 * size * gradient
        return self.state["speed"]

    def signals(self, evaluations: int) -> int:
        return 1  # of G's size: --memory counts it


content, style, out = sys.argv[1:]
impasto.Painter(optimizer=Momentum(), settings=impasto.TransferSettings(iterations=60)).paint(content, style).write(out)
