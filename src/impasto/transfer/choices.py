"""What some settings choose from, by the names of the settings."""

from __future__ import annotations

CHOICES = {
    "weighting": ("relative", "absolute"),
    "style_cost": ("gram", "wasserstein"),
    "optimizer": ("auto", "lbfgs", "adam", "gd"),
    "pooling": ("max", "avg"),
    "padding": ("replicate", "zeros"),
    "method": ("auto", "slices", "frames", "volume"),
    "preprocessing": ("auto", "caffe", "torchvision"),
    "colour": ("style", "content", "luminance", "match"),
}
INITS = ("content", "random", "style")
