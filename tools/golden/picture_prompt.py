#!/usr/bin/env python3
"""Makes tests/golden/picture_prompt: UNets with IP-Adapters, and the preparation of pictures for the encoder.

    tools/golden/picture_prompt.py [folder]

UNET.ip_adapter.safetensors and UNET.ip_adapter_plus.safetensors are adapters in the published layout for the network
of tests/golden/networks/UNET; both are loaded at once, and one forward pass is recorded in expected.safetensors.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPImageProcessorPil

from golden import common
from golden.common import GOLDEN_DIR, halves, normal, save_tensors
from golden.guidance_models import ip_adapter_layers

EMBED = 12  # width of the encoder's embedding
HIDDEN = 10  # width of its hidden states
INNER, HEAD = 8, 64  # of the resampler


def load_unet(name):
    folder = GOLDEN_DIR / "networks" / name
    config = {k: v for k, v in json.loads((folder / "config.json").read_text()).items() if not k.startswith("_")}
    unet = UNet2DConditionModel(**config)
    state = load_file(folder / "diffusion_pytorch_model.safetensors")
    unet.load_state_dict({k: v.float() for k, v in state.items()})
    return unet.eval()


def filled(prefix, shapes):
    return {f"image_proj.{key}": common.random_weight(61, prefix + key, torch.empty(shape)) for key, shape in shapes.items()}


def plain_adapter(unet, tokens=4):
    context = unet.config.cross_attention_dim
    shapes = {"proj.weight": (tokens * context, EMBED), "proj.bias": (tokens * context,), "norm.weight": (context,),
              "norm.bias": (context,)}
    return filled("plain", shapes) | ip_adapter_layers("plain", unet)


def plus_adapter(unet, tokens=3, depth=4):
    context = unet.config.cross_attention_dim
    shapes = {"latents": (1, tokens, INNER), "proj_in.weight": (INNER, HIDDEN), "proj_in.bias": (INNER,),
              "proj_out.weight": (context, INNER), "proj_out.bias": (context,), "norm_out.weight": (context,),
              "norm_out.bias": (context,)}
    for i in range(depth):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"layers.{i}.{norm}.weight": (INNER,), f"layers.{i}.{norm}.bias": (INNER,)}
        shapes |= {f"layers.{i}.0.to_q.weight": (HEAD, INNER), f"layers.{i}.0.to_kv.weight": (2 * HEAD, INNER),
                   f"layers.{i}.0.to_out.weight": (INNER, HEAD), f"layers.{i}.1.1.weight": (4 * INNER, INNER),
                   f"layers.{i}.1.3.weight": (INNER, 4 * INNER)}
    return filled("plus", shapes) | ip_adapter_layers("plus", unet)


def in_parts(state):
    parts = {"image_proj": {}, "ip_adapter": {}}
    for key, value in state.items():
        part, rest = key.split(".", 1)
        parts[part][rest] = value
    return parts


def make_unet(folder, name, tensors):
    unet = load_unet(name)
    adapters = {"ip_adapter": plain_adapter(unet), "ip_adapter_plus": plus_adapter(unet)}
    for kind, state in adapters.items():
        save_tensors(folder / f"{name}.{kind}.safetensors", halves(state))
    unet._load_ip_adapter_weights([in_parts(state) for state in adapters.values()], low_cpu_mem_usage=False)
    for processor in unet.attn_processors.values():
        if hasattr(processor, "scale"):
            processor.scale = [0.7, 0.4]

    case = {
        "sample": normal(62, name, (2, unet.config.in_channels, 8, 12)),
        "context": normal(62, name + "context", (2, 9, unet.config.cross_attention_dim)),
        "embedding": normal(62, name + "embedding", (2, EMBED)),
        "hidden": normal(62, name + "hidden", (2, 17, HIDDEN)),
    }
    added = {"image_embeds": [case["embedding"][:, None], case["hidden"][:, None]]}
    if unet.config.addition_embed_type == "text_time":
        ids = torch.tensor([[64.0, 96, 0, 8, 64, 96]] * 2)
        width = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
        case |= {"text_embeds": normal(62, name + "pooled", (2, width)), "time_ids": ids}
        added |= {"text_embeds": case["text_embeds"], "time_ids": ids}
    case["output"] = unet(case["sample"], 321, case["context"], added_cond_kwargs=added).sample
    case["tokens"] = unet.encoder_hid_proj(added["image_embeds"])[0][:, 0]
    case["tokens_plus"] = unet.encoder_hid_proj(added["image_embeds"])[1][:, 0]
    tensors |= {f"{name}.{key}": value for key, value in case.items()}


def make_pictures(tensors):
    """8-bit pictures, enlarged and reduced, and what the processor makes of them on the CPU through PIL."""
    for index, (height, width, size) in enumerate([(70, 93, 56), (200, 60, 32), (20, 31, 40), (33, 33, 33)]):
        coarse = torch.rand((3, height // 4 + 2, width // 4 + 2), generator=torch.Generator().manual_seed(index))
        smooth = torch.nn.functional.interpolate(coarse[None], (height, width), mode="bilinear")[0]
        noisy = (smooth + normal(63, f"{index}", smooth.shape, 0.05)).clamp(0, 1)
        picture = (noisy * 255).round().to(torch.uint8)
        image = Image.fromarray(picture.permute(1, 2, 0).numpy().astype(np.uint8))
        processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
        tensors[f"picture.{index}"] = picture
        tensors[f"pixels.{index}"] = processor(image, return_tensors="pt").pixel_values


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN_DIR / "picture_prompt"
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    with torch.no_grad():
        make_pictures(tensors)
        for name in ("unet_sd1", "unet_sdxl"):
            make_unet(folder, name, tensors)
    save_tensors(folder / "expected.safetensors", tensors)
    for file in folder.iterdir():
        file.chmod(0o644)
    print(sum(file.stat().st_size for file in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
