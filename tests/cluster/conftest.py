"""Two workers, which all tests share: to start them takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from impasto.cluster.executor import Cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    with Cluster("local:2") as cluster:
        yield cluster
