"""Draws the three test photographs (gradients, discs, stripes, grain) that the fixtures look at."""

from pathlib import Path

import numpy as np
from PIL import Image


def photo(width: int, height: int, seed: int) -> Image.Image:
    """An RGB image of smooth shading with hard edges and grain, so that every resampling mistake shows."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    shade = np.stack([x / width, y / height, 1 - (x + y) / (width + height)], axis=-1) * 170 + 30
    disc = (x - 0.3 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.22 * min(width, height)) ** 2
    shade[disc] = (220, 50, 40)
    shade[(y > 0.7 * height) & (x.astype(int) // 3 % 2 == 0)] = (235, 230, 90)
    shade[(x > 0.75 * width) & (y < 0.3 * height)] = (10, 15, 60)
    shade += rng.normal(0, 6, shade.shape)
    return Image.fromarray(np.clip(np.round(shade), 0, 255).astype(np.uint8))


def write_photos(folder: Path) -> list[Path]:
    """Writes wide.png (90 x 60), tall.png (40 x 75) and strip.png (96 x 24), and returns their paths in that order."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"wide": (90, 60, 11), "tall": (40, 75, 12), "strip": (96, 24, 13)}
    for name, size in sizes.items():
        photo(*size).save(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in sizes]
