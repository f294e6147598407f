"""Activations of a module's submodules, caught by forward hooks in a copy of it that shares its weights."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from impasto.errors import SettingsError


def frozen(module: nn.Module, device: str | None = None) -> nn.Module:
    """A copy of the module that is to be used and not trained: with the same weights, not copied, in eval mode.

    No gradient goes to a weight, and the module that was given stays as it is. On the ``device`` "meta" the copy has the
    shapes of the weights, and nothing in them.
    """
    shared: dict[int, Any] = {}
    for part in module.modules():
        for tensor in (*part._parameters.values(), *part._buffers.values(), *vars(part).values()):
            if isinstance(tensor, Tensor):
                seen = tensor.detach() if device is None else torch.empty_like(tensor, device=device)
                of_module = isinstance(tensor, nn.Parameter)
                shared[id(tensor)] = nn.Parameter(seen, requires_grad=False) if of_module else seen
    return copy.deepcopy(module, shared).eval()


class _Done(BaseException):
    """All that is wanted has been computed; no module is to take it for a failure of its own."""


class _Catch:
    """What is caught in one call: of each layer the output of its last of so many calls, with the channels first."""

    def __init__(self, calls: Mapping[str, int], dims: int, copied: Collection[str], turned: Collection[str]) -> None:
        self.left, self.dims, self.copied, self.turned = dict(calls), dims, copied, turned
        self.found: dict[str, Tensor] = {}
        self.outputs: list[Tensor] = []

    def layer(self, name: str, output: Any) -> None:
        if name not in self.left:
            return
        if not isinstance(output, Tensor) or output.dim() != self.dims + 2:
            given = f"a tensor {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
            raise SettingsError(
                f"layer {name} gives {given}; a tensor (N, n_C, {self.dims} axis/axes of space) was expected: "
                "name a submodule that gives one"
            )
        a = output.clone() if name in self.copied else output
        self.found[name] = a.movedim(-1, 1) if name in self.turned else a
        self.left[name] -= 1
        if not any(self.left.values()):
            raise _Done


_catch: ContextVar[_Catch | None] = ContextVar("what is caught now", default=None)


def _on_layer(name: str, module: nn.Module, given: Any, output: Any) -> None:
    catch = _catch.get()
    if catch is not None:
        catch.layer(name, output)


def _on_leaf(module: nn.Module, given: Any, output: Any) -> None:
    catch = _catch.get()
    if catch is not None and isinstance(output, Tensor):
        catch.outputs.append(output)


class Hooked:
    """A frozen copy of a module, of which the activations of some submodules are known by names of one's own.

    Args:
        module: any module that takes a tensor (N, channels, \\*space).
        paths: of submodules, by the names of the layers.
        dims: how many axes of space there are.
        device: see :func:`frozen`.
        outputs: whether the outputs of all innermost modules are wanted by :meth:`trace`.

    Attributes:
        module: the copy.
        calls: of each layer how often its submodule is called, in the order of the layers.
        overwritten: the layers whose output the module changes in place later on; :meth:`__call__` gives copies of them.
        turned: the layers that give (N, \\*space, n_C); :meth:`__call__` gives (N, n_C, \\*space) of them too.
    """

    def __init__(
        self, module: nn.Module, paths: Mapping[str, str], dims: int, device: str | None = None, outputs: bool = False
    ) -> None:
        self.module, self.dims = frozen(module, device), dims
        self.calls: dict[str, int] = dict.fromkeys(paths, 1)
        self.overwritten: set[str] = set()
        self.turned: set[str] = set()
        if outputs:
            for part in self.module.modules():
                if next(part.children(), None) is None:
                    part.register_forward_hook(_on_leaf)
        for name, path in paths.items():
            self.module.get_submodule(path).register_forward_hook(partial(_on_layer, name))

    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers``; what comes after the last of them is not computed."""
        found, _ = self.trace(x, layers)
        return {name: found[name] for name in layers}

    def trace(self, x: Tensor, layers: Collection[str]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The same, in the order of the computation, and what the innermost modules gave on the way."""
        calls = {name: self.calls[name] for name in layers}
        catch = self._caught(x, _Catch(calls, self.dims, self.overwritten, self.turned))
        return catch.found, catch.outputs

    def learn(self, x: Tensor) -> None:
        """Find out, from one whole computation, how often and in which order the layers are called, and what is overwritten.

        Raises:
            SettingsError: a layer is not computed, or its output is no tensor of this many axes.
        """
        counts, versions = Counter[str](), dict[str, int]()

        class Learning(_Catch):
            def layer(self, name: str, output: Any) -> None:
                self.left = {name: 2}  # never the last call
                super().layer(name, output)
                counts[name] += 1
                versions[name] = output._version

        catch = self._caught(x, Learning({}, self.dims, (), ()))
        missing = [name for name in self.calls if name not in counts]
        if missing:
            raise SettingsError(f"layer {missing[0]} is not computed when the module is called; name one that is")
        self.calls = dict(counts)
        self.overwritten = {name for name, a in catch.found.items() if a._version != versions[name]}

    def as_in(self, other: Hooked) -> None:
        """Take over what another one has found out about the same module."""
        self.calls, self.overwritten, self.turned = other.calls, other.overwritten, other.turned

    def _caught(self, x: Tensor, catch: _Catch) -> _Catch:
        token = _catch.set(catch)
        try:
            self.module(x)
        except _Done:
            pass
        finally:
            _catch.reset(token)
        return catch
