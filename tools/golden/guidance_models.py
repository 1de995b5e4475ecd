"""Tiny ControlNets, T2I-Adapters, IP-Adapters with their vision encoder, and a TAESD, for the tiny whole models."""

import functools
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, ControlNetModel, T2IAdapter
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from . import common, tiny_models
from .common import halves, normal, randomize, save_tensors, to_half_grid
from .tiny_models import seed_of

HINT = (8, 8, 12, 16)  # four entries: three halvings, from pixels to latents an eighth as large


def controlnet(name, base_unet, hint_channels=HINT):
    """A ControlNet for a UNet, with random weights where training starts from zero."""
    model = ControlNetModel.from_unet(base_unet, conditioning_embedding_out_channels=hint_channels,
                                      load_weights_from_unet=False)
    return randomize(model, seed_of(name))


@functools.cache
def controlnet_sd1():
    return controlnet("controlnet_sd1", tiny_models.sd1()["unet"])


@functools.cache
def controlnet_sd1_b():
    return controlnet("controlnet_sd1_b", tiny_models.sd1()["unet"], (4, 8, 8, 8))


def controlnets_sd1():
    return [controlnet_sd1(), controlnet_sd1_b()]


@functools.cache
def controlnet_sdxl():
    return controlnet("controlnet_sdxl", tiny_models.sdxl()["unet"])


@functools.cache
def t2i_sd1():
    return randomize(T2IAdapter(in_channels=3, channels=[16, 32], num_res_blocks=1, downscale_factor=8,
                                adapter_type="full_adapter"), seed_of("t2i_sd1"))


@functools.cache
def t2i_sdxl():
    return randomize(T2IAdapter(in_channels=3, channels=[16, 16, 32, 32], num_res_blocks=1, downscale_factor=16,
                                adapter_type="full_adapter_xl"), seed_of("t2i_sdxl"))


@functools.cache
def taesd():
    """Its last layer is set so that pictures centre on grey and have contrast."""
    model = randomize(AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4, num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1), latent_channels=4), seed_of("taesd"))
    with torch.no_grad():
        last = model.decoder.layers[-1]
        pixels = model.decode(normal(seed_of("taesd"), "probe", (2, 4, 8, 8), 4.0)).sample
        scale = 0.35 / pixels.std((0, 2, 3))
        offset = (pixels.mean((0, 2, 3)) + 1) / 2 - last.bias
        last.weight.copy_(to_half_grid(last.weight * scale[:, None, None, None]))
        last.bias.copy_(to_half_grid(0.5 - offset * scale))
    return model


@functools.cache
def vision_encoder(projection=24):
    config = CLIPVisionConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
                              image_size=56, patch_size=14, hidden_act="gelu", projection_dim=projection)
    return randomize(CLIPVisionModelWithProjection(config), seed_of("vision"))


def cross_attention_widths(unet) -> list[int]:
    """The inner width of every cross attention in the order of diffusers' processors: down, up, then middle."""
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [unet.get_submodule(name).to_k.weight.shape[0] for name in names if name.endswith("attn2")]


def ip_adapter_layers(name, unet) -> dict:
    """to_k_ip and to_v_ip of every cross attention under the published numbers 1, 3, 5 ..."""
    state, context = {}, unet.config.cross_attention_dim
    for index, width in enumerate(cross_attention_widths(unet)):
        for kind in ("to_k_ip", "to_v_ip"):
            key = f"{2 * index + 1}.{kind}.weight"
            state["ip_adapter." + key] = to_half_grid(normal(seed_of(name), key, (width, context), context**-0.5))
    return state


@functools.cache
def ip_adapter(model: str) -> dict:
    """The plain IP-Adapter: four tokens projected from the vision encoder's pooled embedding."""
    unet = tiny_models.MODELS[model]()["unet"]
    name, context = f"ip_adapter_{model}", unet.config.cross_attention_dim
    width = vision_encoder().config.projection_dim
    state = ip_adapter_layers(name, unet)
    state["image_proj.proj.weight"] = to_half_grid(normal(seed_of(name), "proj", (4 * context, width), width**-0.5))
    state["image_proj.proj.bias"] = to_half_grid(normal(seed_of(name), "proj_bias", (4 * context,), 0.1))
    state["image_proj.norm.weight"] = to_half_grid(1 + normal(seed_of(name), "norm", (context,), 0.15))
    state["image_proj.norm.bias"] = to_half_grid(normal(seed_of(name), "norm_bias", (context,), 0.1))
    return state


@functools.cache
def ip_adapter_plus(model: str) -> dict:
    """IP-Adapter Plus: a perceiver over the last but one hidden states of the vision encoder."""
    unet = tiny_models.MODELS[model]()["unet"]
    name, context = f"ip_adapter_plus_{model}", unet.config.cross_attention_dim
    embed, inner, head, depth, queries = vision_encoder().config.hidden_size, 16, 64, 4, 5
    shapes = {"latents": (1, queries, inner), "proj_in.weight": (inner, embed), "proj_in.bias": (inner,),
              "proj_out.weight": (context, inner), "proj_out.bias": (context,), "norm_out.weight": (context,),
              "norm_out.bias": (context,)}
    for i in range(depth):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"layers.{i}.{norm}.weight": (inner,), f"layers.{i}.{norm}.bias": (inner,)}
        shapes |= {f"layers.{i}.0.to_q.weight": (head, inner), f"layers.{i}.0.to_kv.weight": (2 * head, inner),
                   f"layers.{i}.0.to_out.weight": (inner, head), f"layers.{i}.1.1.weight": (4 * inner, inner),
                   f"layers.{i}.1.3.weight": (inner, 4 * inner)}
    state = ip_adapter_layers(name, unet)
    for key, shape in shapes.items():
        state["image_proj." + key] = common.random_weight(seed_of(name), key, torch.empty(shape))
    return state


AUXILIARY = {
    "controlnet_sd1": controlnet_sd1, "controlnet_sd1_b": controlnet_sd1_b, "controlnet_sdxl": controlnet_sdxl,
    "t2i_sd1": t2i_sd1, "t2i_sdxl": t2i_sdxl, "taesd": taesd,
}
IP_ADAPTERS = {
    "ip_adapter_sd1": lambda: ip_adapter("sd1"), "ip_adapter_sdxl": lambda: ip_adapter("sdxl"),
    "ip_adapter_plus_sd1": lambda: ip_adapter_plus("sd1"),
}


def fresh(root: Path, name: str) -> Path:
    folder = root / "pipelines" / "models" / name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def write_auxiliary(root: Path, name: str) -> None:
    folder = fresh(root, name)
    if name != "controlnet_sd1_b":
        tiny_models.write_network(folder, AUXILIARY[name]())
        return
    from . import ldm_layout  # this one is kept in the original layout, as a single file

    model = AUXILIARY[name]()
    state = {"control_model." + k: v for k, v in ldm_layout.controlnet_to_ldm(model.state_dict()).items()}
    metadata = {"config": json.dumps(common.config_json(model))}
    save_tensors(folder / "control.safetensors", halves(state), metadata)


def write_ip_adapter(root: Path, name: str) -> None:
    save_tensors(fresh(root, name) / "ip_adapter.safetensors", halves(IP_ADAPTERS[name]()))


def write_vision_encoder(root: Path) -> None:
    tiny_models.write_network(fresh(root, "image_encoder"), vision_encoder())


def cases() -> dict:
    table = {f"pipelines/models/{name}": functools.partial(write_auxiliary, name=name) for name in AUXILIARY}
    table |= {f"pipelines/models/{name}": functools.partial(write_ip_adapter, name=name) for name in IP_ADAPTERS}
    table["pipelines/models/image_encoder"] = write_vision_encoder
    return table
