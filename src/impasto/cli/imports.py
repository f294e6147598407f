"""Large imports, quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


@contextmanager
def large_imports() -> Iterator[None]:
    """Within it torch and what needs it are imported. Among a million objects that all stay nobody looks for garbage.

    That takes a tenth of the time of importing torch, and most of the time in which the process ends.
    """
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class WithoutStubs(MetaPathFinder):
    """Lets gradio be imported without the stubs for editors that it else writes beside itself, which takes half of its time.

    As a context it is in force.
    """

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module that writes stubs, which then does nothing; every other one is left to others."""
        if fullname != "gradio.component_meta":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = spec and spec.loader
        if loader is not None:
            execute = loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                module.create_or_modify_pyi = lambda *_, **__: None

            loader.exec_module = exec_module
        return spec
