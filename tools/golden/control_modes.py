#!/usr/bin/env python3
"""Makes tests/golden/control: what diffusers gives for the rarer modes of ControlNets and adapters.

    tools/golden/control_modes.py [folder]

The weights are those of tests/golden/networks/controlnet_sd and t2i_*; modes.safetensors holds inputs and outputs,
controlnet_sd.ldm.safetensors the ControlNet's weights under their first names.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from diffusers import ControlNetModel, T2IAdapter
from safetensors.torch import load_file

from golden.common import GOLDEN_DIR, normal, save_tensors
from golden.ldm_layout import controlnet_to_ldm

NETWORKS = GOLDEN_DIR / "networks"


def load(cls, name, **changes):
    folder = NETWORKS / name
    config = {k: v for k, v in json.loads((folder / "config.json").read_text()).items() if not k.startswith("_")}
    model = cls(**{**config, **changes})
    state = load_file(folder / "diffusion_pytorch_model.safetensors")
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model.eval()


def controlnet_modes(tensors):
    inputs = {
        "sample": normal(41, "sample", (2, 4, 4, 8)),
        "context": normal(41, "context", (2, 7, 24)),
        "hint": torch.sigmoid(normal(41, "hint", (1, 3, 32, 64))),
    }
    tensors |= {f"controlnet.{k}": v for k, v in inputs.items()}
    modes = {
        "guess": ({}, dict(guess_mode=True)),
        "pooled": (dict(global_pool_conditions=True), {}),
        "pooled_guess": (dict(global_pool_conditions=True), dict(guess_mode=True)),
        "bgr": (dict(controlnet_conditioning_channel_order="bgr"), {}),
    }
    for mode, (config, call) in modes.items():
        model = load(ControlNetModel, "controlnet_sd", **config)
        out = model(inputs["sample"], 500, inputs["context"], inputs["hint"].repeat(2, 1, 1, 1), 0.8, **call)
        for i, value in enumerate(out.down_block_res_samples):
            tensors[f"{mode}.down.{i}"] = value
        tensors[f"{mode}.mid"] = out.mid_block_res_sample


def odd_adapters(tensors):
    """Feature maps with odd sides, halved rounding up."""
    for name, channels, size in (("t2i_full", 3, (72, 88)), ("t2i_full_xl", 3, (48, 80)), ("t2i_light", 1, (24, 56))):
        picture = torch.sigmoid(normal(42, name, (1, channels, *size)))
        tensors[f"{name}.picture"] = picture
        for i, feature in enumerate(load(T2IAdapter, name)(picture)):
            tensors[f"{name}.feature.{i}"] = feature


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN_DIR / "control"
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    with torch.no_grad():
        controlnet_modes(tensors)
        odd_adapters(tensors)
    save_tensors(folder / "modes.safetensors", tensors)
    state = load_file(NETWORKS / "controlnet_sd" / "diffusion_pytorch_model.safetensors")
    original = {f"control_model.{k}": v for k, v in controlnet_to_ldm(state).items()}
    save_tensors(folder / "controlnet_sd.ldm.safetensors", original)
    for file in folder.iterdir():
        file.chmod(0o644)
    print(sum(file.stat().st_size for file in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
