from __future__ import annotations

import pytest

from impasto.errors import UnknownLayerError
from impasto.networks.layers import VGG19, total_stride, up_to_deepest


def test_the_table_is_configuration_e_of_the_paper():
    convolutions = [row for row in VGG19 if row.operation == "conv"]
    assert [row.channels for row in convolutions] == [64] * 2 + [128] * 2 + [256] * 4 + [512] * 8
    assert {row.kernel for row in convolutions} == {3}
    assert [row.name for row in VGG19 if row.operation == "pool"] == ["pool1", "pool2", "pool3", "pool4", "pool5"]
    assert convolutions[-1].name == "conv5_4"


def test_the_network_is_cut_after_the_deepest_layer():
    assert [row.name for row in up_to_deepest(VGG19, ["relu1_1", "conv1_2"])] == ["conv1_1", "relu1_1", "conv1_2"]
    assert up_to_deepest(VGG19, []) == ()


@pytest.mark.parametrize(
    ("layer", "stride"), [("relu1_1", 1), ("pool1", 2), ("relu2_2", 2), ("relu4_2", 8), ("relu5_1", 16), ("pool5", 32)]
)
def test_total_stride(layer: str, stride: int):
    assert total_stride(up_to_deepest(VGG19, [layer])) == stride


def test_an_unknown_layer_names_the_nearest():
    with pytest.raises(UnknownLayerError, match=r"'relu5_5'.*'relu5_"):
        up_to_deepest(VGG19, ["relu1_1", "relu5_5"])
