"""The command line. It only translates: options become settings, failures become one line and an exit code.

Exit codes: 0 done, 1 failure, 2 wrong usage, 130 interrupted (after saving what there is).
"""

from impasto.cli.main import main

__all__ = ["main"]
