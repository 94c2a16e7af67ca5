"""Picture files as people have them, and what transformers makes of them (`load_image`: Pillow, upright, in RGB).

Needs Pillow of requirements.txt; `av` (PyAV) besides for the AVIF of 10 bits, which Pillow cannot write:

    .venv/bin/python tools/parity/make_picture_files.py
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

FOLDER = Path(__file__).parent / "fixtures" / "picture-files"
ORIENTATION = 0x0112
WIDTH, HEIGHT = 6, 4
BLOCK = 8
XMP = '<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def small() -> Image.Image:
    """6 x 4 pixels, no two alike, so that each of the eight ways to lie shows."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    picture.putdata([(40 * x, 60 * y, 250 - 20 * x - 30 * y) for y in range(HEIGHT) for x in range(WIDTH)])
    return picture


def blocks() -> Image.Image:
    """Even grey blocks of 8 x 8, which every JPEG decoder gives the same levels."""
    grey = Image.new("L", (3, 2))
    grey.putdata([0, 64, 128, 192, 32, 224])
    return grey.resize((3 * BLOCK, 2 * BLOCK), Image.Resampling.NEAREST)


def wide() -> Image.Image:
    """48 x 32 pixels of even colours, for formats that lose something and for profiles."""
    return small().resize((8 * WIDTH, 8 * HEIGHT), Image.Resampling.NEAREST)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def encoded(picture: Image.Image, kind: str, **settings) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(chunk: bytes, after_data: bool = False) -> bytes:
    """A PNG with one more chunk, behind the header or behind the picture's data."""
    png = encoded(small(), "PNG")
    at = len(png) - 12 if after_data else 33
    return png[:at] + chunk + png[at:]


def raw_profile(exif: bytes) -> bytes:
    """The text in which ImageMagick kept EXIF data before PNG had a chunk for it."""
    digits = exif.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\nexif\n{len(exif):8}\n{lines}\n".encode()


def webp_with(chunk: bytes, content: bytes, flag: int) -> bytes:
    """A WebP in its extended form (RFC 9649, section 2.7) with a chunk behind the picture."""
    picture = encoded(small(), "WEBP", lossless=True)[12:]
    header = struct.pack("<4sI", b"VP8X", 10) + bytes([flag, 0, 0, 0, WIDTH - 1, 0, 0, HEIGHT - 1, 0, 0])
    padded = content + b"\0" * (len(content) % 2)
    body = b"WEBP" + header + picture + chunk + struct.pack("<I", len(content)) + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body


def turned() -> dict[str, bytes]:
    """Each format with each orientation, and the other places where Pillow finds one."""
    files = {}
    for orientation in range(1, 9):
        exif = exif_of(orientation)
        files[f"turned-{orientation}.png"] = encoded(small(), "PNG", exif=exif)
        files[f"turned-{orientation}.webp"] = encoded(small(), "WEBP", exif=exif, lossless=True, exact=True)
        # Pillow writes it as irot and imir.
        files[f"turned-{orientation}.avif"] = encoded(
            wide(), "AVIF", exif=exif, quality=100, subsampling="4:4:4", speed=8
        )
        files[f"turned-{orientation}.tiff"] = encoded(small(), "TIFF", tiffinfo={ORIENTATION: orientation})
    six = exif_of(6).tobytes()
    files["late.png"] = png_with(png_chunk(b"eXIf", six[6:]), after_data=True)
    files["raw-profile.png"] = png_with(
        png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(six)))
    )
    files["xmp.png"] = png_with(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode()))
    files["xmp.webp"] = webp_with(b"XMP ", XMP.encode(), 0x04)
    files["headed.webp"] = webp_with(b"EXIF", b"Exif\0\0" + six[6:], 0x08)
    files["xmp.jpg"] = encoded(blocks(), "JPEG", quality=100, xmp=XMP.encode())
    files["intel.png"] = png_with(png_chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"))
    return files


def stray() -> dict[str, bytes]:
    """JPEGs with bytes between their segments that belong to none."""
    jpeg = encoded(blocks(), "JPEG", quality=100, exif=exif_of(6))
    exif, tables = jpeg.index(b"\xff\xe1"), jpeg.index(b"\xff\xdb")
    return {
        "stray-before-tables.jpg": jpeg[:tables] + b"\0\x07\x3c" + jpeg[tables:],
        "stray-before-exif.jpg": jpeg[:exif] + b"\x11\xff\0\x22" + jpeg[exif:],
        "filled.jpg": jpeg[:tables] + b"\xff\xff\xff" + jpeg[tables:],
    }


def bitmaps() -> dict[str, bytes]:
    """BMP of every depth that Pillow writes, and one whose rows begin at the top."""
    plain = encoded(small(), "BMP")
    header, rows = bytearray(plain[:54]), plain[54:]
    struct.pack_into("<i", header, 22, -HEIGHT)
    stride = len(rows) // HEIGHT
    down = b"".join(rows[at : at + stride] for at in range(len(rows) - stride, -1, -stride))
    return {
        "plain.bmp": plain,
        "palette.bmp": encoded(small().quantize(16), "BMP"),
        "grey.bmp": encoded(small().convert("L"), "BMP"),
        "one-bit.bmp": encoded(small().convert("1"), "BMP"),
        "top-down.bmp": bytes(header) + down,
    }


def several() -> dict[str, bytes]:
    """Files of several pictures, of which the first counts."""
    more = [ImageOps.invert(small())]
    return {
        "animated.webp": encoded(small(), "WEBP", lossless=True, save_all=True, append_images=more, duration=100),
        "pages.tiff": encoded(small(), "TIFF", save_all=True, append_images=more),
    }


def profiled() -> dict[str, bytes]:
    """Pictures with a colour profile that is not sRGB: its primaries are swapped, so that obeying it would show at once."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    # The time at which the profile was made.
    swapped[24:36] = bytes(12)
    icc = bytes(swapped)
    return {
        "profile.png": encoded(small(), "PNG", icc_profile=icc),
        "profile.webp": encoded(small(), "WEBP", icc_profile=icc, lossless=True),
        "profile.tiff": encoded(small(), "TIFF", icc_profile=icc),
        "profile.jpg": encoded(blocks().convert("RGB"), "JPEG", quality=100, icc_profile=icc),
        "profile.avif": encoded(wide(), "AVIF", quality=100, subsampling="4:4:4", speed=8, icc_profile=icc),
    }


def ten_bits() -> dict[str, bytes]:
    """AVIF of 10 bits a channel, as phones and newer cameras write it."""
    import av
    import numpy as np

    # SVT-AV1 takes nothing smaller than 64 pixels.
    picture = small().resize((96, 64), Image.Resampling.NEAREST)
    out = io.BytesIO()
    with av.open(out, "w", format="avif") as container:
        stream = container.add_stream("libsvtav1", rate=1)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p10le"
        stream.options = {"crf": "1", "preset": "8"}
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 2, 1, 1, 13
        frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24").reformat(
            format="yuv420p10le", dst_colorspace="ITU709", dst_color_range="JPEG"
        )
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return {"ten-bit.avif": out.getvalue()}


def packed(picture: Image.Image) -> str:
    """The levels [height, width, 3], deflated, in base 64."""
    return base64.b64encode(zlib.compress(picture.tobytes(), 9)).decode()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, content in {**turned(), **stray(), **bitmaps(), **several(), **profiled(), **ten_bits()}.items():
        path = FOLDER / name
        path.write_bytes(content)
        # The two lines of transformers.image_utils.load_image.
        picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        expected[name] = {"width": picture.width, "height": picture.height, "rgb": packed(picture)}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(expected.items()))
    (FOLDER / "expected.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
