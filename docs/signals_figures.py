"""Make the figures of docs/signals.md: an EKG that ships with pydicom, and sounds made here.

python docs/signals_figures.py
"""

from pathlib import Path

import numpy as np
from pydicom.data import get_testdata_file
from scipy.signal import lfilter

from impasto import Signal, TransferSettings, transfer_style
from impasto.media.series.files import read_series

HERE = Path(__file__).parent
RATE = 22050


def lead(name: str, part: slice) -> Signal:
    """Five seconds of one lead of pydicom's 12-lead recording."""
    recording = read_series(str(get_testdata_file("waveform_ecg.dcm")))
    i = recording.header["leads"].index(name)
    return Signal(recording.values[i : i + 1, part], "series", {**recording.header, "leads": [name], "units": ["µV"]})


def voice(seconds: float = 4) -> Signal:
    """Syllables: a buzz of gliding pitch through the resonances of changing vowels."""
    vowels = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]
    time = np.arange(int(0.4 * RATE)) / RATE
    syllables = []
    for i in range(round(seconds / 0.5)):
        pitch = 110 + 25 * np.sin(2 * i) + 40 * time
        buzz = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0)
        for formant in vowels[i % len(vowels)]:
            radius = np.exp(-np.pi * 90 / RATE)
            buzz = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * formant / RATE), radius**2], buzz)
        spoken = buzz / np.abs(buzz).max() * np.sin(np.pi * time / 0.4) ** 0.5
        syllables += [spoken, np.zeros(int(0.1 * RATE))]
    return sound(np.concatenate(syllables))


def bells(seconds: float = 4) -> Signal:
    """Bells: partials out of tune, each fading at its own pace."""
    random = np.random.default_rng(0)
    time = np.arange(int(seconds * RATE)) / RATE
    struck = np.zeros_like(time)
    for start in np.arange(0, seconds, 0.35):
        pitch, age = random.choice([392, 440, 523, 587, 659]), time - start
        for ratio, decay in ((0.5, 0.8), (1, 0.6), (1.2, 0.5), (1.5, 0.4), (2, 0.3), (2.74, 0.2), (5.4, 0.1)):
            partial = np.sin(2 * np.pi * pitch * ratio * age) * np.exp(-np.maximum(age, 0) / decay) / ratio**0.5
            struck += np.where(age >= 0, partial, 0)
    return sound(struck)


def sound(values: np.ndarray) -> Signal:
    """A mono sound with some air around its peaks."""
    return Signal((0.5 * values / np.abs(values).max()).astype(np.float32)[None], "sound", {"rate": float(RATE)})


if __name__ == "__main__":
    first, last = slice(0, 5000), slice(5000, 10000)
    ekg = transfer_style(lead("Lead II", first), lead("Lead V1", last), TransferSettings(beta=1000))
    ekg.plot(HERE / "signals-ekg.png")
    spoken = transfer_style(voice(), bells())
    spoken.plot(HERE / "signals-sound.png")
    for painting in (ekg, spoken):
        start, best = painting.history[0].style_cost, painting.best.style_cost
        print(f"{painting.signal.kind}: style cost {start:.3g} -> {best:.3g}, {painting.history[-1].seconds:.0f} s")
