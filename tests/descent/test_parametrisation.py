from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.descent.parametrisation import plain, whitened
from impasto.media.signal import Signal
from tests.conftest import as_tensor

SHAPES = [(1, 17), (3, 12, 15), (3, 16, 16), (1, 6, 7, 8)]


@pytest.mark.parametrize("shape", SHAPES)
def test_encode_undoes_decode_and_adjoint_is_its_transpose(shape: tuple[int, ...]):
    random = torch.Generator().manual_seed(0)
    z, g = (torch.randn((1, *shape), generator=random) for _ in range(2))
    for form in (whitened(shape, torch.device("cpu")), plain()):
        assert torch.allclose(form.encode(form.decode(z)), z, atol=1e-4)
        assert (form.decode(z) * g).sum().item() == pytest.approx((z * form.adjoint(g)).sum().item(), rel=1e-3)


def test_a_photograph_has_coefficients_of_like_energy(photograph: Signal):
    x = as_tensor(photograph)
    coefficients = whitened(photograph.values.shape, x.device).encode(x - x.mean((2, 3), keepdim=True))[0].numpy()

    def energy_of_fine_detail(values: np.ndarray) -> float:
        power = np.abs(np.fft.fft2(values)) ** 2
        y, x = np.meshgrid(np.fft.fftfreq(values.shape[1]), np.fft.fftfreq(values.shape[2]), indexing="ij")
        return float(power[:, np.hypot(y, x) > 0.25].sum() / power.sum())

    assert energy_of_fine_detail(photograph.values) < 0.05
    assert energy_of_fine_detail(coefficients) > 0.2
