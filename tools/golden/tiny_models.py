"""The tiny random whole models that the pipeline and adapter fixtures share, and how they are written as folders."""

import functools
import os
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler, PNDMScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import common
from .common import config_json, halves, named_seed, randomize, save_json, save_tensors
from .networks import SDXL_ADDED, sd1_layout, sdxl_layout

SD_BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def seed_of(name: str) -> int:
    return named_seed(11, name)


def clip(name, cls, width, layers, heads, act, projection, text_gain=1.0):
    """A text encoder over the whole CLIP vocabulary; token embeddings hold float8-representable values."""
    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, max_position_embeddings=77, hidden_act=act, projection_dim=projection,
        bos_token_id=49406, eos_token_id=49407, pad_token_id=49407)
    return randomize(cls(config), seed_of(name), text_gain)


def unet(name, channels, layers, context, **config):
    defaults = dict(sample_size=8, in_channels=4, out_channels=4, block_out_channels=channels, layers_per_block=layers,
                    cross_attention_dim=context, norm_num_groups=32)
    return randomize(UNet2DConditionModel(**{**defaults, **config}), seed_of(name))


def vae(name, channels, scaling_factor, groups, **config):
    """A KL-VAE whose latents have a spread of about one after scaling, and whose pictures have contrast."""
    levels = len(channels)
    model = AutoencoderKL(
        block_out_channels=channels, layers_per_block=1, latent_channels=4, norm_num_groups=groups, sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels,
        scaling_factor=scaling_factor, **config)
    randomize(model, seed_of(name), special={"decoder.conv_out.weight": 0.7})
    with torch.no_grad():  # rows 0-3 of quant_conv are the mean, 4-7 the log-variance
        weight, bias = model.quant_conv.weight, model.quant_conv.bias
        weight[:4] = common.to_half_grid(weight[:4] * (0.7 / scaling_factor))
        bias[4:] = common.to_half_grid(bias[4:] - 3.0)
    return model


def tokenizer(pad_token=None):
    folder = str(common.tokenizer_dir())
    extra = {"pad_token": pad_token} if pad_token else {}
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77, **extra)


# transformers 5 dropped the inner text_model of CLIPTextModel, which diffusers 0.42 still asks for with clip_skip.
if not hasattr(CLIPTextModel, "text_model"):
    CLIPTextModel.text_model = property(lambda self: self)


@functools.cache
def sd1() -> dict:
    """SD1 layout: convolutional projections, 8 heads, PNDM, padding with the end token."""
    scheduler = PNDMScheduler(**SD_BETAS, num_train_timesteps=1000, skip_prk_steps=True, set_alpha_to_one=False,
                              steps_offset=1, timestep_spacing="leading")
    scheduler.register_to_config(clip_sample=False)  # a leftover that the published files carry for other classes
    return dict(
        pipeline="StableDiffusionPipeline",
        unet=unet("sd1.unet", (16, 32), 1, 8, attention_head_dim=8, norm_num_groups=16, **sd1_layout(2)),
        vae=vae("sd1.vae", (16, 16, 16, 16), 0.18215, 16),
        text_encoder=clip("sd1.text", CLIPTextModel, 8, 2, 2, "quick_gelu", 8),
        tokenizer=tokenizer(),
        scheduler=scheduler,
    )


@functools.cache
def sd2() -> dict:
    """SD2 layout: linear projections, heads by width, v-prediction, zero terminal SNR; a VAE with two downsamplings."""
    return dict(
        pipeline="StableDiffusionPipeline",
        unet=unet("sd2.unet", (16, 24), 2, 12, attention_head_dim=(2, 4), use_linear_projection=True,
                  norm_num_groups=8, sample_size=16, **sd1_layout(2)),
        vae=vae("sd2.vae", (16, 16, 24), 0.5, 8, mid_block_add_attention=False),
        text_encoder=clip("sd2.text", CLIPTextModel, 12, 3, 1, "gelu", 12),
        tokenizer=tokenizer("!"),
        scheduler=DDIMScheduler(**SD_BETAS, prediction_type="v_prediction", rescale_betas_zero_snr=True,
                                timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True, steps_offset=1),
    )


@functools.cache
def sdxl() -> dict:
    """SDXL layout: two text encoders, pooled text and sizes as added conditions, several transformers a level."""
    return dict(
        pipeline="StableDiffusionXLPipeline",
        unet=unet("sdxl.unet", (16, 16, 32), 1, 20, attention_head_dim=(2, 2, 4), transformer_layers_per_block=(1, 1, 2),
                  projection_class_embeddings_input_dim=16 + 6 * 16, norm_num_groups=16, **SDXL_ADDED, **sdxl_layout(3)),
        vae=vae("sdxl.vae", (16, 16, 16, 16), 0.13025, 16),
        text_encoder=sd1()["text_encoder"],
        text_encoder_2=clip("sdxl.text2", CLIPTextModelWithProjection, 12, 3, 2, "gelu", 16),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer("!"),
        scheduler=EulerDiscreteScheduler(**SD_BETAS, steps_offset=1, timestep_spacing="leading"),
    )


def special_unet(name, context=8, **config):
    return unet(name, (8, 16), 1, context, norm_num_groups=8, **{**dict(attention_head_dim=4), **config})


@functools.cache
def sd1_inpaint() -> dict:
    return {**sd1(), "pipeline": "StableDiffusionInpaintPipeline",
            "unet": special_unet("sd1_inpaint.unet", in_channels=9, **sd1_layout(2))}


@functools.cache
def sd1_edit() -> dict:
    return {**sd1(), "pipeline": "StableDiffusionInstructPix2PixPipeline",
            "unet": special_unet("sd1_edit.unet", in_channels=8, **sd1_layout(2))}


@functools.cache
def sd1_lcm() -> dict:
    return {**sd1(), "pipeline": "LatentConsistencyModelPipeline",
            "unet": special_unet("sd1_lcm.unet", time_cond_proj_dim=32, **sd1_layout(2)),
            "scheduler": LCMScheduler(**SD_BETAS, original_inference_steps=50, set_alpha_to_one=True, steps_offset=1,
                                      timestep_spacing="leading")}


@functools.cache
def sdxl_refiner() -> dict:
    base = sdxl()
    unet_ = special_unet("sdxl_refiner.unet", context=12, transformer_layers_per_block=2, **SDXL_ADDED,
                         projection_class_embeddings_input_dim=16 + 5 * 16, **sdxl_layout(2))
    return {"pipeline": "StableDiffusionXLImg2ImgPipeline", "unet": unet_, "vae": base["vae"],
            "text_encoder_2": base["text_encoder_2"], "tokenizer_2": base["tokenizer_2"],
            "scheduler": base["scheduler"], "requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False}


@functools.cache
def sdxl_inpaint() -> dict:
    unet_ = special_unet("sdxl_inpaint.unet", context=20, in_channels=9, transformer_layers_per_block=(1, 1),
                         projection_class_embeddings_input_dim=16 + 6 * 16, **SDXL_ADDED, **sdxl_layout(2))
    return {**sdxl(), "pipeline": "StableDiffusionXLInpaintPipeline", "unet": unet_}


@functools.cache
def sd1_single() -> dict:
    """What a single file without any configuration must be taken for: 8 heads, 32 groups, scaling 0.18215, the
    published scheduler, text heads 64 wide (here one), quick GELU under transformers' names. A VAE with one halving."""
    return {**sd1(),
            "unet": unet("sd1_single.unet", (32, 32), 1, 8, attention_head_dim=8, sample_size=16, **sd1_layout(2)),
            "vae": vae("sd1_single.vae", (32, 32), 0.18215, 32),
            "text_encoder": clip("sd1_single.text", CLIPTextModel, 8, 2, 1, "quick_gelu", 8)}


MODELS = {"sd1": sd1, "sd1_single": sd1_single, "sd2": sd2, "sdxl": sdxl, "sd1_inpaint": sd1_inpaint, "sd1_edit": sd1_edit, "sd1_lcm": sd1_lcm,
          "sdxl_refiner": sdxl_refiner, "sdxl_inpaint": sdxl_inpaint}

# Components that a folder borrows from another one by a relative link.
BORROWED = {
    "sdxl": ("sd1", ("text_encoder", "tokenizer")),
    "sd1_inpaint": ("sd1", ("vae", "text_encoder", "tokenizer", "scheduler")),
    "sd1_edit": ("sd1", ("vae", "text_encoder", "tokenizer", "scheduler")),
    "sd1_lcm": ("sd1", ("vae", "text_encoder", "tokenizer")),
    "sdxl_refiner": ("sdxl", ("vae", "text_encoder_2", "tokenizer_2", "scheduler")),
    "sdxl_inpaint": ("sdxl", ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")),
}

# Which text encoders store the token table in float8, and which carry the published `text_model.` prefix.
F8_EMBEDDING = {("sd2", "text_encoder"), ("sdxl", "text_encoder_2")}
NO_PREFIX = {("sd2", "text_encoder")}


def write_tokenizer(folder: Path, value) -> None:
    folder.mkdir(parents=True)
    save_json(folder / "tokenizer_config.json", {
        "add_prefix_space": False, "bos_token": "<|startoftext|>", "do_lower_case": True, "eos_token": "<|endoftext|>",
        "errors": "replace", "model_max_length": 77, "pad_token": value.pad_token, "tokenizer_class": "CLIPTokenizer",
        "unk_token": "<|endoftext|>"})
    save_json(folder / "special_tokens_map.json", {
        "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "pad_token": value.pad_token})
    for file in ("vocab.json", "merges.txt"):
        target = common.SOURCE_DIR / "models" / "starter" / "tokenizer" / file
        os.symlink(os.path.relpath(target, common.GOLDEN_DIR / "pipelines" / "models" / "x" / "tokenizer"), folder / file)


def write_model(root: Path, name: str) -> None:
    """The diffusers folder of one model."""
    folder = root / "pipelines" / "models" / name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    parts = MODELS[name]()
    index = {"_class_name": parts["pipeline"], "_diffusers_version": common.versions()["diffusers"]}
    index |= {key: value for key, value in parts.items() if isinstance(value, bool)}
    source, borrowed = BORROWED.get(name, (None, ()))
    for part, value in sorted(parts.items()):
        if isinstance(value, (str, bool)):
            continue
        library = "transformers" if part.startswith(("text_encoder", "tokenizer")) else "diffusers"
        index[part] = [library, "CLIPTokenizer" if part.startswith("tokenizer") else type(value).__name__]
        if part in borrowed:
            os.symlink(f"../{source}/{part}", folder / part)
        elif part.startswith("tokenizer"):
            write_tokenizer(folder / part, value)
        elif part == "scheduler":
            save_json(folder / part / "scheduler_config.json", config_json(value))
        else:
            write_network(folder / part, value, f8=(name, part) in F8_EMBEDDING, no_prefix=(name, part) in NO_PREFIX)
    if parts["pipeline"] in ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "LatentConsistencyModelPipeline",
                             "StableDiffusionInstructPix2PixPipeline"):
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False}
    if name == "sdxl_refiner":
        index |= {"text_encoder": [None, None], "tokenizer": [None, None]}
    if name.startswith("sdxl"):
        index.setdefault("force_zeros_for_empty_prompt", True)
    save_json(folder / "model_index.json", index)


def write_network(folder: Path, module, f8=False, no_prefix=False) -> None:
    """config.json and the weights, under the file name that the network's library expects."""
    text = module.config.__class__.__module__.startswith("transformers")
    save_json(folder / "config.json", config_json(module))
    state = module.state_dict()
    if isinstance(module, CLIPTextModel) and not no_prefix:
        state = {"text_model." + key.removeprefix("text_model."): value for key, value in state.items()}
    file = "model.safetensors" if text else "diffusion_pytorch_model.safetensors"
    save_tensors(folder / file, halves(state, f8), {"format": "pt"})


def write_single_file(root: Path, name: str) -> None:
    """One file in the original layout, float16 but for the float8 token table, with what such files carry along."""
    from . import ldm_layout

    parts = MODELS[name]()
    state = ldm_layout.single_file("sd1", unet=parts["unet"], vae=parts["vae"], text_encoder=parts["text_encoder"])
    folder = root / "pipelines" / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    whole = {key: value for key, value in state.items() if not value.is_floating_point()}
    save_tensors(folder / "model.safetensors", halves(state, True) | whole, {"format": "pt"})


SINGLE_FILES = ("sd1_single",)


def cases() -> dict:
    singles = {f"pipelines/models/{name}": functools.partial(write_single_file, name=name) for name in SINGLE_FILES}
    return singles | {f"pipelines/models/{name}": functools.partial(write_model, name=name) for name in MODELS if name not in SINGLE_FILES}
