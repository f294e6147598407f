"""What some settings choose from, by the names of the settings."""

from __future__ import annotations

CHOICES = {
    "weighting": ("relative", "absolute", "summed"),
    "style_cost": ("gram", "wasserstein"),
    "tv_cost": ("isotropic", "summed"),
    "noise": ("natural", "white", "uniform"),
    "optimizer": ("auto", "lbfgs", "adam", "gd"),
    "precision": ("float32", "tf32"),
    "pooling": ("max", "avg"),
    "padding": ("replicate", "zeros"),
    "method": ("auto", "slices", "frames", "volume"),
    "preprocessing": ("auto", "caffe", "torchvision", "none"),
    "colour": ("style", "content", "luminance", "match"),
}
INITS = ("content", "random", "style")
