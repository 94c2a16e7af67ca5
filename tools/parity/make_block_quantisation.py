"""What numpy makes of a matrix by ONNX's QuantizeLinear, in blocks of its rows: the bytes that base files hold.

Writes src/main/engine/folder/fixtures/blocks.safetensors: `weight` [5, 256] float32, and for 8 bits (block 128, symmetric)
and 4 bits (block 32, asymmetric) `q`, `scales`, `zeros` as they are stored, and `dequantised` in float64.

    python tools/parity/make_block_quantisation.py
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FILE = Path(__file__).parents[2] / "src/main/engine/folder/fixtures/blocks.safetensors"


def weight() -> np.ndarray:
    rng = np.random.default_rng(7)
    w = rng.standard_normal((5, 256)).astype(np.float32) * 0.02
    w[1, :128] = 0  # a block of zeros
    w[2] = np.abs(w[2])  # all of one sign
    w[3, 0] = 3  # an outlier
    # Halves, which round to the even number: at 8 bits with a scale of 1 / 127, at 4 bits with one of 1.
    w[4, :128] = np.concatenate([np.arange(-63.5, 64, 1), [127]])[:128] / 127
    w[4, 127] = 1
    w[4, 128:160] = np.linspace(-7.5, 7.5, 32)
    return w


def by_eight(w: np.ndarray, block: int = 128):
    blocks = w.reshape(len(w), -1, block)
    scales = (np.abs(blocks).max(-1) / np.float32(127)).astype(np.float32)
    divisor = np.where(scales == 0, np.float32(1), scales)[..., None]
    q = np.clip(np.rint(blocks / divisor) + 128, 0, 255).astype(np.uint8)
    zeros = np.full(scales.shape, 128, np.uint8)
    dequantised = (q.astype(np.float64) - 128) * scales[..., None].astype(np.float64)
    return q.reshape(w.shape), scales, zeros, dequantised.reshape(w.shape)


def pairs(numbers: np.ndarray) -> np.ndarray:
    """Two numbers of 4 bits a byte, the first in its lower half."""
    return (numbers[..., 0::2] | (numbers[..., 1::2] << 4)).astype(np.uint8)


def by_four(w: np.ndarray, block: int = 32):
    blocks = w.reshape(len(w), -1, block)
    least = np.minimum(blocks.min(-1), np.float32(0))
    most = np.maximum(blocks.max(-1), np.float32(0))
    scales = ((most - least) / np.float32(15)).astype(np.float32)
    divisor = np.where(scales == 0, np.float32(1), scales)
    zeros = np.clip(np.rint(-least / divisor), 0, 15)
    q = np.clip(np.rint(blocks / divisor[..., None]) + zeros[..., None], 0, 15)
    dequantised = (q - zeros[..., None]).astype(np.float64) * scales[..., None].astype(np.float64)
    return pairs(q.astype(np.uint8).reshape(w.shape)), scales, pairs(zeros.astype(np.uint8)), dequantised.reshape(w.shape)


if __name__ == "__main__":
    w = weight()
    assert w.dtype == np.float32
    tensors = {"weight": w}
    for bits, made in ((8, by_eight(w)), (4, by_four(w))):
        for name, values in zip(("q", "scales", "zeros", "dequantised"), made):
            tensors[f"{name}.{bits}"] = np.ascontiguousarray(values)
    save_file(tensors, FILE)
    print({name: (values.dtype, values.shape) for name, values in tensors.items()})
