"""The defaults of settings in words, for ``--help`` and the fields of the studio."""

from __future__ import annotations

from impasto import validation
from impasto.media.registry import BUILT_IN
from impasto.networks.registry import BUILT_IN as NETWORKS
from impasto.objective.weighting import layers_text
from impasto.transfer.kind_defaults import BY_MEDIUM
from impasto.transfer.settings import TransferSettings


def default_text(name: str) -> str:
    """The default of a setting for ``--help``: for each kind or network, if it depends on them; "" if there is none.

    Only for what comes with impasto, so that ``--help`` need not load other packages.
    """
    default = TransferSettings.__dataclass_fields__[name].default
    if name in ("content_layers", "style_layers"):
        by_case = {network: layers_text(getattr(NETWORKS[network], name)) for network in BY_MEDIUM}
    else:
        by_case = {kind: str(medium.defaults[name]) for kind, medium in BUILT_IN.items() if name in medium.defaults}
    if not by_case:
        return "" if default is None else validation.YES_NO[default] if isinstance(default, bool) else str(default)
    values = dict.fromkeys(by_case.values())
    return next(iter(values)) if len(values) == 1 else "; ".join(f"{case} {text}" for case, text in by_case.items())
