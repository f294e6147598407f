"""The compiled loops of Winograd's convolution, kept in a file: a process that finds them there does not import Numba.

Numba's own cache would need Numba to read it, which takes more than a second. The file's name stands for all that the code
depends on: its source, the versions of what compiles it, and the processor.
"""

from __future__ import annotations

import contextlib
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import platformdirs

from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.networks.kernels.first_run import spending
from impasto.networks.kernels.winograd_task import ENTRY

_SOURCES = ("instruction_set", "simd_kernels", "simd_registers", "winograd_loops", "winograd_task")
_DIGEST = hashlib.sha256().digest_size
# what was loaded must not be freed while there is its address
_engines: list[Any] = []


def load_loops() -> int:
    """The address of the loops, a C function of the address of a task.

    Raises:
        ImportError: Numba or what it needs is missing or does not work.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    kept = loops_file()
    code = _read(kept)
    if code is None:
        with spending(f"compiling convolutions for this processor ({llvm.get_host_cpu_name()})", "compiled") as spent, spent:
            code = _compiled()
        with contextlib.suppress(OSError, SignalError):  # a folder that is closed: they are compiled again next time
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, hashlib.sha256(code).digest() + code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return engine.get_function_address(ENTRY)


def loops_file() -> Path:
    """Where the loops are kept, compiled from this source by these versions for this processor."""
    about = hashlib.sha256()
    for name in _SOURCES:
        about.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    for part in (version("numba"), version("llvmlite"), llvm.get_process_triple(), *_processor()):
        about.update(f"\n{part}".encode())
    return Path(platformdirs.user_cache_dir("impasto")) / f"loops-{about.hexdigest()[:16]}.o"


def _read(path: Path) -> bytes | None:
    """The code that is kept there; None if there is none, or it is damaged."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, code = kept[:_DIGEST], kept[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _compiled() -> bytes:
    from impasto.networks.kernels.winograd_loops import compile_loops

    return _machine().emit_object(compile_loops())


def _machine() -> Any:
    """What LLVM generates code for: this processor, to be run where it lies."""
    target = llvm.Target.from_triple(llvm.get_process_triple())
    cpu, features = _processor()
    relocation = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(
        cpu=cpu, features=features, opt=3, reloc=relocation, codemodel="jitdefault", jit=True
    )


def _processor() -> tuple[str, str]:
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
