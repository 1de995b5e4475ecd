"""Configuration fields one at a time: each must give the reference's picture, or be refused with a clear error."""

import json
import random

from .models import Model, facts_of, pndm, text_encoder, tokenizer, unet, vae
from .session import Session, any_size
from .shapes import save

UNET = [
    dict(act_fn="gelu"), dict(act_fn="mish"), dict(act_fn="relu"), dict(act_fn="swish"), dict(resnet_time_scale_shift="scale_shift"),
    dict(center_input_sample=True), dict(mid_block_scale_factor=2.0), dict(resnet_out_scale_factor=1.5),
    dict(downsample_padding=0), dict(time_embedding_type="fourier"), dict(time_embedding_dim=24), dict(time_embedding_act_fn="silu"),
    dict(timestep_post_act="silu"), dict(conv_in_kernel=1), dict(conv_in_kernel=5), dict(conv_out_kernel=1), dict(conv_out_kernel=5),
    dict(resnet_skip_time_act=True), dict(only_cross_attention=True), dict(dual_cross_attention=True), dict(attention_type="gated"),
    dict(cross_attention_norm="layer_norm"), dict(upcast_attention=True), dict(dropout=0.1), dict(norm_eps=1e-3),
    dict(transformer_layers_per_block=0), dict(encoder_hid_dim_type="text_proj", encoder_hid_dim="context"),
    dict(num_class_embeds=3, class_embeddings_concat=True), dict(levels=1), dict(levels=5), dict(norm_num_groups=None),
    dict(sample_size=(8, 12)), dict(sample_size=None), dict(addition_embed_type="text", addition_embed_type_num_heads=1, encoder_hid_dim="context"),
    dict(mid_block_type="UNetMidBlock2DSimpleCrossAttn"), dict(mid_block_only_cross_attention=True),
    dict(down_block_types=("AttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "AttnUpBlock2D"), levels=2),
    dict(down_block_types=("SimpleCrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "SimpleCrossAttnUpBlock2D"), levels=2),
    dict(down_block_types=("ResnetDownsampleBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), levels=2),
    dict(down_block_types=("DownBlock2D", "KDownBlock2D"), up_block_types=("KUpBlock2D", "UpBlock2D"), levels=2),
]
VAE = [
    dict(act_fn="relu"), dict(act_fn="gelu"), dict(act_fn="swish"), dict(levels=1), dict(levels=5), dict(levels=6), dict(norm_num_groups=1),
    dict(latents_mean=(0.1, 0.2, 0.3, -0.4), latents_std=(0.8, 1.2, 0.9, 1.1), latent_channels=4), dict(out_channels=4), dict(in_channels=4),
    dict(down_block_types=("AttnDownEncoderBlock2D", "DownEncoderBlock2D"), up_block_types=("UpDecoderBlock2D", "AttnUpDecoderBlock2D"), levels=2),
    dict(scaling_factor=-0.5), dict(shift_factor=0.5),
]
TEXT = [
    dict(hidden_act="gelu_new"), dict(hidden_act="relu"), dict(layer_norm_eps=1e-3), dict(num_hidden_layers=1), dict(num_hidden_layers=13),
    dict(attention_dropout=0.5), dict(num_hidden_layers=24, hidden_act="gelu"), dict(hidden_act="silu"), dict(intermediate_size=7),
    dict(max_position_embeddings=60), dict(max_position_embeddings=128), dict(vocab_size=49500),
]


def hunt(session: Session, rng: random.Random, parts=("unet", "vae", "text")) -> None:
    session.refusals_count = False
    table = [(p, o) for p, options in (("unet", UNET), ("vae", VAE), ("text", TEXT)) if p in parts for o in options]
    for part, chosen in table:
        name = f"{part} " + json.dumps(chosen)
        options = dict(chosen)
        try:
            model = make(rng, part, options)
        except Exception as error:  # a shape that the reference cannot build says nothing about the program
            session.add(name, None, f"cannot be built: {type(error).__name__}: {str(error)[:80]}", bad=False)
            continue
        path = session.path()
        save(model, path)
        size = {} if "sample_size" in options else any_size(rng, model.factor, 8 // min(model.factor, 8) + 3)
        session.check(name, model, path, dict(prompt="a sea", num_inference_steps=2, guidance_scale=3.0, **size))


def make(rng: random.Random, part: str, options: dict) -> Model:
    latent = 4
    text = text_encoder(rng, **(options if part == "text" else {}))
    width = text.config.hidden_size
    if part == "unet":
        options = {k: width if v == "context" else v for k, v in options.items()}
        if "down_block_types" in options:
            options |= dict(block_out_channels=(16, 16), attention_head_dim=8, norm_num_groups=8, layers_per_block=1, transformer_layers_per_block=1)
    network = unet(rng, width, latent, **(options if part == "unet" else {}))
    parts = dict(unet=network, vae=vae(rng, latent, **({"shift_factor": None, **options} if part == "vae" else {"levels": 2})),
                 text_encoder=text, tokenizer=tokenizer(), scheduler=pndm(), safety_checker=None, feature_extractor=None)
    return Model("sd1", "StableDiffusionPipeline", parts, facts_of(parts), {"requires_safety_checker": False})
