"""The connection to a scheduler of Dask: one that is started here with its workers, or one somewhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from impasto.errors import ClusterError, SettingsError
from impasto.files import first_line, one_line_is_enough, packages_of

_HERE, _THERE = re.compile(r"local:([1-9]\d*)"), re.compile(r"(tcp|tls)://[^\s/]+:\d+")
_PATIENCE = "20s"
# no page, no web server, no profiler, nothing that looks for other devices
_QUIET = {
    "distributed.scheduler.allowed-failures": 0,  # they are counted by the executor, as Dask blames all that are at a worker
    "distributed.deploy.lost-worker-timeout": "1h",  # or one that takes long to start again would be closed
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": ["impasto.cluster.worker"],
    "distributed.worker.profile.enabled": False,
    "distributed.diagnostics.nvml": False,
}


def parse_cluster(given: str) -> int | str:
    """How many workers on this computer, of ``"local:4"``; or the address of a scheduler, ``"tcp://HOST:8786"``.

    Raises:
        SettingsError: it is neither.
    """
    if local := _HERE.fullmatch(given):
        return int(local[1])
    if _THERE.fullmatch(given):
        return given
    raise SettingsError(f"cluster {given!r} is none; e.g. local:4 or tcp://HOST:8786 was expected")


@contextmanager
def connected(given: str, threads: int) -> Iterator[Any]:
    """The client of a scheduler, which is started first if it is to be here, with workers of so many threads.

    Raises:
        ClusterError: Dask is missing, nothing can be started, or the scheduler does not answer.
    """
    where = parse_cluster(given)
    try:
        from distributed import Client
    except ImportError:
        packages = " ".join(packages_of("cluster"))
        raise ClusterError(f"a cluster needs the package distributed, which is missing: pip install {packages}") from None
    with ExitStack() as stack:
        stack.enter_context(_silenced())
        how: dict[str, Any] = {"timeout": _PATIENCE, "set_as_default": False}
        try:
            if isinstance(where, int):
                where = stack.enter_context(_started(where, threads))
                how["security"] = where.security
            with one_line_is_enough():  # where versions differ that matters is told with the results
                client = stack.enter_context(Client(where, **how))
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            raise ClusterError(f"cluster {given} cannot be used: {first_line(error)}") from None
        yield client


@contextmanager
def _started(count: int, threads: int) -> Iterator[Any]:
    """So many workers on this computer, which this process alone can talk to."""
    from dask import config
    from distributed import LocalCluster, Security

    workers: Any = LocalCluster  # whose annotations are narrower than what it takes

    environment = {"distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": str(threads)}}
    with (
        config.set(_QUIET | environment),
        workers(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=0,  # which impasto keeps itself
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            security=Security.temporary(),  # others may share this computer, and its ports
            silence_logs=logging.CRITICAL,
        ) as started,
    ):
        yield started


@contextmanager
def _silenced() -> Iterator[None]:
    """Within it Dask does not comment on workers that die and connections that end."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
