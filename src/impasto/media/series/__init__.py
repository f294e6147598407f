"""Series (sampled leads, e.g. an EKG): how they are read, written, painted and explored."""

from __future__ import annotations

from impasto.media.medium import Late, Medium, View

_HERE = "impasto.media.series"
_read = Late(f"{_HERE}.files:read_series")

CONVERTIBLE = (".edf", ".bdf", ".gdf", ".scp", ".vhdr", ".acq", ".smr", ".h5", ".hdf5", ".parquet", ".xlsx", ".xls")
"""Endings of series that cannot be read here, but that other programs convert; named to tell people so."""
_READ = (".csv", ".tsv", ".txt", ".npy", ".npz", ".mat", ".dcm", ".hea")

SERIES = Medium(
    name="series",
    noun="a series",
    axes=("leads", "samples"),
    read=lambda source, rate, longest, memory: _read(source, rate),
    encode=Late(f"{_HERE}.files:encode_series"),
    sample=Late(f"{_HERE}.files:sample_series"),
    describe=Late(f"{_HERE}.files:describe_series"),
    readable=(*_READ, *CONVERTIBLE),
    writable=(".csv", ".tsv", ".npy", ".npz"),
    safest=".npy",
    prepare=Late(f"{_HERE}.prepare:prepare_series"),
    styles=("series",),
    why="its axis is time, and what it must learn are waves",
    defaults={"working_rate": 125, "iterations": 150, "beta": 100.0, "optimizer": "lbfgs", "network": "bank"},
    networks=("bank", "vgg19"),
    axes_seen=1,
    draw=Late(f"{_HERE}.plot:plot_series"),
    view=View(
        dims=1,
        size=125,
        # notes and licences are .txt as well
        endings=tuple(ending for ending in _READ if ending != ".txt"),
        fit=Late(f"{_HERE}.view:fit_series"),
        draw=Late(f"{_HERE}.view:draw_waves"),
        overview=Late(f"{_HERE}.view:overview_series"),
        measure="samples",
        line="lead",
        beside=True,
    ),
    preview=Late(f"{_HERE}.view:preview_series"),
    traces=Late(f"{_HERE}.plot:trace_series"),
    lines=True,
    kept=".csv",
)
