from __future__ import annotations

import os
import subprocess
import sys

import pytest

from impasto.cli.threads import sleep_soon


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
    ],
)
def test_waiting_threads_sleep_soon_unless_the_user_decided(given: dict[str, str], expected: dict[str, str]):
    environment = dict(given)
    sleep_soon(environment)
    assert environment == expected


def test_the_command_line_says_so_before_torch_is_imported():
    code = (
        "import os, sys; from impasto.cli import main\n"
        "assert 'torch' not in sys.modules\n"
        "sys.argv = ['impasto', '--version']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    )
    clean = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.splitlines()[-1] == "1000 False"


def test_importing_the_library_leaves_the_environment_alone():
    code = "import os; before = dict(os.environ); import impasto; impasto.transfer_style; print(before == dict(os.environ))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
