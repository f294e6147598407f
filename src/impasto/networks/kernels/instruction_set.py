"""The vector registers of this processor, and the sizes that follow from them."""

from __future__ import annotations

import llvmlite.binding as llvm

_FEATURES = llvm.get_host_cpu_features()
LANES = 16 if _FEATURES.get("avx512f") else 8 if _FEATURES.get("avx2") else 4
"""How many float32 a register holds: 16 with AVX-512, 8 with AVX2, 4 otherwise."""
ROWS = 12 if LANES == 16 else 6
"""How many rows of a matrix product are summed in registers at once, two registers each; AVX-512 has 32, AVX2 16."""
FEW_ROWS = 4
"""The same where fewer than ROWS rows are left."""
WIDTH = 2 * LANES
"""How many columns of a matrix product are summed in registers at once: two registers."""
SIGN_BYTES = max(1, LANES // 8)
"""How many bytes the signs of a register take, one bit for each number."""
