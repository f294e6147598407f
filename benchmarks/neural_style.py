"""A plain painting with the defaults of the most used program of the field, neural-style-pt, to be compared with.

    python benchmarks/neural_style.py CONTENT STYLE OUT.png [--size 512] [--steps 1000] [--device cuda]

Content at relu4_2, weight 5; style at relu1_1 to relu5_1, weight 100 each, of Gram matrices divided by the number of
activations; total variation, weight 0.001; all of values in 0..255 about the mean of ImageNet, max pooling, zero padding;
1000 evaluations of L-BFGS that remembers 100 steps, from noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.media.image.read import over_white, read_image, resample_image, scaled_shape
from impasto.media.image.write import write_image
from impasto.media.signal import Signal, Values
from impasto.networks.convnet import vgg19

CONTENT, STYLES = "relu4_2", tuple(f"relu{block}_1" for block in range(1, 6))
CONTENT_WEIGHT, STYLE_WEIGHT, TV_WEIGHT = 5.0, 100.0, 1e-3
# of ImageNet's pictures, red, green, blue
MEAN = (123.68, 116.779, 103.939)


def gram(a: Tensor) -> Tensor:
    """The Gram matrix of activations (1, n_C, n_H, n_W), divided by their number."""
    rows = a[0].flatten(1)
    return rows @ rows.T / a.numel()


def total_variation(y: Tensor) -> Tensor:
    """The sum of the differences of neighbouring values of a picture (1, 3, height, width)."""
    return (y[..., 1:] - y[..., :-1]).abs().sum() + (y[..., 1:, :] - y[..., :-1, :]).abs().sum()


def paint(content: Values, style: Values, steps: int, device: str) -> Values:
    """Paint a picture (3, height, width) in 0..1 in the style of another one."""
    network = vgg19(pooling="max", padding="zeros").to(torch.device(device))
    mean = torch.tensor(MEAN, device=device).reshape(1, 3, 1, 1)
    c, s = (torch.from_numpy(x)[None].to(device) for x in (content, style))
    with torch.no_grad():
        target = network(c, (CONTENT,))[CONTENT]
        grams = {layer: gram(a) for layer, a in network(s, STYLES).items()}
    noise = torch.randn(c.shape, generator=torch.Generator().manual_seed(0)).to(device)
    y = (1e-3 * noise).requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [y], max_iter=steps, max_eval=steps, history_size=100, tolerance_grad=-1, tolerance_change=-1
    )

    def evaluate() -> float:
        optimizer.zero_grad()
        a = network((y + mean) / 255, (CONTENT, *STYLES))
        j = CONTENT_WEIGHT * F.mse_loss(a[CONTENT], target) + TV_WEIGHT * total_variation(y)
        for layer in STYLES:
            j = j + STYLE_WEIGHT * F.mse_loss(gram(a[layer]), grams[layer])
        j.backward()
        return float(j.detach())

    optimizer.step(evaluate)
    return ((y.detach() + mean) / 255).clamp(0, 1)[0].cpu().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", type=int, default=512, help="the longest side of both")
    parser.add_argument("--steps", type=int, default=1000, help="evaluations of J")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    content, style = (
        resample_image(x := over_white(read_image(path)), scaled_shape(x.shape, given.size)).values
        for path in (given.content, given.style)
    )
    write_image(Signal(paint(content, style, given.steps, given.device)), given.output)


if __name__ == "__main__":
    main()
