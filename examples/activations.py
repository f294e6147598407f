"""What the network makes of a picture, and nothing else: python examples/activations.py PICTURE"""

import sys

import torch

import impasto

network = impasto.vgg19(padding="zeros", pooling="max")  # as it was trained
picture = torch.from_numpy(impasto.read_image(sys.argv[1]).values)[None]  # (1, 3, height, width) in 0..1
with torch.inference_mode():
    for layer, a in network(picture, ["relu1_2", "relu2_2", "relu3_4", "relu4_4"]).items():
        strongest = a[0].flatten(1).amax(1).topk(3)
        print(f"{layer} {tuple(a.shape)}: units {strongest.indices.tolist()} reach {strongest.values.max():.1f}")
