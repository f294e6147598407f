"""Costs of one's own in J: python examples/own_cost.py CONTENT STYLE OUT"""

import sys

import impasto

content, style, out = sys.argv[1:]

# of activations: the third moment of each channel, a mean over positions, as that of the style
skew = impasto.activation_term(
    "skew",
    "relu1_1,relu2_1,relu3_1",
    mean=lambda a: a.pow(3).flatten(2).mean((0, 2)),
    cost=lambda generated, of_content, of_style: (generated / of_style.clamp_min(1e-3) - 1).square().mean(),
)
# of the picture: more red than blue
warmth = impasto.image_term("warmth", lambda x: (1 + x[:, 2] - x[:, 0]).mean(), signals=2)

J = impasto.content("relu4_2") + 20 * impasto.style("relu1_1,relu2_1,relu3_1,relu4_1,relu5_1") + skew + 5 * warmth
painting = impasto.Painter(objective=J, settings=impasto.TransferSettings(iterations=60)).paint(content, style)
painting.write(out)
print(", ".join(f"{name} {cost:.3g}" for name, cost in painting.best.costs.items()))
