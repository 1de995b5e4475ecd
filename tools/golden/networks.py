"""Single forward passes of whole networks (UNet, VAE, TAESD, CLIP) with small random weights."""

import re

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from . import common
from .common import Case, Tracer, config_json, normal, randomize

UNET_DEFAULTS = dict(sample_size=16, in_channels=4, out_channels=4, norm_num_groups=32)

# Outputs of these modules are kept as named activations of a network's first call.
UNET_TRACE = re.compile(
    r"(conv_in|time_embedding|add_embedding|down_blocks\.\d+\.(resnets|attentions|downsamplers)\.\d+"
    r"|mid_block(\.(resnets|attentions)\.\d+)?|up_blocks\.\d+|up_blocks\.0\.(resnets|attentions|upsamplers)\.\d+|conv_norm_out)"
)


def cross(n):
    return ("CrossAttnDownBlock2D",) * n, ("CrossAttnUpBlock2D",) * n


def sd1_layout(levels: int) -> dict:
    """SD1 and SD2: attention everywhere but on the lowest level."""
    down, up = cross(levels - 1)
    return dict(down_block_types=down + ("DownBlock2D",), up_block_types=("UpBlock2D",) + up)


def sdxl_layout(levels: int) -> dict:
    """SDXL: no attention on the highest level."""
    down, up = cross(levels - 1)
    return dict(down_block_types=("DownBlock2D",) + down, up_block_types=up + ("UpBlock2D",))


SDXL_ADDED = dict(
    use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=16,
)

# Each: configuration over UNET_DEFAULTS, then the calls (batch, height, width, timestep, context length).
UNETS = {
    "unet_sd1": dict(
        config=dict(block_out_channels=(16, 32), layers_per_block=2, cross_attention_dim=48,
                    attention_head_dim=8, norm_num_groups=16, **sd1_layout(2)),
        calls=[(2, 6, 8, 981, 77), (1, 8, 4, 1, 154), (1, 9, 13, 37.5, 77)],
    ),
    "unet_sd1_four_levels": dict(
        config=dict(block_out_channels=(8, 8, 16, 16), layers_per_block=1, cross_attention_dim=32,
                    attention_head_dim=4, norm_num_groups=8, **sd1_layout(4)),
        calls=[(1, 16, 24, 500, 77), (1, 11, 9, 3, 77), (2, 13, 21, 801, 33)],
    ),
    "unet_sd2": dict(
        config=dict(block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=24, norm_num_groups=16,
                    attention_head_dim=(1, 2), use_linear_projection=True, **sd1_layout(2)),
        calls=[(2, 8, 8, 999, 77), (1, 7, 10, 250, 77)],
    ),
    "unet_sdxl": dict(
        config=dict(block_out_channels=(16, 16, 32), layers_per_block=1, cross_attention_dim=56,
                    attention_head_dim=(1, 1, 2), norm_num_groups=16, transformer_layers_per_block=(1, 1, 2),
                    projection_class_embeddings_input_dim=24 + 6 * 16, **SDXL_ADDED, **sdxl_layout(3)),
        pooled=24, time_ids=[[96.0, 64.0, 0.0, 8.0, 96.0, 64.0]],
        calls=[(2, 12, 8, 981, 77), (1, 9, 7, 499, 77)],
    ),
    "unet_sdxl_refiner": dict(
        config=dict(block_out_channels=(8, 8, 16, 16), layers_per_block=1, cross_attention_dim=40,
                    attention_head_dim=(2, 2, 4, 4), transformer_layers_per_block=2, norm_num_groups=8,
                    projection_class_embeddings_input_dim=32 + 5 * 16, **SDXL_ADDED,
                    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
                    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")),
        pooled=32, time_ids=[[128.0, 96.0, 0.0, 0.0, 6.0], [128.0, 96.0, 0.0, 0.0, 2.5]],
        calls=[(2, 16, 8, 199, 77)],
    ),
    "unet_sdxl_pruned": dict(  # as SSD-1B: other depths going up, no attention in the middle block
        config=dict(block_out_channels=(8, 16, 16), layers_per_block=2, cross_attention_dim=32,
                    attention_head_dim=(2, 2, 4), transformer_layers_per_block=[1, [1, 2], [2, 1]],
                    reverse_transformer_layers_per_block=[[1, 2, 1], [2, 1, 1], 1], norm_num_groups=8,
                    mid_block_type="UNetMidBlock2D",
                    projection_class_embeddings_input_dim=24 + 6 * 16, **SDXL_ADDED, **sdxl_layout(3)),
        pooled=24, time_ids=[[1024.0, 512.0, 0.0, 0.0, 1024.0, 512.0]],
        calls=[(1, 8, 8, 741, 77)],
    ),
    "unet_three_layers": dict(
        config=dict(block_out_channels=(8, 16), layers_per_block=3, cross_attention_dim=32,
                    attention_head_dim=2, norm_num_groups=8, in_channels=3, out_channels=3, **sd1_layout(2)),
        calls=[(1, 6, 5, 10, 5), (2, 5, 6, 990, 7)],
    ),
    "unet_starter_like": dict(  # no middle attention, attention on the lower levels alone
        config=dict(block_out_channels=(8, 16, 24), layers_per_block=1, cross_attention_dim=24,
                    attention_head_dim=8, norm_num_groups=8, mid_block_type="UNetMidBlock2D",
                    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")),
        calls=[(1, 10, 14, 640, 77)],
    ),
}


def make_unet(root, name, spec, seed):
    unet = randomize(UNet2DConditionModel(**{**UNET_DEFAULTS, **spec["config"]}), seed)
    case = Case(root, "networks", name, network="unet", config="config.json",
                weights="diffusion_pytorch_model.safetensors")
    common.save_json(case.folder / "config.json", config_json(unet))
    case.weights("diffusion_pytorch_model.safetensors", unet.state_dict())
    calls = []
    for index, (batch, height, width, timestep, length) in enumerate(spec["calls"]):
        prefix = f"{index}."
        config = unet.config
        sample = case_input(case, seed, prefix + "sample", (batch, config.in_channels, height, width))
        context = case_input(case, seed, prefix + "context", (batch, length, config.cross_attention_dim))
        extra, inputs = {}, {"sample": prefix + "sample", "timestep": timestep, "context": prefix + "context"}
        if "pooled" in spec:
            ids = torch.tensor(spec["time_ids"])
            ids = ids if len(ids) == batch else ids[:1].repeat(batch, 1)
            extra["added_cond_kwargs"] = {
                "text_embeds": case_input(case, seed, prefix + "text_embeds", (batch, spec["pooled"])),
                "time_ids": ids,
            }
            case.put(prefix + "time_ids", ids)
            inputs |= {"text_embeds": prefix + "text_embeds", "time_ids": prefix + "time_ids"}
        if "time_cond" in spec:
            extra["timestep_cond"] = case_input(case, seed, prefix + "timestep_cond", (batch, spec["time_cond"]))
            inputs["timestep_cond"] = prefix + "timestep_cond"
        tracer = Tracer(unet, lambda n: index == 0 and UNET_TRACE.fullmatch(n))
        out = unet(sample, timestep, encoder_hidden_states=context, **extra).sample
        found = tracer.close()
        case.put(prefix + "out", out)
        for key, value in found.items():
            case.put(f"{prefix}act.{key}", value)
        calls.append({"inputs": inputs, "output": prefix + "out",
                      "activations": {key: f"{prefix}act.{key}" for key in found}})
    case.facts["calls"] = calls
    case.close()


def case_input(case, seed, name, shape):
    """A random input on the float16 grid, stored as halves."""
    return case.put_half(name, normal(seed, "input:" + name, shape))


VAES = {
    "vae_sd_like": dict(
        config=dict(block_out_channels=(16, 32), layers_per_block=2, latent_channels=4, norm_num_groups=16),
        pixels=(1, 12, 16), latents=(2, 5, 7)),
    "vae_four_levels": dict(
        config=dict(block_out_channels=(8, 16, 16, 16), layers_per_block=2, latent_channels=4, norm_num_groups=8),
        pixels=(1, 40, 24), latents=(1, 5, 3)),
    "vae_no_attention": dict(
        config=dict(block_out_channels=(16, 24), layers_per_block=1, latent_channels=3, norm_num_groups=8,
                    mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False),
        pixels=(2, 14, 10), latents=(1, 7, 5)),
    "vae_eight_channels": dict(
        config=dict(block_out_channels=(8, 8, 16), layers_per_block=1, latent_channels=8, norm_num_groups=8,
                    mid_block_add_attention=False, scaling_factor=0.7, shift_factor=0.1),
        pixels=(1, 28, 20), latents=(1, 7, 5)),
}

VAE_TRACE = re.compile(
    r"(encoder\.(down_blocks\.0\.resnets\.0|down_blocks\.0|mid_block|mid_block\.attentions\.0)"
    r"|decoder\.(conv_in|mid_block\.attentions\.0|mid_block|up_blocks\.0))"
)


def make_vae(root, name, spec, seed):
    levels = len(spec["config"]["block_out_channels"])
    vae = randomize(AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels,
        sample_size=64, **spec["config"]), seed)
    case = Case(root, "networks", name, network="vae", config="config.json",
                weights="diffusion_pytorch_model.safetensors")
    common.save_json(case.folder / "config.json", config_json(vae))
    case.weights("diffusion_pytorch_model.safetensors", vae.state_dict())
    # Encoder: pixels in -1..1 to the mean and log-variance, before any scaling factor.
    batch, height, width = spec["pixels"]
    pixels = case.put_half("encode.pixels", torch.tanh(normal(seed, "pixels", (batch, 3, height, width))))
    tracer = Tracer(vae, VAE_TRACE.fullmatch)
    posterior = vae.encode(pixels).latent_dist
    encoder_acts = tracer.close()
    # Decoder: latents as the network takes them (already divided by the scaling factor) to unclamped pixels.
    batch, height, width = spec["latents"]
    latents = case.put_half("decode.latents", normal(seed, "latents", (batch, vae.config.latent_channels, height, width)))
    tracer = Tracer(vae, VAE_TRACE.fullmatch)
    decoded = vae.decode(latents).sample
    decoder_acts = tracer.close()
    for key, value in {"encode.mean": posterior.mean, "encode.logvar": posterior.logvar, "decode.pixels": decoded}.items():
        case.put(key, value)
    for key, value in {**encoder_acts, **decoder_acts}.items():
        case.put("act." + key, value)
    case.facts["calls"] = [
        {"call": "encode", "inputs": {"pixels": "encode.pixels"},
         "outputs": {"mean": "encode.mean", "logvar": "encode.logvar"}},
        {"call": "decode", "inputs": {"latents": "decode.latents"}, "outputs": {"pixels": "decode.pixels"}},
    ]
    case.facts["activations"] = {key: "act." + key for key in [*encoder_acts, *decoder_acts]}
    case.close()


TAESDS = {
    "taesd": dict(block_out_channels=(8, 8, 8, 8), encoder_blocks=(1, 3, 3, 3), decoder_blocks=(3, 3, 3, 1),
                  pixels=(1, 32, 40), latents=(2, 5, 4)),
    "taesd_two_levels": dict(block_out_channels=(6, 6, 6), encoder_blocks=(1, 2, 1), decoder_blocks=(1, 2, 1),
                             pixels=(1, 20, 24), latents=(1, 6, 5)),
}


def make_taesd(root, name, spec, seed):
    vae = randomize(AutoencoderTiny(
        encoder_block_out_channels=spec["block_out_channels"], decoder_block_out_channels=spec["block_out_channels"],
        num_encoder_blocks=spec["encoder_blocks"], num_decoder_blocks=spec["decoder_blocks"],
        latent_channels=4), seed)
    case = Case(root, "networks", name, network="taesd", config="config.json",
                weights="diffusion_pytorch_model.safetensors",
                original_weights=["taesd_encoder.safetensors", "taesd_decoder.safetensors"])
    common.save_json(case.folder / "config.json", config_json(vae))
    state = vae.state_dict()
    case.weights("diffusion_pytorch_model.safetensors", state)
    # The original files are flat sequences; the original decoder starts with a clamp, so its indices are one higher.
    encoder = {k.removeprefix("encoder.layers."): v for k, v in state.items() if k.startswith("encoder.")}
    decoder = {}
    for key, value in state.items():
        if key.startswith("decoder.layers."):
            index, rest = key.removeprefix("decoder.layers.").split(".", 1)
            decoder[f"{int(index) + 1}.{rest}"] = value
    case.weights("taesd_encoder.safetensors", encoder)
    case.weights("taesd_decoder.safetensors", decoder)
    batch, height, width = spec["pixels"]
    pixels = case.put_half("encode.pixels", torch.tanh(normal(seed, "pixels", (batch, 3, height, width))))
    batch, height, width = spec["latents"]
    latents = case.put_half("decode.latents", normal(seed, "latents", (batch, 4, height, width), 1.5))
    case.put("encode.latents", vae.encode(pixels).latents)
    case.put("decode.pixels", vae.decode(latents).sample)
    case.facts["calls"] = [
        {"call": "encode", "inputs": {"pixels": "encode.pixels"}, "outputs": {"latents": "encode.latents"}},
        {"call": "decode", "inputs": {"latents": "decode.latents"}, "outputs": {"pixels": "decode.pixels"}},
    ]
    case.close()


CLIPS = {
    # prefix: how CLIPTextModel files name their tensors ("text_model." in files published before 2026, then none).
    "clip_l_like": dict(config=dict(hidden_size=24, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
                                    hidden_act="quick_gelu", eos_token_id=299, bos_token_id=298), prefix="text_model."),
    "clip_l_no_prefix": dict(config=dict(hidden_size=16, intermediate_size=64, num_hidden_layers=2,
                                         num_attention_heads=2, hidden_act="quick_gelu", eos_token_id=2), prefix=""),
    "clip_g_like": dict(config=dict(hidden_size=24, intermediate_size=96, num_hidden_layers=4, num_attention_heads=2,
                                    hidden_act="gelu", eos_token_id=299, bos_token_id=298, projection_dim=20),
                        projection=True, openclip=True),
    "clip_h_like": dict(config=dict(hidden_size=16, intermediate_size=64, num_hidden_layers=3, num_attention_heads=1,
                                    hidden_act="gelu", eos_token_id=299, bos_token_id=298, projection_dim=16),
                        prefix="text_model.", openclip=True),
}


def clip_ids(vocab: int, seed: int) -> torch.Tensor:
    """Three prompts: short and padded with the end token, padded with zero, and full to the last place."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, vocab - 2, (3, 77), generator=generator)
    ids[:, 0] = vocab - 2
    ids[0, 6:] = vocab - 1
    ids[1, 11] = vocab - 1
    ids[1, 12:] = 0
    ids[2, 76] = vocab - 1
    return ids


def make_clip(root, name, spec, seed):
    cls = CLIPTextModelWithProjection if spec.get("projection") else CLIPTextModel
    config = CLIPTextConfig(vocab_size=300, max_position_embeddings=77, **spec["config"])
    model = randomize(cls(config), seed)
    case = Case(root, "networks", name, network="clip_text", config="config.json", weights="model.safetensors")
    common.save_json(case.folder / "config.json", config_json(model))
    state = model.state_dict()
    if not spec.get("projection"):
        state = {spec["prefix"] + key.removeprefix("text_model."): value for key, value in state.items()}
    case.weights("model.safetensors", state)
    if spec.get("openclip"):
        from . import ldm_layout

        case.weights("openclip.safetensors", ldm_layout.clip_to_openclip(state, config.to_dict()))
        case.facts["openclip_weights"] = "openclip.safetensors"
    ids = clip_ids(config.vocab_size, seed)
    out = model(ids, output_hidden_states=True)
    case.put("ids", ids)
    for index, hidden in enumerate(out.hidden_states):
        case.put(f"hidden.{index}", hidden)
    case.put("last", out.last_hidden_state)
    outputs = {"hidden_states": [f"hidden.{i}" for i in range(len(out.hidden_states))], "last_hidden_state": "last"}
    if spec.get("projection"):
        outputs["text_embeds"] = case.put("pooled", out.text_embeds)
    else:
        outputs["pooler_output"] = case.put("pooled", out.pooler_output)
    case.facts["calls"] = [{"inputs": {"input_ids": "ids"}, "outputs": outputs}]
    case.close()


def cases() -> dict:
    """Case name to maker."""
    table = {}
    for specs, maker in ((UNETS, make_unet), (VAES, make_vae), (TAESDS, make_taesd), (CLIPS, make_clip)):
        for name, spec in specs.items():
            seed = common.named_seed(7, name)
            table[f"networks/{name}"] = lambda root, n=name, s=spec, m=maker, d=seed: m(root, n, s, d)
    return table
