"""A folder painted by one painter: python examples/folder.py FOLDER STYLE OUT"""

import sys
from pathlib import Path

import impasto

folder, style, out = map(Path, sys.argv[1:])
out.mkdir(exist_ok=True)
painter = impasto.Painter(settings=impasto.TransferSettings(iterations=60))
for path in sorted(folder.glob("*.[jp][pn]g")):
    painting = painter.paint(path, style)  # the network is loaded, and the style read and measured, once
    painting.write(out / f"{path.stem}.png")
    print(f"{path.name}: J {painting.best.cost:.4g}, {painting.history[-1].seconds:.1f} s")
