"""Which patches excite the units of a ResNet-18: any torch module can be explored. (Give it weights: these are random.)"""

import sys

from torch import nn

import impasto


class Block(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        convolve = lambda i, s: [nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)]  # noqa: E731
        self.way, self.relu = nn.Sequential(*convolve(i, s), nn.ReLU(True), *convolve(o, 1)), nn.ReLU(True)
        self.short = (
            nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o)) if (i, s) != (o, 1) else nn.Identity()
        )

    def forward(self, x):
        return self.relu(self.way(x) + self.short(x))


resnet = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(True), nn.MaxPool2d(3, 2, 1))
resnet.extend(Block(*ios) for o, s in zip((64, 128, 256, 512), (1, 2, 2, 2)) for ios in ((o // s, o, s), (o, o, 1)))
layers = {"layer1": "5", "layer2": "7", "layer3": "9"}
network = impasto.wrap(resnet, layers, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), name="resnet18")
index = impasto.top_patches(sys.argv[1], "layer1,layer3", units="0-7", size=128, network=network)
index.save(sys.argv[2])
