"""Looks at delivery files with other programs' readers; run by tools/check_delivery, in its environment.

  judge_files.py FOLDER    the files that media_test's DeliverySamples wrote

Each function that begins with `check_` is one test; it raises where a program sees something else than was written.
"""

import pathlib
import re
import subprocess
import sys
import traceback
import xml.etree.ElementTree
import zipfile

import numpy as np
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import Resource
from pypdf import PdfReader

FOLDER = pathlib.Path(sys.argv[1])
LAYERED = ["layers8", "layers16", "clear8", "clear16"]
NAMES = ["Background", "Réverbère 灯", 'Shadows <&">', "Masked", "Original", "Lights"]
OFFSETS = {"Réverbère 灯": (-8, 20), 'Shadows <&">': (30, 5), "Masked": (10, 8)}


def run(*command: str, **options) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, cwd=FOLDER, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def bits_of(name: str) -> int:
    return 16 if name.endswith("16") else 8


def by_imagemagick(file: str, bits: int, *options: str) -> np.ndarray:
    """RGBA of a picture as ImageMagick reads it."""
    size = run("identify", "-format", "%w %h\n", file).decode().split("\n")[0].split()
    raw = run("convert", file, *options, "-depth", str(bits), "-endian", "LSB", "rgba:-")
    shape = (int(size[1]), int(size[0]), 4)
    return np.frombuffer(raw, np.uint16 if bits == 16 else np.uint8).reshape(shape).astype(int)


def seen(rgba: np.ndarray, maximum: int) -> np.ndarray:
    """Colours weighted by their alpha: what lies under nothing does not count."""
    return np.concatenate([rgba[..., :3] * (rgba[..., 3:] / maximum), rgba[..., 3:]], -1)


def expect_near(a: np.ndarray, b: np.ndarray, tolerance: float, what: str) -> None:
    difference = np.abs(a.astype(float) - b.astype(float)).max()
    if a.shape != b.shape or difference > tolerance:
        raise AssertionError(f"{what}: {a.shape} and {b.shape}, largest difference {difference}")


def expect_equal(a: object, b: object, what: str) -> None:
    if a != b:
        raise AssertionError(f"{what}: found {a!r}, expected {b!r}")


# --- Photoshop files ---------------------------------------------------------------------------------------


def check_psd_structure() -> None:
    for name in LAYERED:
        psd = PSDImage.open(FOLDER / f"{name}.psd")
        expect_equal((psd.width, psd.height, psd.depth), (96, 72, bits_of(name)), name)
        names = NAMES if name.startswith("layers") else NAMES[1:]
        expect_equal([layer.name for layer in psd], names, f"{name}: names")
        layers = {layer.name: layer for layer in psd.descendants()}
        for layer_name, offset in OFFSETS.items():
            expect_equal(layers[layer_name].offset, offset, f"{name}: offset of {layer_name}")
        expect_equal([n for n, layer in layers.items() if not layer.visible], ["Original"], f"{name}: hidden layers")
        expect_equal(layers['Shadows <&">'].opacity, 153, "opacity")
        expect_equal(layers['Shadows <&">'].blend_mode.name, "MULTIPLY", "blend mode")
        expect_equal(layers["Glow"].blend_mode.name, "SCREEN", "blend mode in a group")
        expect_equal(layers["Inner"].blend_mode.name, "PASS_THROUGH", "group that passes through")
        expect_equal(layers["Lights"].opacity, 204, "opacity of a group")
        expect_equal(layers["Spark"].parent.name, "Inner", "group in a group")
        mask = layers["Masked"].mask
        expect_equal((tuple(mask.bbox), mask.background_color), ((12, 10, 62, 50), 0), "mask")
        resolution = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
        expect_equal(resolution.horizontal / 65536 if resolution.horizontal > 65536 else resolution.horizontal, 300, "dpi")
        assert psd.has_preview(), "no merged picture"


def check_psd_pixels_of_layers() -> None:
    """Layers in the PSD file by psd-tools, and in the OpenRaster file by ImageMagick, are the same numbers."""
    for name in LAYERED:
        maximum = 2 ** bits_of(name) - 1
        psd = {layer.name: layer for layer in PSDImage.open(FOLDER / f"{name}.psd").descendants()}
        for layer_name, pixels in openraster_layers(name).items():
            if layer_name == "Masked" or layer_name.endswith("(mask)"):
                continue
            layer = psd[layer_name.removesuffix(" (without mask)")]
            expect_near(pixels_of(layer, maximum), pixels, 0, f"{name}: {layer_name}")
        mask = np.rint(psd["Masked"].numpy("mask") * maximum)
        kept = openraster_layers(name)["Masked (mask)"]
        expect_near(mask[..., 0], kept[..., 0], 0, f"{name}: mask")


def pixels_of(layer, maximum: int) -> np.ndarray:
    return np.rint(np.concatenate([layer.numpy("color"), layer.numpy("shape")], -1) * maximum)


def check_psd_merged_picture() -> None:
    """The merged picture as ImageMagick and OpenImageIO read it is the reference rendering."""
    for name in LAYERED:
        bits = bits_of(name)
        maximum = 2**bits - 1
        reference = seen(by_imagemagick(f"{name}.png", bits), maximum)
        exact = 0 if name.startswith("layers") else 1
        found = seen(by_imagemagick(f"{name}.psd[0]", bits), maximum)
        expect_near(found, reference, exact, f"{name}: ImageMagick")
        # OpenImageIO gives what is stored: over white, where there is alpha.
        run("oiiotool", f"{name}.psd", "--subimage", "0", "-o", f"{name}.oiio.tif")
    stored = by_imagemagick("layers16.oiio.tif", 16)
    expect_near(stored, by_imagemagick("layers16.png", 16), 0, "OpenImageIO")


def check_psd_rendered_from_layers() -> None:
    """psd-tools puts the layers together itself and comes to the same picture."""
    for name in LAYERED:
        psd = PSDImage.open(FOLDER / f"{name}.psd")
        rendered = np.asarray(psd.composite(force=True, apply_icc=False).convert("RGBA")).astype(int)
        reference = by_imagemagick(f"{name}.png", 8)
        expect_near(seen(rendered, 255), seen(reference, 255), 2, name)  # it rounds after every layer


def check_psb() -> None:
    large = PSDImage.open(FOLDER / "large.psb")
    expect_equal((large.width, large.height, large._record.header.version), (30001, 8, 2), "large.psb")
    expect_equal([layer.name for layer in large], ["Panorama", "Cloud"], "large.psb: names")
    reference = by_imagemagick("small.png", 8)
    expect_near(by_imagemagick("small.psb[0]", 8), reference, 0, "small.psb: merged")
    layers = {layer.name: layer for layer in PSDImage.open(FOLDER / "small.psb").descendants()}
    expect_near(pixels_of(layers["Original"], 255), openraster_layers("small")["Original"], 0, "small.psb: a layer")
    expect_near(pixels_of(large[1], 255), openraster_layers("large")["Cloud (without mask)"], 0, "large.psb: a layer")
    for file in ["large.psb", "large.png"]:
        run("oiiotool", file, "--subimage", "0", "--ch", "R,G,B", "-o", f"{file}.tif")
    run("oiiotool", "--fail", "0", "--failpercent", "0", "--diff", "large.psb.tif", "large.png.tif")


def check_psd_profile() -> None:
    data = PSDImage.open(FOLDER / "layers8.psd").image_resources.get_data(Resource.ICC_PROFILE)
    profile = FOLDER / "psd.icc"
    profile.write_bytes(data)
    embedded = ImageCms.getOpenProfile(str(profile))
    transform = ImageCms.buildTransform(embedded, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    levels = np.arange(256, dtype=np.uint8)
    colours = np.stack([levels, levels[::-1], np.roll(levels, 77)], -1)[None]
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform)).astype(int)
    expect_near(converted, colours.astype(int), 1, "the embedded profile is sRGB")


# --- OpenRaster --------------------------------------------------------------------------------------------


def openraster_layers(name: str) -> dict[str, np.ndarray]:
    """Every layer's pixels by its name, read with Python's zip and XML readers and ImageMagick."""
    layers = {}
    with zipfile.ZipFile(FOLDER / f"{name}.ora") as archive:
        stack = xml.etree.ElementTree.fromstring(archive.read("stack.xml"))
        for layer in stack.iter("layer"):
            picture = FOLDER / "layer.png"
            picture.write_bytes(archive.read(layer.get("src")))
            bits = bits_of(name)
            layers[layer.get("name")] = (
                np.asarray(Image.open(picture).convert("RGBA")).astype(int)
                if bits == 8
                else by_imagemagick("layer.png", bits)
            )
    return layers


def check_openraster_follows_the_layout() -> None:
    for name in LAYERED + ["large"]:
        path = FOLDER / f"{name}.ora"
        expect_equal(path.read_bytes()[30:54], b"mimetypeimage/openraster", name)
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None, f"{name}: damaged"
            first = archive.infolist()[0]
            expect_equal((first.filename, first.compress_type), ("mimetype", zipfile.ZIP_STORED), name)
            kinds = {entry.compress_type for entry in archive.infolist()}
            assert kinds <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}, kinds
            thumbnail = Image.open(archive.open("Thumbnails/thumbnail.png"))
            assert max(thumbnail.size) <= 256 and thumbnail.format == "PNG", thumbnail
            merged = Image.open(archive.open("mergedimage.png"))
            stack = xml.etree.ElementTree.fromstring(archive.read("stack.xml"))
            expect_equal((int(stack.get("w")), int(stack.get("h"))), merged.size, name)
            for layer in stack.iter("layer"):
                assert layer.get("src") in archive.namelist(), layer.attrib
    with zipfile.ZipFile(FOLDER / "layers8.ora") as archive:
        stack = xml.etree.ElementTree.fromstring(archive.read("stack.xml")).find("stack")
        expect_equal([child.get("name") for child in stack][::-1][:2], NAMES[:2], "bottom layers")
        hidden = [child.get("name") for child in stack.iter() if child.get("visibility") == "hidden"]
        expect_equal(sorted(hidden), ["Masked (mask)", "Masked (without mask)", "Original"], "hidden layers")


# --- flat pictures -----------------------------------------------------------------------------------------


def check_16_bit_files_hold_the_same_pixels() -> None:
    expect_near(by_imagemagick("flat.png", 16), by_imagemagick("flat.tif", 16), 0, "PNG and TIFF")
    expect_equal(run("identify", "-format", "%z %[colorspace]", "flat.tif").decode(), "16 sRGB", "flat.tif")
    assert run("convert", "flat.tif", "icc:-").startswith(b"\0\0"), "no profile in the TIFF file"
    assert b"sRGB" in (FOLDER / "flat.png").read_bytes()[:200], "no sRGB chunk in the PNG file"


def oiio_pixels(file: str) -> np.ndarray:
    dump = run("oiiotool", "--dumpdata", "--info", file).decode()
    values = re.findall(r"Pixel \(-?\d+, -?\d+\): ([^\n(]*)", dump)
    return np.array([[float(v) for v in line.split()[:3]] for line in values])


def check_exr_windows_and_attributes() -> None:
    info = run("oiiotool", "--info", "-v", "flat.exr").decode()
    for expected in ["96 x   72, 3 channel, half openexr", "pixel data origin: x=-8, y=-4", "full/display size: 80 x 64",
                     'colorInteropID: "lin_ap1_scene"', 'compression: "zip"',
                     "chromaticities: 0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767"]:
        assert expected in info, f"no {expected!r} in {info}"
    rec709 = run("oiiotool", "--info", "-v", "flat_rec709.exr").decode()
    assert 'colorInteropID: "lin_rec709_scene"' in rec709 and "chromaticities: 0.64, 0.33" in rec709, rec709


def check_exr_values() -> None:
    """The curve and the matrix, worked out here from the chromaticities alone."""
    encoded = by_imagemagick("flat.png", 16)[..., :3].reshape(-1, 3) / 65535
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    expect_near(oiio_pixels("flat_rec709.exr"), linear, 1e-3, "linear Rec.709")
    rec709 = primaries([0.64, 0.33], [0.30, 0.60], [0.15, 0.06], [0.3127, 0.3290])
    ap1 = primaries([0.713, 0.293], [0.165, 0.830], [0.128, 0.044], [0.32168, 0.33767])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    cones = [bradford @ white([0.32168, 0.33767]), bradford @ white([0.3127, 0.3290])]
    adapted = np.linalg.inv(bradford) @ np.diag(cones[0] / cones[1]) @ bradford
    matrix = np.linalg.inv(ap1) @ adapted @ rec709
    expect_near(oiio_pixels("flat.exr"), linear @ matrix.T, 1e-3, "ACEScg")


def white(xy: list[float]) -> np.ndarray:
    return np.array([xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1]])


def primaries(*xy: list[float]) -> np.ndarray:
    columns = np.stack([white(point) for point in xy[:3]], 1)
    return columns * np.linalg.solve(columns, white(xy[3]))


# --- sheets ------------------------------------------------------------------------------------------------


def check_pdf_sheets() -> None:
    contact = PdfReader(FOLDER / "contact.pdf")
    expect_equal(len(contact.pages), 2, "contact.pdf: pages")
    expect_equal([len(page.images) for page in contact.pages], [6, 2], "contact.pdf: pictures")
    text = contact.pages[0].extract_text()
    for expected in ["Lanterns — propositions", "sh050 v003 t02", "Atelier Œuvre"]:
        assert expected in text, f"no {expected!r} in {text!r}"
    review = PdfReader(FOLDER / "review.pdf").pages[0]
    for expected in ["Zoë Müller", "Le réverbère est trop clair.", "Čeština, Ελληνικά, Кириллица"]:
        assert expected in review.extract_text(), f"no {expected!r} in {review.extract_text()!r}"
    assert b"1 0.2 0.2 RG" in review.get_contents().get_data(), "no red line in the review sheet"


def main() -> int:
    checks = [(name, function) for name, function in globals().items() if name.startswith("check_")]
    failed = 0
    for name, function in checks:
        try:
            function()
            print(f"ok    {name}", flush=True)
        except Exception:  # whatever a reader thinks of the file, the other checks go on
            failed += 1
            print(f"FAIL  {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
