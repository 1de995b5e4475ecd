"""Compares the program's watermarks with those of invisible-watermark; run by tools/check_watermark.

  judge_watermark.py PROGRAM [--table]

Each function that begins with `check_` is one test; it raises where the two disagree. The pictures are painted here
from fixed seeds: skies, hills, grain and flat shapes, as backgrounds have.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import traceback
import types

# The package imports its neural method (PyTorch, ONNX) when it is loaded; dwtDct needs none of it.
for absent in ("torch", "onnxruntime"):
    sys.modules.setdefault(absent, types.ModuleType(absent))

import cv2
import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="watermark-"))
OWN = b"Maquette"
PUBLISHED = {
    "Stable Diffusion XL": "101100111110110010010000011110111011000110011110",
    "FLUX.2": "001010101111111010000111100111001111010100101110",
    "Stable Diffusion 1": "".join(f"{byte:08b}" for byte in b"StableDiffusionV1"),
    "Stable Diffusion 2": "".join(f"{byte:08b}" for byte in b"SDV2"),
}


def clouds(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Noise of several sizes, 0 to 1."""
    total = np.zeros((height, width))
    for cells in (3, 6, 12, 24, 48, 96):
        coarse = random.random((cells, cells)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.8
    return (total - total.min()) / np.ptp(total)


def painting(seed: int, height: int = 512, width: int = 640) -> np.ndarray:
    """A background: sky, two hills, a flat sun, a little grain on every second one. BGR of 8 bits."""
    random = np.random.default_rng(seed)
    colours = random.random((5, 3)) * 0.9 + 0.05
    sky = clouds(random, height, width)[..., None]
    picture = colours[0] * sky + colours[1] * (1 - sky)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    for layer in (2, 3):
        edge = height * (0.35 + 0.15 * layer) / 1.2 + 60 * np.interp(x[0], np.linspace(0, width, 9), random.random(9))
        shade = 0.7 + 0.3 * clouds(random, height, width)[..., None]
        picture = np.where((y > edge)[..., None], colours[layer] * shade, picture)
    sun = (x - width * random.random()) ** 2 + (y - height * 0.2) ** 2 < (height / 12) ** 2
    picture[sun] = colours[4]
    if seed % 2:
        picture += random.normal(0, 0.015, picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)


# As in src/watermark/known_marks.h: how many marks are tried, and the chance of a mistake that is allowed.
MARKS_TRIED = 5
MOST_CHANCE = 1e-6


# --- the two programs ----------------------------------------------------------------------------------------


def save(picture: np.ndarray, name: str = "in.png") -> pathlib.Path:
    cv2.imwrite(str(FOLDER / name), picture)
    return FOLDER / name


def add_ours(picture: np.ndarray, text: bytes = OWN, out: str = "out.png") -> np.ndarray:
    command = [PROGRAM, "watermark", "add", save(picture), "--text", text.decode(), "--out", FOLDER / out]
    subprocess.run(command, check=True, capture_output=True)
    return cv2.imread(str(FOLDER / out))


def known_to_us(picture: np.ndarray | pathlib.Path) -> list[str]:
    """The marks that our program names; none is exit code 3."""
    file = picture if isinstance(picture, pathlib.Path) else save(picture, "read.png")
    done = subprocess.run([PROGRAM, "watermark", "read", file, "--json"], capture_output=True, check=False)
    if done.returncode == 3:
        return []
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return [mark["name"] for mark in json.loads(done.stdout)["known"]]


def bytes_read_by_us(picture: np.ndarray, length: int) -> bytes:
    command = [PROGRAM, "watermark", "read", save(picture, "read.png"), "--bytes", str(length), "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return bytes.fromhex(json.loads(done.stdout)["watermark"])


def add_theirs(picture: np.ndarray, bits: list[int]) -> np.ndarray:
    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", bits)
    return encoder.encode(picture, "dwtDct")


def read_theirs(picture: np.ndarray, length: int) -> np.ndarray:
    return np.asarray(WatermarkDecoder("bits", length).decode(picture, "dwtDct")).astype(int)


def bits_of(text: bytes) -> np.ndarray:
    return np.unpackbits(np.frombuffer(text, np.uint8)).astype(int)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


# --- tests ---------------------------------------------------------------------------------------------------


def check_the_package_reads_ours() -> None:
    for seed, text in enumerate([b"Maquette", b"a", b"LANTERNS sq010 sh020", b"0123456789abcdef0123456789abcdef"]):
        for size in ((512, 640), (301, 515), (256, 256)):
            marked = add_ours(painting(seed, *size), text)
            read = read_theirs(marked, 8 * len(text))
            assert np.array_equal(read, bits_of(text)), f"{text!r} at {size}: {np.mean(read == bits_of(text)):.2f}"


def check_ours_is_as_invisible_as_theirs() -> None:
    for seed in range(6):
        picture = painting(seed)
        ours, theirs = psnr(picture, add_ours(picture)), psnr(picture, add_theirs(picture, list(bits_of(OWN))))
        assert ours > max(36, theirs - 3), f"picture {seed}: {ours:.2f} dB beside {theirs:.2f} dB"


def check_we_read_what_the_package_reads() -> None:
    # Bit for bit, also where the package's own mark is damaged or there is none: the readers are the same function.
    for seed in range(6):
        picture = painting(seed, 300 + 37 * seed, 411)
        for marked in (picture, add_theirs(picture, list(bits_of(b"somebody")))):
            theirs = read_theirs(marked, 64)
            assert np.array_equal(bits_of(bytes_read_by_us(marked, 8)), theirs), f"picture {seed}"


def check_published_patterns_are_recognised() -> None:
    # The package's own mark is lost in some pictures; in the others, its reader and ours must name it.
    for name, bits in PUBLISHED.items():
        wanted = np.array([int(bit) for bit in bits])
        named = 0
        for seed in range(1, 6):
            marked = add_theirs(painting(seed, 768, 768), list(wanted))
            matching = int(np.sum(read_theirs(marked, len(wanted)) == wanted))
            chance = sum(math.comb(len(wanted), k) for k in range(matching, len(wanted) + 1)) / 2 ** len(wanted)
            expected = [name] if chance * MARKS_TRIED <= MOST_CHANCE else []
            found = known_to_us(marked)
            assert found == expected, f"{name}: found {found}, where the package reads {matching} of {len(wanted)}"
            named += bool(found)
        assert named >= 2, f"{name}: the package's mark was lost in nearly all pictures"


def check_16_bits() -> None:
    picture = painting(2).astype(np.uint16) * 257 + 31
    save(picture, "deep.png")
    out = FOLDER / "deep_marked.png"
    subprocess.run([PROGRAM, "watermark", "add", FOLDER / "deep.png", "--out", out], check=True, capture_output=True)
    marked = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert marked.dtype == np.uint16 and len(np.unique(marked % 257)) > 1
    assert np.array_equal(read_theirs(np.rint(marked / 257).astype(np.uint8), 64), bits_of(OWN))


def check_unmarked_pictures_have_none() -> None:
    for seed in range(100, 200):
        assert (found := known_to_us(painting(seed))) == [], f"picture {seed}: {found}"


# --- the table of docs/watermark.md --------------------------------------------------------------------------


def through(extension: str, *parameters: int):
    def convert(picture: np.ndarray, _: np.random.Generator) -> np.ndarray:
        return cv2.imdecode(cv2.imencode(extension, picture, parameters)[1], cv2.IMREAD_COLOR)

    return convert


def scaled(factor: float):
    def resize(picture: np.ndarray, _: np.random.Generator) -> np.ndarray:
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method)

    return resize


def cropped(top: int, left: int):
    return lambda picture, _: picture[top : top + int(len(picture) * 0.8), left : left + int(picture.shape[1] * 0.8)]


def gamma(power: float):
    return lambda picture, _: np.rint(255 * (picture / 255.0) ** power).astype(np.uint8)


def noise(levels: float):
    def add(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return np.clip(np.rint(picture + random.normal(0, levels, picture.shape)), 0, 255).astype(np.uint8)

    return add


CHANGES = {
    "none": lambda picture, _: picture,
    "8 to 16 to 8 bits": lambda picture, _: np.rint(picture.astype(np.uint16) * 257 / 257.0).astype(np.uint8),
    **{f"JPEG {q}": through(".jpg", cv2.IMWRITE_JPEG_QUALITY, q) for q in (95, 90, 80, 70, 60, 50)},
    "JPEG 95, full colour": through(".jpg", cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111),
    **{f"WebP {q}": through(".webp", cv2.IMWRITE_WEBP_QUALITY, q) for q in (95, 80)},
    **{f"scale {factor}": scaled(factor) for factor in (0.5, 0.75, 1.5, 2.0)},
    "crop 80 %, from the corner": cropped(0, 0),
    "crop 80 %, by 13 and 21": cropped(13, 21),
    **{f"gamma {power}": gamma(power) for power in (0.8, 0.95, 1.05, 1.25)},
    **{f"noise of {levels} levels": noise(levels) for levels in (1, 2, 4, 8)},
}


def print_table() -> None:
    """Bit accuracy of both writers by the same reader, and how often our program names its mark."""
    pictures = [painting(seed) for seed in range(20)]
    ours = [add_ours(picture) for picture in pictures]
    theirs = [add_theirs(picture, list(bits_of(OWN))) for picture in pictures]
    quality = [np.mean([psnr(a, b) for a, b in zip(pictures, marked)]) for marked in (ours, theirs)]
    print(f"{len(pictures)} pictures of 640 x 512, 64 bits; PSNR {quality[0]:.1f} dB (Maquette), {quality[1]:.1f} dB (package)\n")
    print("| change | bits right, Maquette | bits right, package | named, Maquette | named, package |\n|---|---|---|---|---|")
    for name, change in CHANGES.items():
        row = []
        for marked in (ours, theirs):
            changed = [change(picture, np.random.default_rng(seed)) for seed, picture in enumerate(marked)]
            accuracy = np.mean([np.mean(read_theirs(picture, 64) == bits_of(OWN)) for picture in changed])
            named = sum("Maquette" in known_to_us(picture) for picture in changed)
            row.append((f"{100 * accuracy:.1f} %", f"{named} of {len(changed)}"))
        print(f"| {name} | {row[0][0]} | {row[1][0]} | {row[0][1]} | {row[1][1]} |")
    plain = sum(bool(known_to_us(painting(seed))) for seed in range(1000, 1500))
    print(f"\nMarks named in 500 pictures without one: {plain}\n")


def main() -> int:
    failed = 0
    checks = [(name, check) for name, check in globals().items() if name.startswith("check_")]
    for name, check in checks:
        try:
            check()
            print(f"{name}: passed")
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}")
    if "--table" in sys.argv:
        print_table()
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
