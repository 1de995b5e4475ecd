"""Makes tests/golden/weights/: small weight files of every format, with their values beside them.

    python tools/golden/weights.py [folder]

FILE.expected.safetensors holds the tensors of FILE as f32 (integers as i64). layouts/
come from tiny diffusers models written in every published layout, see weights_layouts.py.
"""

import io
import json
import os
import pathlib
import shutil
import struct
import sys
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

import weights_layouts

torch.set_num_threads(1)

SAFETENSORS_TYPES = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F64": torch.float64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def raw(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def expected(path, tensors):
    out = {k: (v.float() if v.is_floating_point() else v.long()).contiguous().clone() for k, v in tensors.items()}
    save_file(out, str(path) + ".expected.safetensors")


def sample_tensors():
    values = torch.tensor([0.0, -0.0, 1.0, -2.5, 0.15625, 448.0, -1e-3, 3.0, 0.0078125, -96.0, 7.0, -0.75])
    tensors = {}
    for name, dtype in SAFETENSORS_TYPES.items():
        v = values if dtype.is_floating_point else values.abs().clamp(max=100) if dtype == torch.uint8 else values.clamp(-100, 100)
        tensors[name.lower()] = v.to(dtype).reshape(3, 4)
    tensors["scalar"] = torch.tensor(1.25)
    tensors["zero_size"] = torch.zeros(0)
    tensors["zero_rows"] = torch.zeros(0, 4)
    return tensors


def write_safetensors(path, tensors, metadata=None, pad=0):
    """By hand, so that the header may have any length (and with it the data any alignment)."""
    names = {v: k for k, v in SAFETENSORS_TYPES.items()}
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        part = raw(tensor)
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(part)],
        }
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8 + pad)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def safetensors_files(out):
    tensors = sample_tensors()
    write_safetensors(out / "dtypes.safetensors", tensors, {"format": "pt", "modelspec.title": "every dtype"})
    expected(out / "dtypes.safetensors", tensors)
    write_safetensors(out / "unaligned.safetensors", tensors, {}, pad=3)
    expected(out / "unaligned.safetensors", tensors)
    # As the Hugging Face libraries write large models.
    folder = out / "shards"
    folder.mkdir()
    names = list(tensors)
    half = len(names) // 2
    parts = {"model-00001-of-00002.safetensors": names[:half], "model-00002-of-00002.safetensors": names[half:]}
    for file, keys in parts.items():
        write_safetensors(folder / file, {k: tensors[k] for k in keys}, {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": {k: f for f, keys in parts.items() for k in keys}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))
    expected(folder / "model.safetensors.index.json", tensors)


class Exploit:
    def __init__(self, function, arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def checkpoint_content():
    """Everything that published checkpoints contain: views, shared storages, parameters, scalars of training."""
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(4, 6, generator=generator)
    weights = {
        "plain": base,
        "transposed": base.T,
        "row": base[1],
        "column": base[:, 2],
        "block": base[1:3, 2:5],
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "double": base.double(),
        "float8": base.to(torch.float8_e4m3fn),
        "ids": torch.arange(7)[None],
        "flags": torch.tensor([True, False, True]),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "ints": torch.arange(-3, 3, dtype=torch.int32),
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.5),
        "parameter": torch.nn.Parameter(base[:2].clone()),
    }
    content = {
        "state_dict": weights,
        "epoch": 3,
        "global_step": 875000,
        "lr": np.float64(1e-4),
        "name": "a style",
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}],
        "callbacks": {"x": None},
    }
    return content, {f"state_dict.{k}": v.detach() for k, v in weights.items()}


def checkpoints(out):
    content, flat = checkpoint_content()
    torch.save(content, out / "new.ckpt")
    expected(out / "new.ckpt", flat)
    # The legacy writer knows no float8.
    del content["state_dict"]["float8"], flat["state_dict.float8"]
    torch.save(content, out / "legacy.ckpt", _use_new_zipfile_serialization=False)
    expected(out / "legacy.ckpt", flat)
    # Re-packed with compression, as zip tools do.
    with zipfile.ZipFile(out / "new.ckpt") as source, zipfile.ZipFile(
        out / "deflated.ckpt", "w", zipfile.ZIP_DEFLATED
    ) as target:
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    shutil.copy(out / "new.ckpt.expected.safetensors", out / "deflated.ckpt.expected.safetensors")

    parameters = torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.arange(8.0).reshape(2, 4))})
    torch.save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": parameters, "name": "mood"}, out / "embedding.pt")
    torch.save({"<mood>": torch.arange(4.0)}, out / "learned_embeds.bin")
    save_file({"emb_params": torch.arange(8.0).reshape(2, 4)}, out / "embedding.safetensors")
    save_file(
        {"clip_l": torch.arange(8.0).reshape(2, 4), "clip_g": torch.arange(12.0).reshape(2, 6)}, out / "embedding_xl.safetensors"
    )

    # Files that run code when Python loads them.
    torch.save({"state_dict": Exploit(os.system, ("true",))}, out / "exploit_system.ckpt")
    torch.save({"state_dict": {"a": Exploit(eval, ("1+1",))}}, out / "exploit_eval.ckpt", _use_new_zipfile_serialization=False)
    zip_bomb(out / "exploit_bomb.ckpt")
    torch.save({"a": Exploit(torch.storage._load_from_bytes, (b"x",))}, out / "exploit_nested.ckpt")


def zip_bomb(path):
    """A tensor of 8 GB whose storage is said to be packed into a few bytes; the sizes are written into the directory by hand."""
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(4)}, buffer)
    data = pathlib.Path(path)
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as source, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith("data.pkl"):
                # torch.zeros(4) becomes torch.zeros(0x7fffff00): the element count and the size, both as 32-bit.
                small, large = b"K\x04", b"J" + struct.pack("<i", 0x7FFFFF00)
                assert content.count(small) == 2
                content = content.replace(small, large)
            target.writestr(member.filename, content)
    archive = bytearray(data.read_bytes())
    at = archive.index(b"PK\x01\x02")
    while archive[at : at + 4] == b"PK\x01\x02":
        name_size, extra, comment = struct.unpack_from("<HHH", archive, at + 28)
        if archive[at + 46 : at + 46 + name_size].endswith(b"data/0"):
            struct.pack_into("<I", archive, at + 24, 0xFFFFFFFE)
        at += 46 + name_size + extra + comment
    data.write_bytes(archive)


def gguf_files(out):
    import gguf
    from gguf import GGMLQuantizationType as Q

    generator = np.random.default_rng(2)
    writer = gguf.GGUFWriter(str(out / "types.gguf"), "sd1")
    writer.add_string("general.name", "every type")
    writer.add_uint32("test.number", 7)
    writer.add_array("test.words", ["a", "b"])
    expected_values = {}

    def add(name, values, kind):
        writer.add_tensor(name, values, raw_dtype=kind)

    plain = generator.standard_normal((2, 3, 3, 3)).astype(np.float32)
    add("f32", plain, Q.F32)
    expected_values["f32"] = plain
    add("f16", plain.astype(np.float16), Q.F16)
    expected_values["f16"] = plain.astype(np.float16).astype(np.float32)
    bf16 = gguf.quants.quantize(plain, Q.BF16)
    add("bf16", bf16, Q.BF16)
    expected_values["bf16"] = gguf.quants.dequantize(bf16, Q.BF16)
    for kind in (Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K):
        block, size = gguf.GGML_QUANT_SIZES[kind]
        rows, blocks = 3, 2
        # Any bytes are a valid block as long as the half-precision scales are finite.
        data = generator.integers(0, 256, (rows, blocks, size), dtype=np.uint8)
        scales = {Q.Q4_0: [0], Q.Q5_0: [0], Q.Q8_0: [0], Q.Q4_1: [0, 2], Q.Q5_1: [0, 2], Q.Q2_K: [80, 82], Q.Q3_K: [108]}
        scales |= {Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208]}
        for offset in scales[kind]:
            value = (generator.standard_normal((rows, blocks, 1)) * 0.1).astype(np.float16)
            data[:, :, offset : offset + 2] = value.view(np.uint8)
        data = data.reshape(rows, blocks * size)
        name = kind.name.lower()
        add(name, data, kind)
        expected_values[name] = gguf.quants.dequantize(data, kind)
    # A convolution folded into two dimensions, as the files made for ComfyUI have it.
    folded = generator.standard_normal((4, 32)).astype(np.float32)
    quantised = gguf.quants.quantize(folded, Q.Q8_0)
    add("conv.weight", quantised, Q.Q8_0)
    writer.add_array("comfy.gguf.orig_shape.conv.weight", [4, 2, 4, 4])
    expected_values["conv.weight"] = gguf.quants.dequantize(quantised, Q.Q8_0).reshape(4, 2, 4, 4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected(out / "types.gguf", {k: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for k, v in expected_values.items()})


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/golden/weights"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    safetensors_files(out)
    checkpoints(out)
    gguf_files(out)
    weights_layouts.write(out)


if __name__ == "__main__":
    main()
