"""Compares what two foreign programs say of files that `maquette mark` signed; run by tools/check_marks.

  judge_marks.py PROGRAM [--table]

Every row of EXPECTED is one test of each format that it fits: the official reader (c2pa-python) and encypher-c2pa must
both answer as the table says. Further tests read the metadata back with ExifTool.
"""

import functools
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import traceback
import wave
import zipfile

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="marks-"))
# The judges keep preferences in the home folder; this run has its own.
os.environ.update(HOME=str(FOLDER), XDG_CONFIG_HOME=str(FOLDER / "config"), ENCYPHER_C2PA_TELEMETRY="off")
os.environ["MAQUETTE_KEY_PASSPHRASE"] = "a passphrase of the tests"

import c2pa  # noqa: E402  (after the environment)
import encypher_c2pa  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

PROGRAM = sys.argv[1]
KEYS = FOLDER / "keys"

MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "tif": "image/tiff",
    "webp": "image/webp",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "exr": "image/x-exr",
    "psd": "image/vnd.adobe.photoshop",
    "ora": "image/openraster",
}
PICTURES = ("png", "jpg", "tif", "webp")
SIDECAR = ("exr", "psd", "ora")

VALID, INVALID, NONE = "valid", "invalid", "none"
# What was done to the signed file -> what both judges must say, and the code that the official reader must give. MP4
# is bound box by box (C2PA 2.2, 18.7), so its code is another.
EXPECTED = {
    "signed": (VALID, None),
    "signed again": (VALID, None),
    "pixels altered": (INVALID, "assertion.dataHash.mismatch"),
    "metadata altered": (INVALID, "assertion.dataHash.mismatch"),
    "manifest altered": (INVALID, "assertion.hashedURI.mismatch"),
    "stripped": (NONE, None),
}
MP4_CODES = {"assertion.dataHash.mismatch": "assertion.bmffHash.mismatch"}


# --- files ---------------------------------------------------------------------------------------------------


def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)


def write_wav(path: pathlib.Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(np.random.default_rng(2).integers(-9999, 9999, 4000, np.int16).tobytes())


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def write_mp4(path: pathlib.Path) -> None:
    """ISO 14496-12: a file with a movie header and no tracks, its data before it."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    header = struct.pack(">IIIII", 0, 0, 0, 1000, 0) + struct.pack(">IH10x", 0x10000, 0x100) + matrix
    header += bytes(24) + struct.pack(">I", 1)
    media = box(b"mdat", pixels().tobytes())
    path.write_bytes(box(b"ftyp", b"isom" + bytes(4) + b"isommp42") + media + box(b"moov", box(b"mvhd", header)))


def write_exr(path: pathlib.Path) -> None:
    """OpenEXR file layout: one half channel, not compressed."""
    height, width = 8, 16
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = (
        (b"channels", b"chlist", b"Y\0" + struct.pack("<iB3xii", 1, 0, 1, 1) + b"\0"),
        (b"compression", b"compression", b"\0"),
        (b"dataWindow", b"box2i", window),
        (b"displayWindow", b"box2i", window),
        (b"lineOrder", b"lineOrder", b"\0"),
        (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        (b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
        (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
    )
    head = struct.pack("<II", 20000630, 2)
    head += b"".join(n + b"\0" + t + b"\0" + struct.pack("<i", len(v)) + v for n, t, v in attributes) + b"\0"
    row = 8 + 2 * width
    offsets = struct.pack(f"<{height}Q", *(len(head) + 8 * height + y * row for y in range(height)))
    values = np.linspace(0, 1, width, dtype=np.float16).tobytes()
    path.write_bytes(head + offsets + b"".join(struct.pack("<ii", y, 2 * width) + values for y in range(height)))


def write_psd(path: pathlib.Path) -> None:
    """Photoshop file format: header, three empty sections, planes that are not compressed."""
    picture = pixels()
    height, width, _ = picture.shape
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3) + bytes(12)
    path.write_bytes(header + b"\0\0" + picture.transpose(2, 0, 1).tobytes())


def write_ora(path: pathlib.Path) -> None:
    Image.fromarray(pixels()).save(FOLDER / "layer.png")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr("stack.xml", '<image w="96" h="64"><stack><layer src="data/layer.png"/></stack></image>')
        archive.write(FOLDER / "layer.png", "data/layer.png")
        archive.write(FOLDER / "layer.png", "mergedimage.png")


WRITERS = {"wav": write_wav, "mp4": write_mp4, "exr": write_exr, "psd": write_psd, "ora": write_ora}


def write(path: pathlib.Path) -> None:
    kind = path.suffix[1:]
    if kind in PICTURES:
        Image.fromarray(pixels()).save(path, **({"lossless": True} if kind == "webp" else {}))
    else:
        WRITERS[kind](path)


# --- the program ---------------------------------------------------------------------------------------------


def maquette(*arguments: object) -> str:
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"maquette {arguments[0]}: {done.stderr}")
    return done.stdout


def mark(file: pathlib.Path, out: pathlib.Path, *steps: str) -> pathlib.Path:
    options = [part for step in steps for part in ("--step", step)]
    maquette("mark", file, "--out", out, "--keys", KEYS, "--prompt-writer", "Ana Costa", *options)
    return out


@functools.cache
def root_certificate() -> str:
    maquette("keys", "create", "--keys", KEYS, "--organisation", "Studio Lantern")
    return (KEYS / "root.pem").read_text()


@functools.cache
def signed(kind: str) -> pathlib.Path:
    root_certificate()
    plain = FOLDER / f"plain.{kind}"
    write(plain)
    return mark(plain, FOLDER / f"signed.{kind}", "sampled:sd15", "painted")


def sidecar(file: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(f"{file}.c2pa")


# --- what is done to signed files ----------------------------------------------------------------------------


def copy_with(kind: str, name: str, data: bytes, manifest: bytes | None) -> pathlib.Path:
    file = FOLDER / f"{name}.{kind}"
    file.write_bytes(data)
    sidecar(file).unlink(missing_ok=True)
    if manifest is not None:
        sidecar(file).write_bytes(manifest)
    return file


def with_byte_changed(data: bytes, place: int) -> bytes:
    assert 0 <= place < len(data), "the region is not in the file"
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def place_of_pixels(kind: str, data: bytes) -> int:
    """A byte of the picture or the sound itself."""
    if kind == "exr":
        return len(data) - 2
    if kind == "psd":
        return len(data) - 50
    if kind == "ora":
        return data.index(b"IDAT") + 40
    marker = {"png": b"IDAT", "jpg": b"\xff\xda", "webp": b"VP8L", "wav": b"data", "mp4": b"mdat"}.get(kind)
    if marker:
        return data.index(marker) + 200
    with Image.open(FOLDER / "signed.tif") as picture:
        return picture.tag_v2[273][0] + 100  # StripOffsets


def place_of_metadata(kind: str, data: bytes) -> int:
    markers = {"wav": b"fmt ", "mp4": b"mvhd", "exr": b"pixelAspectRatio\0float\0", "psd": b"8BPS", "ora": b"stack.xml"}
    if kind in PICTURES:
        return data.index(b"Ana Costa")
    return data.index(markers[kind]) + {"psd": 20, "exr": 26}.get(kind, 12)


def altered(kind: str, region: str) -> pathlib.Path:
    data = signed(kind).read_bytes()
    beside = sidecar(signed(kind)).read_bytes() if kind in SIDECAR else None
    if region == "manifest":
        manifest = beside or data
        # A word inside the actions: the claim holds the hash of their assertion.
        changed = with_byte_changed(manifest, manifest.index(b"trainedAlgorithmicMedia", manifest.index(b"jumb")))
        data, beside = (data, changed) if beside else (changed, None)
    else:
        place = place_of_pixels if region == "pixels" else place_of_metadata
        data = with_byte_changed(data, place(kind, data))
    return copy_with(kind, region, data, beside)


def stripped(kind: str) -> pathlib.Path:
    """The file as a program writes it that knows nothing of manifests."""
    if kind in SIDECAR or kind not in PICTURES:
        plain = FOLDER / f"plain.{kind}"
        return copy_with(kind, "stripped", plain.read_bytes(), None)
    file = FOLDER / f"stripped.{kind}"
    with Image.open(signed(kind)) as picture:
        Image.fromarray(np.asarray(picture)).save(file)
    return file


def signed_again(kind: str) -> pathlib.Path:
    return mark(signed(kind), FOLDER / f"again.{kind}", "graded")


MAKERS = {
    "signed": signed,
    "signed again": signed_again,
    "pixels altered": lambda kind: altered(kind, "pixels"),
    "metadata altered": lambda kind: altered(kind, "metadata"),
    "manifest altered": lambda kind: altered(kind, "manifest"),
    "stripped": stripped,
}


# --- the judges ----------------------------------------------------------------------------------------------


def official(file: pathlib.Path, kind: str) -> tuple[str, set[str], dict]:
    """The state, the failure codes and the whole answer of the official reader."""
    settings = {"trust": {"trust_anchors": root_certificate()}, "verify": {"remote_manifest_fetch": False}}
    media_type, manifest = MEDIA_TYPES[kind], None
    if kind in SIDECAR:
        if not sidecar(file).exists():
            return NONE, set(), {}
        manifest = sidecar(file).read_bytes()
    try:
        with open(file, "rb") as stream:
            context = c2pa.Context(c2pa.Settings.from_dict(settings))
            answer = json.loads(c2pa.Reader(media_type, stream, manifest, context=context).json())
    except c2pa.C2paError as error:
        return (NONE if "ManifestNotFound" in str(error) else INVALID), {str(error)}, {}
    codes = {status["code"] for status in answer.get("validation_status", [])}
    return {"Trusted": VALID, "Valid": "untrusted"}.get(answer["validation_state"], INVALID), codes, answer


def independent(file: pathlib.Path, kind: str) -> str:
    manifest = sidecar(file).read_bytes() if sidecar(file).exists() else None
    if kind in SIDECAR and manifest is None:
        return NONE
    # It has no names for the formats with sidecars. Their manifests bind all bytes of the file, whatever these are, so
    # a name that it knows stands for them: what is judged there is the manifest and its hash, not the format.
    media_type = "image/png" if kind in SIDECAR else MEDIA_TYPES[kind]
    answer = encypher_c2pa.verify(
        file.read_bytes(),
        media_type,
        manifest_store=manifest,
        trust_pem=root_certificate(),
        no_default_trust=True,
        telemetry=False,
        online=False,
    )
    if not answer["present"]:
        return NONE
    whole = answer["integrity"] == "valid" and answer["hard_binding"] == "match"
    return {"Trusted": VALID, "Valid": "untrusted"}.get(answer["validation_state"], INVALID) if whole else INVALID


# --- tests ---------------------------------------------------------------------------------------------------

ROWS = []  # format, what was done, both answers, code: for the table


def judge(kind: str, done: str) -> None:
    state, code = EXPECTED[done]
    code = MP4_CODES.get(code, code) if kind == "mp4" else code
    file = MAKERS[done](kind)
    first, codes, answer = official(file, kind)
    second = independent(file, kind)
    ROWS.append((kind, done, first, second, code or ""))
    assert (first, second) == (state, state), f"official {first} {codes}, independent {second}; expected {state}"
    assert code is None or code in codes, f"codes {codes}, expected {code}"
    if done == "signed again":
        manifest = answer["manifests"][answer["active_manifest"]]
        parents = [each for each in manifest["ingredients"] if each["relationship"] == "parentOf"]
        assert len(parents) == 1 and parents[0].get("active_manifest"), "the older manifest was not kept"


def check_metadata_by_exiftool() -> None:
    for kind in PICTURES:
        command = ["exiftool", "-j", "-struct", "-XMP:all", signed(kind)]
        fields = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]
        assert fields["DigitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia"), fields
        assert fields["AISystemUsed"] == "Maquette" and fields["AIPromptWriterName"] == "Ana Costa", fields


def check_verify_tells_of_the_watermark() -> None:
    root_certificate()
    plain, marked = FOLDER / "large.png", FOLDER / "watermarked.png"
    y, x = np.mgrid[0:320, 0:320]
    Image.fromarray(np.stack([x * 200 // 320 + 20, y * 200 // 320 + 20, 120 + 0 * x], 2).astype(np.uint8)).save(plain)
    maquette("watermark", "add", plain, "--out", marked)
    found = json.loads(maquette("verify", mark(marked, marked, "sampled:sd15"), "--keys", KEYS, "--json"))
    assert found["manifest"]["state"] == "valid", found
    assert [each["name"] for each in found["watermark"]["known"]] == ["Maquette"], found


def check_verify_without_the_library() -> None:
    command = [PROGRAM, "verify", signed("png"), "--json"]
    environment = os.environ | {"MAQUETTE_C2PA": str(FOLDER / "missing.so")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    found = json.loads(done.stdout.splitlines()[0])  # the error is the second line
    assert found["manifest"]["state"] == "unread" and found["metadata"]["ai_system"] == "Maquette", found


def print_table() -> None:
    print("| format | done to it | official reader | encypher-c2pa | code |\n|---|---|---|---|---|")
    for row in ROWS:
        print(f"| {' | '.join(row)} |")


def main() -> int:
    tests = {f"{kind}: {done}": functools.partial(judge, kind, done) for kind in MEDIA_TYPES for done in EXPECTED}
    tests |= {name: check for name, check in globals().items() if name.startswith("check_")}
    failed = 0
    for name, test in tests.items():
        try:
            test()
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}")
    if "--table" in sys.argv:
        print_table()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
