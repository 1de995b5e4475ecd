"""Makes the fixtures of tests/golden/media: pictures as other programs write them, and what Pillow, OpenCV and torch
make of pictures.

    python tools/golden/media.py

Needs numpy, pillow, opencv-python-headless and torch. Arrays are stored as .npy, which src/media/golden_array.h reads.
"""

import hashlib
import json
import random
import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import PIL
import PIL.ImageOps
import torch
from PIL import Image, PngImagePlugin

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "media"


def save(name: str, array: np.ndarray) -> None:
    np.save(OUT / f"{name}.npy", np.ascontiguousarray(array))


def picture(height: int, width: int, channels: int, seed: int = 7) -> np.ndarray:
    """Smooth shapes, hard edges and a little noise: what resamplers and edge finders differ on."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    out = np.zeros((height, width, channels))
    for c in range(channels):
        wave = np.sin(x / (5.0 + c) + seed) + np.cos(y / (7.0 - c))
        disc = ((x - width * 0.4) ** 2 + (y - height * 0.55) ** 2) < (min(height, width) * (0.2 + 0.06 * c)) ** 2
        out[..., c] = 110 + 45 * wave + 60 * disc - 50 * (x + 2 * y > width * 1.6)
    out += rng.normal(0, 4, out.shape)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(array: np.ndarray) -> bytes:
    """A 16-bit PNG; Pillow writes none with three channels."""
    height, width, channels = array.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows, 9))
            + png_chunk(b"IEND", b""))


def readers() -> None:
    """Small files of every kind, each beside the array that Pillow reads from it (name.npy)."""
    rgb, rgba = picture(17, 23, 3), picture(17, 23, 4, seed=3)
    rgba[:, :4, 3] = 0
    rgba[:, 4:8, 3] = 255
    grey = Image.fromarray(picture(17, 23, 1)[..., 0])

    def keep(name: str, image: Image.Image, mode: str, **options) -> None:
        path = OUT / "read" / name
        image.save(path, **options)
        array = np.array(Image.open(path).convert(mode))
        save(f"read/{name}", array if array.ndim == 3 else array[..., None])

    (OUT / "read").mkdir(parents=True, exist_ok=True)
    colour, clear = Image.fromarray(rgb), Image.fromarray(rgba)
    keep("rgb.png", colour, "RGB")
    keep("rgba.png", clear, "RGBA")
    keep("grey.png", grey, "L")
    keep("grey_alpha.png", clear.convert("LA"), "RGBA")
    keep("palette.png", colour.quantize(16), "RGB")
    keep("palette_clear.png", colour.quantize(16), "RGBA", transparency=3)
    keep("bilevel.png", grey.convert("1"), "L")
    keep("rgb.jpg", colour, "RGB", quality=92)
    keep("progressive.jpg", colour, "RGB", quality=92, progressive=True)
    keep("grey.jpg", grey, "L", quality=92)
    keep("rgb.tif", colour, "RGB", compression="tiff_lzw")
    keep("rgba.tif", clear, "RGBA", compression="tiff_adobe_deflate")
    keep("grey.tif", grey, "L")
    keep("rgb.webp", colour, "RGB", lossless=True)
    keep("rgba.webp", clear, "RGBA", lossless=True, exact=True)
    keep("rgb.bmp", colour, "RGB")
    keep("palette.bmp", colour.quantize(16), "RGB")

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = OUT / "read" / f"orientation_{orientation}.png"
        Image.fromarray(rgb[:5, :7]).save(path, exif=exif)
        exif_jpeg = OUT / "read" / f"orientation_{orientation}.jpg"
        block = Image.fromarray(np.kron(rgb[:2, :3], np.ones((8, 8, 1), np.uint8)))
        block.save(exif_jpeg, quality=95, exif=exif)
        turned = PIL.ImageOps.exif_transpose(Image.open(exif_jpeg))
        save(f"read/orientation_{orientation}.jpg", np.array(turned))
        path.unlink()

    deep = (picture(17, 23, 3).astype(np.uint16) * 251 + 17)
    (OUT / "read" / "rgb16.png").write_bytes(png16(deep))
    save("read/rgb16.png", deep.astype(np.int32))
    cv2.imwrite(str(OUT / "read" / "rgb16.tif"), deep[..., ::-1])
    save("read/rgb16.tif", deep.astype(np.int32))


def metadata() -> None:
    """Text as A1111 and its relatives write it."""
    (OUT / "text").mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(picture(4, 4, 3))
    plain = "a tower, dusk\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x48"
    wide = plain.replace("tower", "塔 café 🌲")
    for name, text, kind in [("text.png", plain, "text"), ("wide.png", wide, "text"), ("packed.png", plain, "zip")]:
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", text, zip=kind == "zip")
        image.save(OUT / "text" / name, pnginfo=info)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("parameters", wide, zip=True)
    image.save(OUT / "text" / "packed_wide.png", pnginfo=info)

    # The block that piexif writes: "MM", and the comment as UTF-16BE behind "UNICODE".
    exif = Image.Exif()
    exif.endian = ">"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + wide.encode("utf-16-be")
    image.save(OUT / "text" / "comment.jpg", exif=exif)
    image.save(OUT / "text" / "comment.webp", exif=exif)
    little = Image.Exif()
    little.endian = "<"
    little.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + plain.encode("utf-16-le")
    image.save(OUT / "text" / "little.jpg", exif=little)
    (OUT / "text" / "expected.json").write_text(json.dumps({"plain": plain, "wide": wide}, ensure_ascii=False))


def infotext() -> None:
    """What a regular expression finds in settings lines, among them lines made at random."""
    pattern = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
    lines = [
        "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x48",
        'Lora hashes: "a: 1, b: 2", Steps: 3, Version: v1',
        'Steps: "20, Sampler: x, Seed: 5',
        'a: 1, bb: , cc:dd:ee, : x, --ff: "", gg hh/ii-jj: "k"l, mm',
        'Template: "line\\nline \\"quoted\\"", Steps: 1, Seed: 2',
        "", ",", "::,,", "Steps: 20", '"', 'ab:"', 'ab:"\\',
    ]
    rng = random.Random(11)
    pieces = ["a", "bc", "Steps", " ", ":", ": ", ",", ", ", '"', '\\', "-", "/", "7", "x", "塔", '"a, b"', "\t"]
    lines += ["".join(rng.choice(pieces) for _ in range(rng.randint(1, 40))).strip() for _ in range(400)]
    cases = []
    for line in lines:
        found = [[k, unquoted(v)] for k, v in pattern.findall(line)]
        cases.append({"line": line, "pairs": found})
    (OUT / "text" / "infotext.json").write_text(json.dumps(cases, ensure_ascii=False))


FILTERS = {"nearest": Image.Resampling.NEAREST, "box": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR,
           "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def resampling() -> None:
    """Pillow's resize: 8-bit results as SHA-256 (they must be equal), floats as arrays; torch's interpolate."""
    folder = OUT / "resize"
    folder.mkdir(parents=True, exist_ok=True)
    sources = {c: picture(37, 53, c, seed=c) for c in (1, 3, 4)}
    for channels, array in sources.items():
        save(f"resize/source_{channels}", array)
    cases = []
    sizes = [(20, 11), (90, 100), (37, 80), (7, 53), (1, 1), (3, 200), (36, 54), (256, 19)]  # height, width
    for channels, array in sources.items():
        image = Image.fromarray(array[..., 0] if channels == 1 else array)
        for name, kind in FILTERS.items():
            for height, width in sizes:
                result = np.array(image.resize((width, height), kind))
                digest = hashlib.sha256(result.tobytes()).hexdigest()
                cases.append({"channels": channels, "filter": name, "height": height, "width": width, "sha256": digest})
    (folder / "cases.json").write_text(json.dumps(cases))

    floats = sources[1][..., 0].astype(np.float32) / np.float32(255)
    for name, kind in FILTERS.items():
        for height, width in [(13, 20), (50, 61)]:
            result = np.array(Image.fromarray(floats).resize((width, height), kind))
            save(f"resize/float_{name}_{height}x{width}", result)

    planes = torch.from_numpy(sources[3].transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        for height, width in [(13, 20), (41, 61)]:
            result = torch.nn.functional.interpolate(planes, size=(height, width), mode=mode)
            save(f"resize/torch_{mode}_{height}x{width}", result.numpy())


def shape_mask(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    mask = ((x - width * 0.55) ** 2 + (y - height * 0.4) ** 2 < (height * 0.3) ** 2) | ((x < 5) & (y > height - 9))
    return (mask * 255).astype(np.uint8)


def masks() -> None:
    """OpenCV's Gaussian blur with the kernel sizes of A1111, one axis at a time, as SHA-256."""
    mask = shape_mask(37, 53)
    save("mask", mask)
    cases = []
    for sigma_x, sigma_y in [(4, 4), (1, 0), (0, 2), (8, 3), (0.7, 16), (30, 30)]:
        for name, source in (("mask", mask), ("resize/source_1", sources_grey())):
            result = source
            if sigma_x > 0:
                result = cv2.GaussianBlur(result, (2 * int(2.5 * sigma_x + 0.5) + 1, 1), sigma_x)
            if sigma_y > 0:
                result = cv2.GaussianBlur(result, (1, 2 * int(2.5 * sigma_y + 0.5) + 1), sigma_y)
            digest = hashlib.sha256(np.ascontiguousarray(result).tobytes()).hexdigest()
            cases.append({"source": name, "sigma_x": sigma_x, "sigma_y": sigma_y, "sha256": digest})
    (OUT / "blur.json").write_text(json.dumps(cases))
    distance = np.array([[min(((y - j) ** 2 + (x - i) ** 2) ** 0.5 for j, i in np.argwhere(mask > 127))
                          for x in range(mask.shape[1])] for y in range(mask.shape[0])], np.float32)
    save("mask_distance", distance)


def quantisation() -> None:
    """diffusers' postprocessing, (x / 2 + 0.5) clamped, times 255, rounded half to even, around every rounding edge."""
    halves = torch.arange(0, 512, dtype=torch.float32) / 255 - 1
    near = torch.cat([halves, torch.nextafter(halves, torch.tensor(9.0)), torch.nextafter(halves, torch.tensor(-9.0))])
    planes = torch.cat([near, torch.linspace(-1.5, 1.5, 2304 - near.numel())]).reshape(1, 3, 24, 32)
    unit = (planes * 0.5 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    save("quantise_in", planes.numpy())
    save("quantise_out", (unit * 255).round().astype("uint8")[0])


def edges() -> None:
    """OpenCV's Canny on grey and on colour, as SHA-256."""
    cases = []
    for seed in (1, 3):
        array = picture(61, 83, 3, seed=seed)
        save(f"edges_{seed}", array)
        for low, high in [(100, 200), (50, 80), (10, 30), (300, 250), (20.7, 400)]:
            for per_channel in (False, True):
                source = array if per_channel else cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
                digest = hashlib.sha256(cv2.Canny(source, low, high).tobytes()).hexdigest()
                cases.append({"seed": seed, "low": low, "high": high, "per_channel": per_channel, "sha256": digest})
    (OUT / "edges.json").write_text(json.dumps(cases))


def sources_grey() -> np.ndarray:
    return picture(37, 53, 1, seed=1)[..., 0]


def unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    readers()
    metadata()
    infotext()
    resampling()
    masks()
    edges()
    quantisation()
    versions = {"pillow": PIL.__version__, "numpy": np.__version__, "opencv": cv2.__version__}
    (OUT / "versions.json").write_text(json.dumps(versions) + "\n")


if __name__ == "__main__":
    main()
