"""A small network with the names and the geometry of VGG-19, and small pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19, up_to_deepest

UNITS = 4


@pytest.fixture(scope="session")
def network() -> ConvNet:
    """Four units a layer, down to relu3_1; weights are small whole numbers, so that equal activations are common."""
    table = up_to_deepest(VGG19, ["relu3_1"])
    generator = torch.Generator().manual_seed(0)
    weights, inputs = {"mean": torch.full((3,), 0.5), "std": torch.full((3,), 0.25)}, 3
    for row in table:
        if row.operation == "conv":
            weights[f"{row.name}.weight"] = torch.randint(-2, 3, (UNITS, inputs, 3, 3), generator=generator).float()
            weights[f"{row.name}.bias"] = torch.randint(-1, 2, (UNITS,), generator=generator).float()
            inputs = UNITS
    return ConvNet(table, weights, padding="zeros", pooling="max")


@pytest.fixture
def make_photos(tmp_path: Path) -> Callable[..., Path]:
    """Write so many pictures of noise and shapes into a folder."""

    def make(count: int, folder: str = "photos", start: int = 0, size: tuple[int, int] = (40, 32)) -> Path:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        for i in range(start, start + count):
            rng = np.random.default_rng(i)
            coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8)).resize(size)
            coarse.save(path / f"photo{i:03d}.png")
        return path

    return make
