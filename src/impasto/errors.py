"""Everything that impasto raises on purpose.

::

    Exception
    └── ImpastoError              one line for people: what was given, what was expected, what would work
        ├── SettingsError         a setting is out of its range or unknown (also a ValueError)
        │   └── UnknownLayerError the network has no such layer; the nearest one is named
        ├── SignalError           a file or an array is no signal that can be read, or a signal cannot be written
        ├── SizeError             a signal is too small for the network or too large for the memory
        ├── WeightsError          the weights are missing, damaged or of another network
        └── ClusterError          a cluster does not answer, or its workers die

    KeyboardInterrupt             Ctrl-C and SIGTERM; these two are defined beside what they carry
    ├── TransferInterrupted       during a transfer; has the best painting so far
    └── ExploreInterrupted        during a search for patches; has the index so far
"""

from __future__ import annotations

from collections.abc import Iterable


class ImpastoError(Exception):
    """The root of all expected failures; its text is one line that a person can act on."""


class SettingsError(ImpastoError, ValueError):
    """A setting is unknown or out of its range."""


class UnknownLayerError(SettingsError):
    """The network has no layer of that name."""


class SignalError(ImpastoError):
    """A signal cannot be read or written."""


class SizeError(ImpastoError):
    """A signal is too small for the network, or too large for the memory."""


class WeightsError(ImpastoError):
    """The weights are missing, damaged, or belong to another network."""


class ClusterError(ImpastoError):
    """A cluster does not answer, or its workers die."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """The member of ``valid`` whose spelling is closest to ``name``."""
    import difflib  # not for `impasto --help`

    valid = list(valid)
    return difflib.get_close_matches(name, valid, n=1, cutoff=0)[0]
