#!/usr/bin/env python3
"""Converts the x4 network of the npm package @upscalerjs/esrgan-thick to one safetensors file.

The package holds a TensorFlow.js layers model: model.json describes the layers and lists the weights, the
shards beside it hold them one after the other. docs/upscaler.md describes the network. This program
  1. checks that the layers are wired as docs/upscaler.md says, so that another network is refused,
  2. renames the convolutions after the usual names of an RRDB network,
  3. turns each kernel from [kh, kw, in, out] to [out, in, kh, kw], and
  4. sorts the 48 channels before the depth-to-space from TensorFlow's order (row, column, colour) to that of
     PyTorch's pixel_shuffle (colour, row, column), so that a reader needs to know only the usual one.
The same input gives the same bytes. Standard library only.
"""

import argparse
import array
import json
import math
import os
import pathlib
import struct
import sys

SCALE = 4
BLOCKS = 10  # residual-in-residual blocks
DENSE_BLOCKS = 3  # residual dense blocks in each
DENSE_CONVS = 4  # convolutions with ReLU in each, before the one that brings back 64 channels
COLOURS = 3

METADATA = {
    "architecture": "rrdb-shuffle",
    "scale": str(SCALE),
    "blocks": str(BLOCKS),
    "dense_blocks": str(DENSE_BLOCKS),
    "dense_convs": str(DENSE_CONVS),
    "activation": "relu",
    "residual_scale": "0.2",
    "upsample": "pixel_shuffle",
    "channel_order": "rgb",
    "value_range": "0-1",
    "kernel_layout": "OIHW",
    "title": "esrgan-thick x4",
    "source": "npm @upscalerjs/esrgan-thick 1.0.0, models/x4",
    "license": "MIT, Copyright (c) 2022 Kevin Scott",
}


class WrongModel(Exception):
    pass


# --- the graph -------------------------------------------------------------------------------------------


def expected_graph() -> dict[str, tuple[str, list[str]]]:
    """Layer name -> (class, names of its inputs), as docs/upscaler.md describes the network.

    The layers that multiply by 0.2 have running numbers in the file and no meaning of their own; here they are
    called after their input, as "0.2*NAME".
    """
    graph = {"Pre_blocks_conv": ("Conv2D", ["LR_input"])}
    x = "Pre_blocks_conv"
    for b in range(1, BLOCKS + 1):
        block_input = x
        for d in range(1, DENSE_BLOCKS + 1):
            dense = x
            for c in range(1, DENSE_CONVS + 1):
                conv = f"F_{b}_{d}_{c}"
                graph[conv] = ("Conv2D", [dense])
                graph[conv + "_Relu"] = ("Activation", [conv])
                joined = f"RDB_Concat_{b}_{d}_{c}"
                graph[joined] = ("Concatenate", [dense, conv + "_Relu"])
                dense = joined
            graph[f"LFF_{b}_{d}"] = ("Conv2D", [dense])
            graph[f"LRL_{b}_{d}"] = ("Add", [x, f"0.2*LFF_{b}_{d}"])
            x = f"LRL_{b}_{d}"
        graph[f"RRDB_{b}_out"] = ("Add", [block_input, f"0.2*{x}"])
        x = f"RRDB_{b}_out"
    graph["post_blocks_conv"] = ("Conv2D", [x])
    graph["GRL"] = ("Add", ["post_blocks_conv", "Pre_blocks_conv"])
    graph["PreShuffle"] = ("Conv2D", ["GRL"])
    graph["shuffle"] = (f"PixelShuffle{SCALE}x", ["PreShuffle"])
    graph["SR"] = ("Conv2D", ["shuffle"])
    return graph


def found_graph(layers: list[dict]) -> dict[str, tuple[str, list[str]]]:
    inputs = {layer["name"]: [node[0] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
              for layer in layers}
    names = {name: name for name in inputs}
    for layer in layers:
        if layer["class_name"] == "MultiplyBeta":
            names[layer["name"]] = "0.2*" + inputs[layer["name"]][0]
        elif layer["class_name"].startswith("PixelShuffle"):
            names[layer["name"]] = "shuffle"
    return {
        names[layer["name"]]: (layer["class_name"], [names[name] for name in inputs[layer["name"]]])
        for layer in layers
        if layer["class_name"] not in ("InputLayer", "MultiplyBeta")
    }


def check_graph(layers: list[dict]) -> None:
    expected, found = expected_graph(), found_graph(layers)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise WrongModel(f"layer {name}: expected {expected.get(name)}, found {found.get(name)}")
    # The plain settings that the names do not show.
    wanted = {
        "Conv2D": {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "dilation_rate": [1, 1],
                   "groups": 1, "activation": "linear", "use_bias": True, "data_format": "channels_last"},
        "Activation": {"activation": "relu"},
        "Concatenate": {"axis": 3},
    }
    for layer in layers:
        for key, value in wanted.get(layer["class_name"], {}).items():
            if layer["config"].get(key) != value:
                raise WrongModel(f"layer {layer['name']}: {key} is {layer['config'].get(key)}, not {value}")


def new_names() -> dict[str, str]:
    """Name of a convolution in the package -> its name in the safetensors file."""
    names = {
        "Pre_blocks_conv": "conv_first",
        "post_blocks_conv": "conv_body",
        "PreShuffle": "conv_shuffle",
        "SR": "conv_last",
    }
    for b in range(1, BLOCKS + 1):
        for d in range(1, DENSE_BLOCKS + 1):
            block = f"body.{b - 1}.rdb{d}"
            for c in range(1, DENSE_CONVS + 1):
                names[f"F_{b}_{d}_{c}"] = f"{block}.conv{c}"
            names[f"LFF_{b}_{d}"] = f"{block}.conv{DENSE_CONVS + 1}"
    return names


# --- the weights -----------------------------------------------------------------------------------------


def read_weights(folder: pathlib.Path, groups: list[dict]) -> dict[str, tuple[list[int], array.array]]:
    weights = {}
    for group in groups:
        data = b"".join((folder / name).read_bytes() for name in group["paths"])
        at = 0
        for entry in group["weights"]:
            if entry["dtype"] != "float32" or "quantization" in entry:
                raise WrongModel(f"{entry['name']}: only plain float32 weights are understood")
            size = 4 * math.prod(entry["shape"])
            if at + size > len(data):
                raise WrongModel(f"{entry['name']}: the shards end before it does")
            values = array.array("f")
            values.frombytes(data[at : at + size])
            if sys.byteorder == "big":
                values.byteswap()
            weights[entry["name"]] = (entry["shape"], values)
            at += size
        if at != len(data):
            raise WrongModel(f"{len(data) - at} bytes are left over in the shards")
    return weights


def to_oihw(shape: list[int], values: array.array) -> array.array:
    """[kh, kw, in, out] -> [out, in, kh, kw]."""
    kh, kw, inputs, outputs = shape
    taps, plane = kh * kw, inputs * outputs
    turned = array.array("f", bytes(4 * len(values)))
    for tap in range(taps):
        for out in range(outputs):
            # The weights of one output channel at one kernel position, all input channels.
            row = values[tap * plane + out : (tap + 1) * plane : outputs]
            turned[out * inputs * taps + tap : (out + 1) * inputs * taps : taps] = row
    return turned


def to_pixel_shuffle_order(values: array.array, scale: int) -> array.array:
    """Sorts the rows (one for each channel) from (row, column, colour) to (colour, row, column)."""
    places = scale * scale
    size = len(values) // (COLOURS * places)
    sorted_values = array.array("f")
    for colour in range(COLOURS):
        for place in range(places):
            source = place * COLOURS + colour
            sorted_values += values[source * size : (source + 1) * size]
    return sorted_values


def converted_tensors(weights: dict[str, tuple[list[int], array.array]]):
    tensors: dict[str, tuple[list[int], array.array]] = {}
    for old, new in new_names().items():
        (kernel_shape, kernel), (bias_shape, bias) = weights.pop(old + "/kernel"), weights.pop(old + "/bias")
        kh, kw, inputs, outputs = kernel_shape
        kernel = to_oihw(kernel_shape, kernel)
        if new == "conv_shuffle":
            kernel = to_pixel_shuffle_order(kernel, SCALE)
            bias = to_pixel_shuffle_order(bias, SCALE)
        tensors[new + ".weight"] = ([outputs, inputs, kh, kw], kernel)
        tensors[new + ".bias"] = (bias_shape, bias)
    if weights:
        raise WrongModel(f"weights that no layer uses: {', '.join(sorted(weights))}")
    return tensors


def write_safetensors(path: pathlib.Path, tensors: dict, metadata: dict[str, str]) -> None:
    header: dict[str, object] = {"__metadata__": metadata}
    at = 0
    for name, (shape, values) in tensors.items():
        size = 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data starts at a multiple of 8
    unfinished = path.with_name(path.name + ".part")
    with open(unfinished, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            if sys.byteorder == "big":
                values.byteswap()
            file.write(values.tobytes())
    os.replace(unfinished, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="models/x4/model.json of the unpacked package")
    parser.add_argument("output", type=pathlib.Path, help="the safetensors file to write")
    options = parser.parse_args()

    model = json.loads(options.model.read_text(encoding="utf-8"))
    try:
        check_graph(model["modelTopology"]["model_config"]["config"]["layers"])
        tensors = converted_tensors(read_weights(options.model.parent, model["weightsManifest"]))
    except WrongModel as problem:
        print(f"convert_upscaler: {options.model}: {problem}", file=sys.stderr)
        return 1
    write_safetensors(options.output, tensors, METADATA)
    count = sum(len(values) for _, values in tensors.values())
    print(f"{options.output}: {len(tensors)} tensors, {count / 1e6:.2f} million parameters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
