"""What Pillow and transformers make of pictures: resizing by every filter, image files of every kind, whole processors."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil
from transformers.image_utils import load_image

from parity_kit.photos import photo
from parity_kit.record import Record

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
# Of a picture of 13 x 11: smaller, larger, one side kept, and both orders of the two passes.
SIZES = [(5, 4), (19, 21), (13, 5), (7, 11), (30, 3), (1, 1)]
LARGE = [((640, 480), (298, 224)), ((384, 384), (336, 336)), ((333, 500), (224, 224)), ((97, 301), (211, 80))]
# The middle of sample scenes, CROP x CROP: JPEG decoders differ in how they widen colour, and this shows by how much.
SCENES = Path(__file__).resolve().parents[3] / "resources/samples/images"
SCENE_NAMES = ["scene-0001.jpg", "scene-0002.jpg", "scene-0003.jpg", "scene-0004.jpg"]
CROP = 48
SPACE = {"shortest_edge": 9}
PROCESSORS = {
    "crop": (CLIPImageProcessorPil, {"size": SPACE, "crop_size": {"height": 6, "width": 7}}),
    "padded": (CLIPImageProcessorPil, {"size": SPACE, "crop_size": {"height": 14, "width": 13}}),
    "padded-across": (CLIPImageProcessorPil, {"do_resize": False, "crop_size": {"height": 6, "width": 18}}),
    "square": (SiglipImageProcessorPil, {"size": {"height": 8, "width": 6}, "resample": 2}),
    "levels": (SiglipImageProcessorPil, {"size": {"height": 5, "width": 5}, "do_rescale": False, "do_normalize": False}),
    "factor": (SiglipImageProcessorPil, {"size": {"height": 5, "width": 5}, "rescale_factor": 1 / 127.5,
                                         "image_mean": [1.0, 0.9, 0.8], "image_std": [1.0, 0.3, 0.7]}),
}  # fmt: skip


def noise(width: int, height: int) -> np.ndarray:
    """Levels that any language makes alike: the upper byte of (i * 2654435761) mod 2^32, i counting all levels."""
    counts = np.arange(width * height * 3, dtype=np.uint64) * 2654435761
    return (counts % 2**32 // 2**24).astype(np.uint8).reshape(height, width, 3)


def with_alpha(picture: Image.Image) -> Image.Image:
    """Half of the picture fades out; the colours below stay."""
    alpha = Image.fromarray(np.tile(np.linspace(255, 0, picture.width).astype(np.uint8), (picture.height, 1)))
    picture.putalpha(alpha)
    return picture


def write_files(folder: Path) -> list[Path]:
    """One small file for each way in which colours are stored, and for each EXIF orientation."""
    picture = photo(9, 7, 21)
    wide_levels = np.asarray(picture.convert("L")).astype(np.uint16) * 256 + 200
    files = {
        "grey.png": picture.convert("L"),
        "grey-alpha.png": with_alpha(picture.convert("L")),
        "alpha.png": with_alpha(picture.copy()),
        "palette.png": picture.quantize(7),
        "one-bit.png": picture.convert("1"),
        "lossless.webp": picture,
        "picture.tiff": picture,
    }
    for name, image in files.items():
        image.save(folder / name, **({"lossless": True} if name.endswith("webp") else {}))
    palette = picture.quantize(7)
    palette.save(folder / "palette-transparent.png", transparency=2)
    Image.fromarray(wide_levels).save(folder / "grey-16.png")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        # A JPEG of one colour a block decodes to the same levels everywhere.
        blocks = Image.fromarray(np.repeat(np.repeat(noise(3, 2) // 64 * 64, 8, 0), 8, 1)).convert("L")
        blocks.save(folder / f"turned-{orientation}.jpg", exif=exif, quality=100)
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".webp", ".tiff", ".jpg"))


def make_pictures(fixtures: Path) -> None:
    """resize.FILTER.WxH and file.NAME as levels [h, w, 3]; pixel_values.CASE [1, 3, h, w]; digests of larger resizes."""
    folder, record = fixtures / "pictures", Record()
    folder.mkdir(parents=True, exist_ok=True)
    source = Image.fromarray(noise(13, 11))
    digests = {}
    for name, resample in FILTERS.items():
        for size in SIZES:
            record.tensor(f"resize.{name}.{size[0]}x{size[1]}", levels(source.resize(size, resample)))
        for size, target in LARGE:
            resized = Image.fromarray(noise(*size)).resize(target, resample)
            key = f"{name}.{size[0]}x{size[1]}.{target[0]}x{target[1]}"
            digests[key] = hashlib.sha256(resized.tobytes()).hexdigest()
    for path in write_files(folder):
        # Pillow clips 16 bits to white; the engine keeps the upper 8, which are those of grey.png.
        if path.name != "grey-16.png":
            record.tensor(f"file.{path.name}", levels(load_image(str(path))))
    for name in SCENE_NAMES:
        scene = load_image(str(SCENES / name))
        left, top = (scene.width - CROP) // 2, (scene.height - CROP) // 2
        record.tensor(f"scene.{name}", levels(scene.crop((left, top, left + CROP, top + CROP))))
    configs = {}
    for name, (processor, config) in PROCESSORS.items():
        record.tensor(f"pixel_values.{name}", processor(**config)(source, return_tensors="pt")["pixel_values"])
        configs[name] = {"image_processor_type": processor.__name__, **config}
    record.value("resized_sha256", digests)
    record.value("processors", configs)
    record.write(folder)


def levels(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture))
