"""A LoRA of random weights for a full-size checkpoint: rank 16 on every linear layer of the UNet's transformers and of
the text encoder's attention, in the key form of diffusers.

    make_lora.py FOLDER_OF_THE_CHECKPOINT FILE.safetensors [--rank 16]
"""

import argparse
import json
import pathlib

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def linear_layers(file, wanted):
    with safe_open(file, "pt") as weights:
        for key in weights.keys():
            shape = weights.get_slice(key).get_shape()
            if key.endswith(".weight") and len(shape) == 2 and any(part in key for part in wanted):
                yield key.removesuffix(".weight"), shape


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--rank", type=int, default=16)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    tensors = {}
    for name, stem, wanted in (
        ("unet", "diffusion_pytorch_model", ["attentions."]),
        ("text_encoder", "model", ["self_attn"]),
    ):
        folder = arguments.folder / name
        index = folder / f"{stem}.safetensors.index.json"
        files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else [f"{stem}.safetensors"]
        for file in files:
            for layer, (out_features, in_features) in linear_layers(folder / file, wanted):
                tensors[f"{name}.{layer}.lora_A.weight"] = torch.randn(arguments.rank, in_features) / in_features**0.5
                tensors[f"{name}.{layer}.lora_B.weight"] = torch.randn(out_features, arguments.rank) * 0.02
    save_file({key: tensor.half() for key, tensor in tensors.items()}, arguments.file)


if __name__ == "__main__":
    main()
