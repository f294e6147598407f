"""Explore any torch module, here a ResNet-18 with random weights: python examples/explore_resnet18.py PHOTOS INDEX.json"""

import sys

from torch import nn

import impasto


class Block(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.way = nn.Sequential(*_conv(i, o, 3, s), nn.ReLU(True), *_conv(o, o, 3, 1))
        self.short = nn.Sequential(*_conv(i, o, 1, s)) if s > 1 else nn.Identity()

    def forward(self, x):
        return (self.way(x) + self.short(x)).relu()


_conv = lambda i, o, k, s: (nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o))  # noqa: E731
stages = [nn.Sequential(Block(n // s, n, s), Block(n, n, 1)) for n, s in ((64, 1), (128, 2), (256, 2), (512, 2))]
resnet = nn.Sequential(*_conv(3, 64, 7, 2), nn.ReLU(True), nn.MaxPool2d(3, 2, 1), *stages)
layers, mean, std = {"layer1": "4", "layer2": "5", "layer3": "6"}, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
network = impasto.wrap(resnet, layers, mean=mean, std=std, name="resnet18")
impasto.top_patches(sys.argv[1], "layer1,layer3", units="0-7", size=128, network=network).save(sys.argv[2])
