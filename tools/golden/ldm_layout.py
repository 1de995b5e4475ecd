"""Writes diffusers models in the layout in which Stable Diffusion checkpoints were first published ("ldm" or
"original" layout): the inverse of what diffusers' from_single_file does. Used only for making fixtures.

    unet_to_ldm(state_dict)        diffusers UNet2DConditionModel -> input_blocks / middle_block / output_blocks
    vae_to_ldm(state_dict)         AutoencoderKL -> encoder.down / mid / decoder.up
    clip_to_ldm(state_dict)        transformers CLIPTextModel -> text_model.* (position_ids added)
    clip_to_openclip(state_dict)   transformers CLIPTextModel(WithProjection) -> OpenCLIP names
    controlnet_to_ldm(state_dict)  diffusers ControlNetModel -> input_hint_block / zero_convs / middle_block_out
    save_single_file(path, family, unet=..., vae=..., text_encoder=..., text_encoder_2=...)

Every function takes a state dict (or a module) and walks the names that are there, so that models of any depth
go through: `config` is accepted for the sake of the callers' symmetry and is not needed.
"""

import re

import torch

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
CONTROL_PREFIX = "control_model."

_RESNET = [  # longest names first: norm1 is also the name of a norm inside transformer blocks, which never get here
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
]

_UNET_TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "class_embedding.linear_1": "label_emb.0.0",
    "class_embedding.linear_2": "label_emb.0.2",
    "class_embedding": "label_emb",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def _tensors(model_or_state_dict):
    if hasattr(model_or_state_dict, "state_dict"):
        model_or_state_dict = model_or_state_dict.state_dict()
    return dict(model_or_state_dict)


def _count(state_dict, prefix):
    """The number of consecutive indices that follow `prefix`."""
    found = {int(m.group(1)) for k in state_dict if (m := re.match(re.escape(prefix) + r"(\d+)\.", k))}
    assert found == set(range(len(found))), (prefix, found)
    return len(found)


def _move(source, target, old, new, rename=()):
    """Moves every tensor below `old` to `new`; `rename` holds (first part, new first part) pairs."""
    moved = 0
    for key in [k for k in source if k.startswith(old + ".")]:
        rest = key[len(old) + 1 :]
        for a, b in rename:
            if rest == a or rest.startswith(a + "."):
                rest = b + rest[len(a) :]
                break
        target[f"{new}.{rest}"] = source.pop(key)
        moved += 1
    return moved > 0


def _down_path(source, target):
    """conv_in and down_blocks; returns the number of input blocks."""
    n = 1
    for b in range(_count(source, "down_blocks.")):
        block = f"down_blocks.{b}"
        for j in range(_count(source, f"{block}.resnets.")):
            _move(source, target, f"{block}.resnets.{j}", f"input_blocks.{n}.0", _RESNET)
            _move(source, target, f"{block}.attentions.{j}", f"input_blocks.{n}.1")
            n += 1
        if _move(source, target, f"{block}.downsamplers.0.conv", f"input_blocks.{n}.0.op"):
            n += 1
    return n


def _middle(source, target):
    resnets = _count(source, "mid_block.resnets.")
    n = 0
    for j in range(resnets):
        _move(source, target, f"mid_block.resnets.{j}", f"middle_block.{n}", _RESNET)
        n += 1
        if _move(source, target, f"mid_block.attentions.{j}", f"middle_block.{n}"):
            n += 1


def unet_to_ldm(state_dict, config=None):
    source, target = _tensors(state_dict), {}
    for old, new in _UNET_TOP.items():
        _move(source, target, old, new)
    _down_path(source, target)
    _middle(source, target)
    n = 0
    for b in range(_count(source, "up_blocks.")):
        block = f"up_blocks.{b}"
        has_attention = False
        for j in range(_count(source, f"{block}.resnets.")):
            _move(source, target, f"{block}.resnets.{j}", f"output_blocks.{n}.0", _RESNET)
            has_attention = _move(source, target, f"{block}.attentions.{j}", f"output_blocks.{n}.1")
            n += 1
        _move(source, target, f"{block}.upsamplers.0.conv", f"output_blocks.{n - 1}.{2 if has_attention else 1}.conv")
    assert not source, sorted(source)
    return target


def controlnet_to_ldm(state_dict, config=None):
    source, target = _tensors(state_dict), {}
    for old, new in _UNET_TOP.items():
        _move(source, target, old, new)
    inputs = _down_path(source, target)
    _middle(source, target)
    _move(source, target, "controlnet_cond_embedding.conv_in", "input_hint_block.0")
    blocks = _count(source, "controlnet_cond_embedding.blocks.")
    for i in range(blocks):
        _move(source, target, f"controlnet_cond_embedding.blocks.{i}", f"input_hint_block.{2 * i + 2}")
    _move(source, target, "controlnet_cond_embedding.conv_out", f"input_hint_block.{2 * blocks + 2}")
    for i in range(inputs):
        _move(source, target, f"controlnet_down_blocks.{i}", f"zero_convs.{i}.0")
    _move(source, target, "controlnet_mid_block", "middle_block_out.0")
    assert not source, sorted(source)
    return target


def vae_to_ldm(state_dict, config=None):
    source, target = _tensors(state_dict), {}
    shortcut = [("conv_shortcut", "nin_shortcut")]
    for half in ("encoder", "decoder"):
        _move(source, target, f"{half}.conv_in", f"{half}.conv_in")
        _move(source, target, f"{half}.conv_out", f"{half}.conv_out")
        _move(source, target, f"{half}.conv_norm_out", f"{half}.norm_out")
        for j in range(_count(source, f"{half}.mid_block.resnets.")):
            _move(source, target, f"{half}.mid_block.resnets.{j}", f"{half}.mid.block_{j + 1}", shortcut)
        attention = {}
        _move(
            source,
            attention,
            f"{half}.mid_block.attentions.0",
            f"{half}.mid.attn_1",
            [("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")],
        )
        for key, value in attention.items():  # linear -> convolution 1x1
            target[key] = value[:, :, None, None].contiguous() if value.ndim == 2 else value
    levels = _count(source, "encoder.down_blocks.")
    for i in range(levels):
        old, new = f"encoder.down_blocks.{i}", f"encoder.down.{i}"
        for j in range(_count(source, f"{old}.resnets.")):
            _move(source, target, f"{old}.resnets.{j}", f"{new}.block.{j}", shortcut)
        _move(source, target, f"{old}.downsamplers.0.conv", f"{new}.downsample.conv")
    levels = _count(source, "decoder.up_blocks.")
    for i in range(levels):  # the original counts the decoder's levels from the picture's end
        old, new = f"decoder.up_blocks.{i}", f"decoder.up.{levels - 1 - i}"
        for j in range(_count(source, f"{old}.resnets.")):
            _move(source, target, f"{old}.resnets.{j}", f"{new}.block.{j}", shortcut)
        _move(source, target, f"{old}.upsamplers.0.conv", f"{new}.upsample.conv")
    _move(source, target, "quant_conv", "quant_conv")
    _move(source, target, "post_quant_conv", "post_quant_conv")
    assert not source, sorted(source)
    return target


def _text_model(state_dict):
    """With the `text_model.` prefix that newer transformers versions leave out."""
    source = _tensors(state_dict)
    return {
        k if k.startswith("text_model.") or k.startswith("text_projection") else "text_model." + k: v
        for k, v in source.items()
    }


def clip_to_ldm(state_dict, config=None, old_names=False):
    """`old_names` leaves out `text_model.`, as some early SD1 files do."""
    source = _text_model(state_dict)
    source.pop("text_projection.weight", None)
    tokens = source["text_model.embeddings.position_embedding.weight"].shape[0]
    source["text_model.embeddings.position_ids"] = torch.arange(tokens)[None]
    if old_names:
        source = {k.removeprefix("text_model."): v for k, v in source.items()}
    return source


def clip_to_openclip(state_dict, config=None):
    source, target = _text_model(state_dict), {}
    target["positional_embedding"] = source.pop("text_model.embeddings.position_embedding.weight")
    target["token_embedding.weight"] = source.pop("text_model.embeddings.token_embedding.weight")
    _move(source, target, "text_model.final_layer_norm", "ln_final")
    if "text_projection.weight" in source:
        target["text_projection"] = source.pop("text_projection.weight").T.contiguous()
    for i in range(_count(source, "text_model.encoder.layers.")):
        old, new = f"text_model.encoder.layers.{i}", f"transformer.resblocks.{i}"
        for kind in ("weight", "bias"):
            parts = [source.pop(f"{old}.self_attn.{p}_proj.{kind}") for p in "qkv"]
            target[f"{new}.attn.in_proj_{kind}"] = torch.cat(parts)
        _move(source, target, f"{old}.self_attn.out_proj", f"{new}.attn.out_proj")
        _move(source, target, f"{old}.layer_norm1", f"{new}.ln_1")
        _move(source, target, f"{old}.layer_norm2", f"{new}.ln_2")
        _move(source, target, f"{old}.mlp.fc1", f"{new}.mlp.c_fc")
        _move(source, target, f"{old}.mlp.fc2", f"{new}.mlp.c_proj")
    source.pop("text_model.embeddings.position_ids", None)
    assert not source, sorted(source)
    target["logit_scale"] = torch.tensor(4.6052)
    return target


def _prefixed(prefix, tensors):
    return {prefix + k: v for k, v in tensors.items()}


def _schedule_leftovers():
    """Buffers of the training code that published files carry along."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    products = torch.cumprod(1 - betas, 0)
    return {"betas": betas.float(), "alphas_cumprod": products.float(), "sqrt_alphas_cumprod": products.sqrt().float()}


def single_file(family, unet=None, vae=None, text_encoder=None, text_encoder_2=None, leftovers=True, old_names=False):
    """The state dict of a whole checkpoint. family: sd1, sd2, sdxl, sdxl-refiner (its text encoder is OpenCLIP)."""
    out = {}
    if unet is not None:
        out |= _prefixed(UNET_PREFIX, unet_to_ldm(unet))
    if vae is not None:
        out |= _prefixed(VAE_PREFIX, vae_to_ldm(vae))
    if family == "sd1" and text_encoder is not None:
        out |= _prefixed("cond_stage_model.transformer.", clip_to_ldm(text_encoder, old_names=old_names))
    elif family == "sd2" and text_encoder is not None:
        out |= _prefixed("cond_stage_model.model.", clip_to_openclip(text_encoder))
    elif family == "sdxl":
        if text_encoder is not None:
            out |= _prefixed("conditioner.embedders.0.transformer.", clip_to_ldm(text_encoder))
        if text_encoder_2 is not None:
            out |= _prefixed("conditioner.embedders.1.model.", clip_to_openclip(text_encoder_2))
    elif family == "sdxl-refiner":
        encoder = text_encoder_2 if text_encoder_2 is not None else text_encoder
        if encoder is not None:
            out |= _prefixed("conditioner.embedders.0.model.", clip_to_openclip(encoder))
    else:
        assert family in ("sd1", "sd2"), family
    if leftovers:
        out |= {"denoiser.sigmas": torch.ones(1000)} if family.startswith("sdxl") else _schedule_leftovers()
    return out


def save_state_dict(path, tensors, dtype=None, metadata=None, wrap=True, extra=None):
    """By the extension: safetensors, or a pickle (.ckpt, .pt) wrapped in `state_dict` with `extra` beside it."""
    tensors = {
        k: (v.to(dtype) if dtype is not None and v.is_floating_point() else v).detach().contiguous().clone()
        for k, v in tensors.items()
    }
    if str(path).endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file(tensors, str(path), metadata=metadata)
    else:
        torch.save({"state_dict": tensors, **(extra or {})} if wrap else tensors, str(path))


def save_single_file(path, family, dtype=None, metadata=None, extra_tensors=None, **components):
    """components: unet, vae, text_encoder, text_encoder_2 (modules or state dicts), leftovers, old_names."""
    tensors = single_file(family, **components)
    tensors |= extra_tensors or {}
    save_state_dict(path, tensors, dtype=dtype, metadata=metadata)
