"""The defaults that depend on the kind of a signal: what is open in settings, filled in for one medium."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.media.registry import BUILT_IN, media
from impasto.networks.registry import constructor_of

if TYPE_CHECKING:
    from impasto.transfer.settings import TransferSettings

# exponents of --strength below and above 0.5, so that equal steps look alike: colours appear first, at small weights
_STEEPNESS = (3.0, 2.0)

BY_MEDIUM = tuple(dict.fromkeys(name for medium in BUILT_IN.values() for name in medium.networks))
"""The networks that a medium lists in its row."""


def filled_in(settings: TransferSettings, medium: Medium, longest: int | None = None) -> TransferSettings:
    """The settings for signals of a medium; see :meth:`impasto.TransferSettings.for_medium`."""
    defaults = {**medium.defaults, **(medium.from_random if settings.init == "random" else {})}
    if medium.enlarges and longest and defaults.get("size") != "full":  # enlarged only if the user gives a size
        defaults["size"] = min(defaults["size"], longest)
    defaults["scales"] = "auto" if "scales" in medium.settings else 1
    if settings.takes_size_for_rate(medium):
        return replace(settings, size=None, working_rate=settings.size).for_medium(medium, longest)
    for name in dict.fromkeys(["size", "working_rate", *(name for each in media().values() for name in each.settings)]):
        given, usual = getattr(settings, name), type(settings).__dataclass_fields__[name].default
        if name not in (*medium.settings, *medium.defaults) and given not in (usual, defaults.get(name)):
            kinds = [each.name for each in media().values() if name in (*each.settings, *each.defaults)]
            only = ", ".join(kinds)
            raise SettingsError(f"{name} {given} is not for this kind of signal ({medium.name}), only for {only}")
    row = constructor_of(defaults["network"] if settings.network == "auto" else settings.network)
    if row.name not in medium.networks and (row.name in BY_MEDIUM or medium.axes_seen not in row.dims):
        fitting = " or ".join(medium.networks)
        kind = f"this kind of signal ({medium.name})"
        raise SettingsError(f"network {row.name!r} does not take {kind}: {fitting} was expected")
    weights = {"weights": row.weights} if "weights" in row.takes and row.weights else {}
    if "draw" in defaults and not (row.placing_layers and _has_usual_costs(settings)):
        defaults["draw"] = 0.0
    draw = defaults.get("draw", 0.0) if settings.draw is None else settings.draw
    usual = {"content_layers": row.content_layers or None, "style_layers": row.painted_with(draw) or None}
    defaults = {**defaults, **weights, "network": row.name, **usual}
    open_ones = {name: value for name, value in defaults.items() if getattr(settings, name) in (None, "auto")}
    if settings.strength is not None:
        steepness = _STEEPNESS[settings.strength > 0.5]
        open_ones["alpha"] = (2 * (1 - settings.strength)) ** steepness
        open_ones["beta"] = defaults["beta"] * (2 * settings.strength) ** steepness
        open_ones["init_noise"] = max(0.0, 2 * settings.strength - 1)
        open_ones["strength"] = None
        if settings.strength == 0:
            open_ones |= {"init": "content", "scales": 1} | ({"draw": 0.0} if "draw" in defaults else {})
    return replace(settings, **open_ones)


def _has_usual_costs(settings: TransferSettings) -> bool:
    """Whether J is left to impasto: one whose layers or weighting are given is that J, and no other."""
    return settings.content_layers is None and settings.style_layers is None and settings.weighting == "relative"
