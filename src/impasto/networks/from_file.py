"""A network of a Python file of one's own: ``module.py:make`` is what its function ``make()`` returns."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import nn

from impasto.errors import ImpastoError, SettingsError
from impasto.files import first_line
from impasto.networks.network import Network
from impasto.networks.wrap import wrap

_SHOWN = 12
_CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}


def network_from_file(name: str, layers: Iterable[str]) -> Network:
    """The network that a function returns: a torch module, of which ``layers`` are submodules, or one that is wrapped.

    A module is given pictures in 0..1, or signals of as many axes as its convolutions have; where it was trained with a mean
    and a deviation, let the function return ``impasto.wrap(module, layers, mean=..., std=...)``.

    Raises:
        SettingsError: there is no such file or function, it fails, or returns something else; or no layer is named.
        UnknownLayerError: the module has no such submodule; the message has the nearest one.
    """
    path, function = Path(name.rpartition(":")[0]), name.rpartition(":")[2]
    if not path.is_file():
        raise SettingsError(f"network {name!r}: there is no file {path}")
    made = _called(path, function)
    if isinstance(made, Network):
        return made
    if not isinstance(made, nn.Module):
        raise SettingsError(f"network {name!r}: {function}() gave a {type(made).__name__}; a torch module was expected")
    return wrap_submodules(made, layers, name, f"{path.name}:{function}")


def wrap_submodules(module: nn.Module, layers: Iterable[str], given: str, name: str, **seen: Any) -> Network:
    """The module as a network of this name, of which ``layers`` are submodules; ``seen`` is the mean and the deviation.

    Raises:
        SettingsError: no layer is named; the message has those of ``given``, as the module was asked for.
        UnknownLayerError: the module has no such submodule; the message has the nearest one.
    """
    names = [layer for layer in layers if layer]
    if not names or names == ["all"]:
        known = [path for path, part in module.named_modules() if path and not list(part.children())]
        some = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
        raise SettingsError(f"network {given!r}: say which of its submodules are the layers: {some}")
    dims = next((_CONVOLUTIONS[type(part)] for part in module.modules() if type(part) in _CONVOLUTIONS), 2)
    return wrap(module, list(dict.fromkeys(names)), spatial_dims=dims, name=name, **seen)


def _called(path: Path, function: str) -> object:
    """What the function in the file returns; the file may import its neighbours, as a script may."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # as it ends in .py
    module, folder = importlib.util.module_from_spec(spec), str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
        if not callable(getattr(module, function, None)):
            there = [name for name, value in vars(module).items() if callable(value) and name[0] != "_"]
            raise SettingsError(f"{path} has no function {function!r}; it has {', '.join(there) or 'none'}")
        return getattr(module, function)()
    except ImpastoError:
        raise
    except Exception as error:
        raise SettingsError(f"{path}: {function} fails: {type(error).__name__}: {first_line(error)}") from error
    finally:
        sys.path.remove(folder)
