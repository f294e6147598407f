"""What is found is the most alike place, and others that lie apart from it; against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.explanation.grid import Axis, axes_of
from impasto.explanation.origins import origins_of
from impasto.networks.convnet import ConvNet


def some(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def axis(count: int, size: int, step: int) -> Axis:
    return Axis(count * step, np.arange(count, dtype=np.float64) * step, size)


def test_the_origin_has_the_largest_cosine_of_all_styles():
    generated, styles = some(1, 6, 5, 4, seed=0), [some(1, 6, 7, 9, seed=1), some(1, 6, 4, 6, seed=2)]
    axes = [(axis(a.shape[2], 8, 4), axis(a.shape[3], 8, 4)) for a in styles]
    found = origins_of(generated, styles, (np.array([0, 2, 4]), np.array([1, 3])), axes, 3)
    assert found.style.shape == (3, 2, 3)
    rows = [np.asarray(a[0].double()).reshape(6, -1).T for a in styles]
    mean = np.concatenate(rows).mean(0)
    unit = [(x - mean) / np.linalg.norm(x - mean, axis=1, keepdims=True) for x in rows]
    for i, row in enumerate((0, 2, 4)):
        for j, column in enumerate((1, 3)):
            query = np.asarray(generated[0, :, row, column].double()) - mean
            cosines = [(x @ query / np.linalg.norm(query)).reshape(a.shape[2:]) for x, a in zip(unit, styles, strict=True)]
            free = [np.ones(c.shape, bool) for c in cosines]
            for k in range(3):  # one after the other, each at least one position (half a field of 8, step 4) from the others
                best = max(((c[f].max(), n) for n, (c, f) in enumerate(zip(cosines, free, strict=True)) if f.any()))
                y, x = np.unravel_index(np.where(free[best[1]], cosines[best[1]], -2).argmax(), cosines[best[1]].shape)
                assert (found.style[i, j, k], found.row[i, j, k], found.column[i, j, k]) == (best[1], y, x)
                assert found.cosine[i, j, k] == pytest.approx(best[0], rel=1e-4)
                free[best[1]][y, x] = False


def test_others_lie_apart_and_where_there_are_none_nothing_is_told():
    a = some(1, 3, 6, 6, seed=0)
    wide = axis(6, 40, 4)  # half a field is five positions
    found = origins_of(a, [a], (np.arange(6), np.arange(6)), [(wide, wide)], 4)
    for y in range(6):
        for x in range(6):
            assert (found.row[y, x, 0], found.column[y, x, 0]) == (y, x)  # each is most like itself
            assert found.cosine[y, x, 0] == pytest.approx(1, abs=1e-5)
            known = [
                (r, c) for s, r, c in zip(found.style[y, x], found.row[y, x], found.column[y, x], strict=True) if s >= 0
            ]
            apart = [max(abs(r - s), abs(c - d)) for n, (r, c) in enumerate(known) for s, d in known[:n]]
            assert all(distance >= 5 for distance in apart)
    assert (found.style < 0).any()


def test_a_piece_of_the_style_is_found_where_it_was_cut_out(network: ConvNet, texture: object):
    from skimage import data

    whole = torch.from_numpy(data.chelsea()[40:200, 60:260].astype(np.float32) / 255).permute(2, 0, 1)[None]
    piece = whole[..., 32:96, 64:160]
    for layer, stride in (("relu2_1", 2), ("relu3_1", 4)):
        G, S = (network(x, [layer])[layer] for x in (piece, whole))  # noqa: N806
        at = np.array([G.shape[2] // 2]), np.array([G.shape[3] // 2])
        found = origins_of(G, [S], at, [axes_of(network, layer, (160, 200))], 1)
        assert found.row.item() == at[0][0] + 32 // stride
        assert found.column.item() == at[1][0] + 64 // stride
        assert found.cosine.item() == pytest.approx(1, abs=1e-4)
