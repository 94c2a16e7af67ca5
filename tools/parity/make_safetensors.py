"""Writes src/main/engine/folder/fixtures/witness.safetensors with the reference library, and its values as JSON.

    python -m venv venv && venv/bin/pip install safetensors==0.6.2 numpy==2.3.4 ml_dtypes
    venv/bin/python tools/parity/make_safetensors.py
"""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

folder = Path(__file__).resolve().parents[2] / "src/main/engine/folder/fixtures"
numbers = np.random.default_rng(20260).normal(size=(3, 4))
tensors = {
    "f64": numbers.astype(np.float64),
    "f32": numbers.astype(np.float32),
    "f16": numbers.astype(np.float16),
    "bf16": numbers.astype(ml_dtypes.bfloat16),
    "i64": np.arange(-3, 3, dtype=np.int64) * 2**40,
    "i32": np.arange(-3, 3, dtype=np.int32),
    "u8": np.arange(250, 256, dtype=np.uint8).reshape(2, 3),
    "bool": np.array([True, False, True]),
    "scalar": np.array(2.5, dtype=np.float32),
    "empty": np.zeros((0, 4), dtype=np.float32),
}
save_file(tensors, folder / "witness.safetensors", metadata={"format": "np"})
expected = {
    name: {"shape": list(value.shape), "hex": value.tobytes().hex(), "dtype": str(value.dtype)}
    for name, value in tensors.items()
}
(folder / "witness.json").write_text(json.dumps(expected, indent=1) + "\n")
