"""Random tiny Stable Diffusion models of every family, with shapes that no fixture has.

    random_model(rng, family) -> Model: components of a diffusers pipeline, weights on float16's grid, so that one
    reference picture serves every form in which the model is stored.
"""

import random
from dataclasses import dataclass, field

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler, PNDMScheduler
from golden import common
from golden.common import randomize
from golden.tiny_models import SD_BETAS
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

FAMILIES = ("sd1", "sd2", "sdxl", "pruned", "refiner", "inpaint", "edit", "lcm", "sdxl-inpaint", "sdxl-edit")


@dataclass
class Model:
    """What a pipeline is built of. `facts` says in a few words what is unusual about it."""

    family: str
    pipeline: str
    parts: dict
    facts: dict = field(default_factory=dict)
    flags: dict = field(default_factory=dict)  # further arguments of the pipeline's constructor

    @property
    def xl(self) -> bool:
        return "text_encoder_2" in self.parts

    @property
    def factor(self) -> int:
        return 2 ** (len(self.parts["vae"].config.block_out_channels) - 1)


def divisors(number: int, among) -> list:
    return [d for d in among if number % d == 0]


def tokenizer(pad_token=None) -> CLIPTokenizer:
    extra = {"pad_token": pad_token} if pad_token else {}
    return CLIPTokenizer.from_pretrained(str(common.tokenizer_dir()), model_max_length=77, **extra)


def text_encoder(rng: random.Random, cls=CLIPTextModel, act="quick_gelu", width=None, projection=None, **config):
    heads = rng.choice([1, 2, 3])
    width = width or heads * rng.choice([4, 5, 8])
    heads = rng.choice(divisors(width, [1, 2, 3, 4]))
    values = dict(
        vocab_size=49408, hidden_size=width, intermediate_size=rng.choice([2, 3, 4]) * width,
        num_hidden_layers=rng.choice([2, 3, 4]), num_attention_heads=heads, max_position_embeddings=77,
        hidden_act=act, projection_dim=projection or rng.choice([8, 12, 20]), bos_token_id=49406,
        eos_token_id=rng.choice([49407, 2]), pad_token_id=rng.choice([1, 49407]))
    return randomize(cls(CLIPTextConfig(**{**values, **config})), rng.getrandbits(30))


def widths(rng: random.Random, levels: int, heads: list) -> tuple[tuple, int, tuple]:
    """Channels per level, norm groups and heads per level; every level divides by its heads and by the groups."""
    groups = rng.choice([1, 2, 3, 4, 8, 16])
    base = [rng.choice([8, 12, 16, 24, 32, 48]) for _ in range(levels)]
    channels = tuple(max(groups, (c // groups) * groups) for c in base)
    per_level = tuple(rng.choice(divisors(c, heads)) for c in channels)
    return channels, groups, per_level


def block_types(rng: random.Random, levels: int, xl: bool, whole: bool) -> dict:
    """SD1's attention everywhere but below, SDXL's everywhere but above, or (not whole) any mixture."""
    attention = [i > 0 for i in range(levels)] if xl else [i < levels - 1 for i in range(levels)]
    if levels == 1:
        attention = [True]
    if not whole:
        attention = [rng.random() < 0.6 for _ in range(levels)]
        attention[rng.randrange(levels)] = True
    down = tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attention)
    up = tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention))
    return dict(down_block_types=down, up_block_types=up)


def unet(rng: random.Random, context: int, latent: int, xl=False, pooled=0, refiner=False, mixed=False, **config):
    levels = config.pop("levels", None) or rng.choice([2, 2, 3, 3, 4])
    channels, groups, heads = widths(rng, levels, [1, 2, 3, 4, 5, 8])
    values = dict(
        sample_size=rng.choice([8, 10, 12, 16]), in_channels=latent, out_channels=latent, block_out_channels=channels,
        layers_per_block=rng.choice([1, 1, 2, 3]), norm_num_groups=groups, cross_attention_dim=context,
        attention_head_dim=heads if rng.random() < 0.7 else rng.choice([1, 2]),
        use_linear_projection=rng.random() < 0.5, upcast_attention=rng.random() < 0.3, mid_block_type="UNetMidBlock2DCrossAttn",
        norm_eps=rng.choice([1e-5, 1e-5, 1e-6]), flip_sin_to_cos=rng.random() < 0.85, freq_shift=rng.choice([0, 0, 0, 1]),
        transformer_layers_per_block=rng.choice([1, 1, 2]), **block_types(rng, levels, xl, not mixed))
    if isinstance(values["attention_head_dim"], int) and any(c % values["attention_head_dim"] for c in channels):
        values["attention_head_dim"] = heads
    if xl or rng.random() < 0.3:
        values["transformer_layers_per_block"] = tuple(rng.choice([1, 1, 2, 3]) for _ in range(levels))
    if mixed:
        values["layers_per_block"] = tuple(rng.choice([1, 2]) for _ in range(levels))
        values["mid_block_type"] = rng.choice(["UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None])
    if xl:
        size = rng.choice([4, 8, 10])
        values |= dict(addition_embed_type="text_time", addition_time_embed_dim=size, use_linear_projection=True,
                       projection_class_embeddings_input_dim=pooled + (5 if refiner else 6) * size)
    values |= config
    model = UNet2DConditionModel(**values)
    return randomize(model, rng.getrandbits(30))


def vae(rng: random.Random, latent: int, **config):
    levels = config.pop("levels", None) or rng.choice([2, 3, 3, 4])
    groups = rng.choice([1, 2, 4, 8])
    channels = tuple(groups * rng.choice([2, 3, 4]) for _ in range(levels))
    scaling = rng.choice([0.18215, 0.13025, 0.3611, 0.5, 1.0])
    values = dict(
        block_out_channels=channels, layers_per_block=rng.choice([1, 1, 2]), latent_channels=latent, norm_num_groups=groups,
        sample_size=rng.choice([32, 64, 512]), down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels, scaling_factor=scaling,
        shift_factor=rng.choice([None, None, 0.1159, -0.3]), force_upcast=rng.random() < 0.5,
        use_quant_conv=rng.random() < 0.7, mid_block_add_attention=rng.random() < 0.7)
    values["use_post_quant_conv"] = values["use_quant_conv"] if rng.random() < 0.8 else not values["use_quant_conv"]
    values |= config
    model = randomize(AutoencoderKL(**values), rng.getrandbits(30), special={"decoder.conv_out.weight": 0.7})
    last = model.quant_conv if model.quant_conv is not None else model.encoder.conv_out
    with torch.no_grad():  # mean of spread one after scaling, small variance
        last.weight[:latent] = common.to_half_grid(last.weight[:latent] * (0.7 / values["scaling_factor"]))
        last.bias[latent:] = common.to_half_grid(last.bias[latent:] - 3.0)
    return model


def pndm():
    return PNDMScheduler(**SD_BETAS, num_train_timesteps=1000, skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1)


def euler():
    return EulerDiscreteScheduler(**SD_BETAS, steps_offset=1, timestep_spacing="leading")


def random_model(rng: random.Random, family: str) -> Model:
    latent = 4 if "inpaint" in family else rng.choice([4, 4, 4, 3, 8, 16])  # inpainting pipelines insist on 4 or 9
    mixed = family == "pruned" or rng.random() < 0.15
    if family in ("sdxl", "pruned", "sdxl-inpaint", "sdxl-edit", "refiner"):
        return random_xl(rng, family, latent, mixed)
    act = "gelu" if family == "sd2" else rng.choice(["quick_gelu", "quick_gelu", "gelu"])
    text = text_encoder(rng, act=act)
    inputs = {"inpaint": 2 * latent + 1, "edit": 2 * latent}.get(family, latent)
    extra = {"time_cond_proj_dim": rng.choice([16, 32])} if family == "lcm" else {}
    net = unet(rng, text.config.hidden_size, latent, mixed=mixed, in_channels=inputs, **extra)
    scheduler = pndm()
    if family == "sd2":
        scheduler = DDIMScheduler(**SD_BETAS, prediction_type=rng.choice(["epsilon", "v_prediction"]), clip_sample=False,
                                  set_alpha_to_one=False, steps_offset=1)
    if family == "lcm":
        scheduler = LCMScheduler(**SD_BETAS, original_inference_steps=50, set_alpha_to_one=True, steps_offset=1)
    pipeline = {"inpaint": "StableDiffusionInpaintPipeline", "edit": "StableDiffusionInstructPix2PixPipeline",
                "lcm": "LatentConsistencyModelPipeline"}.get(family, "StableDiffusionPipeline")
    parts = dict(unet=net, vae=vae(rng, latent), text_encoder=text, tokenizer=tokenizer("!" if family == "sd2" else None),
                 scheduler=scheduler, safety_checker=None, feature_extractor=None)
    return Model(family, pipeline, parts, facts_of(parts), {"requires_safety_checker": False})


def random_xl(rng: random.Random, family: str, latent: int, mixed: bool) -> Model:
    refiner = family == "refiner"
    pooled = rng.choice([8, 12, 20])
    first = None if refiner else text_encoder(rng)
    second = text_encoder(rng, CLIPTextModelWithProjection, "gelu", projection=pooled)
    context = second.config.hidden_size + (0 if refiner else first.config.hidden_size)
    inputs = {"sdxl-inpaint": 2 * latent + 1, "sdxl-edit": 2 * latent}.get(family, latent)
    net = unet(rng, context, latent, xl=True, pooled=pooled, refiner=refiner, mixed=mixed, in_channels=inputs)
    parts = dict(unet=net, vae=vae(rng, latent), text_encoder=first, text_encoder_2=second,
                 tokenizer=None if refiner else tokenizer(), tokenizer_2=tokenizer("!"), scheduler=euler())
    flags = {"force_zeros_for_empty_prompt": rng.random() < 0.7, "add_watermarker": False}
    pipeline = "StableDiffusionXLPipeline"
    if refiner:
        flags |= {"requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False}
        pipeline = "StableDiffusionXLImg2ImgPipeline"
    elif family == "sdxl-inpaint":
        pipeline = "StableDiffusionXLInpaintPipeline"
    elif family == "sdxl-edit":
        flags.pop("add_watermarker")
        flags |= {"add_watermarker": False}
        pipeline = "StableDiffusionXLInstructPix2PixPipeline"
    return Model(family, pipeline, parts, facts_of(parts), flags)


def facts_of(parts: dict) -> dict:
    u, v = parts["unet"].config, parts["vae"].config
    return dict(
        unet=(u.block_out_channels, u.layers_per_block, u.attention_head_dim, u.transformer_layers_per_block,
              u.cross_attention_dim, u.norm_num_groups, u.mid_block_type, u.in_channels),
        vae=(v.block_out_channels, v.layers_per_block, v.latent_channels, v.norm_num_groups, v.scaling_factor, v.shift_factor,
             v.use_quant_conv, v.use_post_quant_conv, v.mid_block_add_attention))
