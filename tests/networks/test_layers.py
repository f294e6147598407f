from __future__ import annotations

import pytest

from impasto.errors import UnknownLayerError
from impasto.networks.layers import ARCHITECTURES, VGG16, VGG19, aliases, total_stride, unknown_layer, up_to_deepest


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


def test_of_another_network_no_layer_is_suggested():
    bank = [row.name for row in ARCHITECTURES["bank"].table]
    told = "unknown layer 'relu4_2', which is one of vgg19: this network has relu3, relu5, relu9, relu17"
    assert str(unknown_layer("relu4_2", bank)).startswith(told)
    everything = [row.name for architecture in ARCHITECTURES.values() for row in architecture.table]
    assert str(unknown_layer("relu9_1", everything)).startswith("unknown layer 'relu9_1': did you mean 'relu5_")
    assert str(unknown_layer("relu8", everything)) == "unknown layer 'relu8': did you mean 'relu9'?"


def test_keras_and_torchvision_name_the_same_layers():
    keras, names = aliases(VGG19), [row.name for row in VGG19]
    assert (keras["block5_conv4"], keras["block1_conv1"], keras["block3_pool"]) == ("relu5_4", "relu1_1", "pool3")
    # torchvision's vgg19().features: a convolution, a ReLU, ...; 28 is the first convolution of the fifth block
    assert (keras["features.0"], keras["features.28"], keras["features.36"]) == ("conv1_1", "conv5_1", "pool5")
    assert [keras[f"features.{i}"] for i in range(37)] == names
    assert aliases(VGG16)["features.28"] == "conv5_3"
    assert aliases(up_to_deepest(VGG19, ["relu2_1"]))["block2_conv1"] == "relu2_1"
    assert aliases(ARCHITECTURES["bank"].table) == {}
