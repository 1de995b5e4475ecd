"""Single forward passes of ControlNets, T2I-Adapters, the IP-Adapter's image projections and CLIP vision encoders."""

import functools

import torch
from diffusers import ControlNetModel, T2IAdapter, UNet2DConditionModel
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from . import common, guidance_models, pipelines, tiny_models
from .common import Case, config_json, halves, named_seed, normal, randomize, save_tensors
from .networks import SDXL_ADDED, UNET_DEFAULTS, case_input, sd1_layout, sdxl_layout

CONTROLNETS = {
    "controlnet_sd": dict(
        config=dict(block_out_channels=(8, 16, 16), layers_per_block=2, cross_attention_dim=24, attention_head_dim=4,
                    norm_num_groups=8, **sd1_layout(3)),
        hint=(8, 8, 12, 16), calls=[(2, 4, 8, 801, 0.7), (1, 5, 7, 20.5, 1.0)]),
    "controlnet_sdxl": dict(
        config=dict(block_out_channels=(8, 16, 16), layers_per_block=1, cross_attention_dim=24,
                    attention_head_dim=(2, 2, 4), transformer_layers_per_block=(1, 1, 2), norm_num_groups=8,
                    projection_class_embeddings_input_dim=12 + 6 * 16, **SDXL_ADDED, **sdxl_layout(3)),
        hint=(4, 8, 8, 8), pooled=12, time_ids=[[64.0, 96.0, 8.0, 0.0, 64.0, 96.0]], calls=[(2, 4, 8, 333, 0.45)]),
}


def make_controlnet(root, name, spec):
    seed = named_seed(13, name)
    unet = UNet2DConditionModel(**{**UNET_DEFAULTS, **spec["config"]})
    model = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=spec["hint"], load_weights_from_unet=False)
    randomize(model, seed)
    case = Case(root, "networks", name, network="controlnet", config="config.json",
                weights="diffusion_pytorch_model.safetensors")
    common.save_json(case.folder / "config.json", config_json(model))
    case.weights("diffusion_pytorch_model.safetensors", model.state_dict())
    calls = []
    for index, (batch, height, width, timestep, scale) in enumerate(spec["calls"]):
        p = f"{index}."
        sample = case_input(case, seed, p + "sample", (batch, 4, height, width))
        context = case_input(case, seed, p + "context", (batch, 77, 24))
        hint = case.put_half(p + "hint", torch.sigmoid(normal(seed, p + "hint", (batch, 3, 8 * height, 8 * width))))
        inputs = {"sample": p + "sample", "timestep": timestep, "context": p + "context", "hint": p + "hint"}
        added = None
        if "pooled" in spec:
            ids = torch.tensor(spec["time_ids"]).repeat(batch, 1)
            added = {"text_embeds": case_input(case, seed, p + "text_embeds", (batch, spec["pooled"])), "time_ids": ids}
            case.put(p + "time_ids", ids)
            inputs |= {"text_embeds": p + "text_embeds", "time_ids": p + "time_ids"}
        out = model(sample, timestep, context, hint, conditioning_scale=scale, added_cond_kwargs=added)
        embedded = model.controlnet_cond_embedding(hint)
        names = [case.put(f"{p}down.{i}", t) for i, t in enumerate(out.down_block_res_samples)]
        calls.append({"inputs": inputs, "conditioning_scale": scale,
                      "outputs": {"down": names, "mid": case.put(p + "mid", out.mid_block_res_sample)},
                      "activations": {"controlnet_cond_embedding": case.put(p + "act.hint", embedded)}})
    case.facts["calls"] = calls
    case.close()


T2IS = {
    "t2i_full": dict(adapter_type="full_adapter", channels=[8, 12, 16], num_res_blocks=2, downscale_factor=8, in_channels=3,
                     size=(32, 64)),
    "t2i_full_xl": dict(adapter_type="full_adapter_xl", channels=[8, 12, 16, 16], num_res_blocks=2, downscale_factor=16,
                        in_channels=3, size=(32, 64)),
    "t2i_light": dict(adapter_type="light_adapter", channels=[16, 24, 32], num_res_blocks=2, downscale_factor=8,
                      in_channels=1, size=(96, 32)),
}


def t2i_to_original(state: dict, blocks: int) -> dict:
    """The names of the first publication: one flat body, `in_conv` in the first block of a level that widens."""
    out = {}
    for key, value in state.items():
        key = key.removeprefix("adapter.")
        parts = key.split(".")
        if parts[0] == "body" and parts[2] == "resnets":
            key = f"body.{int(parts[1]) * blocks + int(parts[3])}.{'.'.join(parts[4:])}"
        elif parts[0] == "body":
            key = f"body.{int(parts[1]) * blocks}.{'.'.join(parts[2:])}"
        out[key] = value
    return out


def make_t2i(root, name, spec):
    seed = named_seed(13, name)
    spec = dict(spec)
    height, width = spec.pop("size")
    model = randomize(T2IAdapter(**spec), seed)
    case = Case(root, "networks", name, network="t2i_adapter", config="config.json",
                weights="diffusion_pytorch_model.safetensors")
    common.save_json(case.folder / "config.json", config_json(model))
    case.weights("diffusion_pytorch_model.safetensors", model.state_dict())
    if spec["adapter_type"] == "full_adapter":
        case.weights("original.safetensors", t2i_to_original(model.state_dict(), spec["num_res_blocks"]))
        case.facts["original_weights"] = "original.safetensors"
    pixels = case.put_half("pixels", torch.sigmoid(normal(seed, "pixels", (1, spec["in_channels"], height, width))))
    features = [case.put(f"feature.{i}", t) for i, t in enumerate(model(pixels))]
    case.facts["calls"] = [{"inputs": {"pixels": "pixels"}, "outputs": {"features": features}}]
    case.close()


VISIONS = {
    "clip_vision": dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, image_size=56,
                        patch_size=14, hidden_act="quick_gelu", projection_dim=24),
    "clip_vision_gelu": dict(hidden_size=24, intermediate_size=72, num_hidden_layers=2, num_attention_heads=2,
                             image_size=32, patch_size=8, hidden_act="gelu", projection_dim=16),
}


def make_vision(root, name, spec):
    """Also the preparation of an 8-bit picture: shorter side resized (bicubic), centre cut out, normalised."""
    seed = named_seed(13, name)
    model = randomize(CLIPVisionModelWithProjection(CLIPVisionConfig(**spec)), seed)
    case = Case(root, "networks", name, network="clip_vision", config="config.json", weights="model.safetensors")
    common.save_json(case.folder / "config.json", config_json(model))
    case.weights("model.safetensors", model.state_dict())
    image = pipelines.picture("vision", 93, 70)
    image.save(case.folder / "picture.png", optimize=True)
    size = spec["image_size"]
    pixels = CLIPImageProcessor(size=size, crop_size=size)(image, return_tensors="pt").pixel_values
    case.put("pixel_values", pixels)
    out = model(pixels, output_hidden_states=True)
    hidden = [case.put(f"hidden.{i}", t) for i, t in enumerate(out.hidden_states)]
    case.facts["calls"] = [{
        "inputs": {"picture": "picture.png", "pixel_values": "pixel_values"},
        "outputs": {"hidden_states": hidden, "image_embeds": case.put("image_embeds", out.image_embeds)}}]
    case.close()


def make_ip_adapter(root, name, adapter):
    """The image tokens that an IP-Adapter file's image_proj makes, through diffusers' own loading of the file."""
    state = {"image_proj": {}, "ip_adapter": {}}
    for key, value in adapter().items():
        part, rest = key.split(".", 1)
        state[part][rest] = value
    unet = tiny_models.unet(name, (16, 32), 1, 8, attention_head_dim=8, norm_num_groups=16, **sd1_layout(2))
    projection = unet._convert_ip_adapter_image_proj_to_diffusers(state["image_proj"], low_cpu_mem_usage=False)
    case = Case(root, "networks", name, network="ip_adapter_projection", weights="ip_adapter.safetensors")
    weights = {k: v for k, v in adapter().items() if k.startswith("image_proj")}
    save_tensors(case.folder / "ip_adapter.safetensors", halves(weights))
    config = guidance_models.vision_encoder().config
    plus = "image_proj.latents" in weights
    shape = (2, 17, config.hidden_size) if plus else (2, config.projection_dim)
    embeds = case_input(case, named_seed(13, name), "embeds", shape)
    case.put("tokens", projection(embeds))
    case.facts["calls"] = [{"inputs": {"embeds": "embeds"}, "outputs": {"tokens": "tokens"}}]
    case.close()


def cases() -> dict:
    table = {}
    for specs, maker in ((CONTROLNETS, make_controlnet), (T2IS, make_t2i), (VISIONS, make_vision)):
        for name, spec in specs.items():
            table[f"networks/{name}"] = functools.partial(maker, name=name, spec=spec)
    for name, adapter in (("ip_projection", lambda: guidance_models.ip_adapter("sd1")),
                          ("ip_projection_plus", lambda: guidance_models.ip_adapter_plus("sd1"))):
        table[f"networks/{name}"] = functools.partial(make_ip_adapter, name=name, adapter=adapter)
    return table
