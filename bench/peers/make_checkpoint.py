"""Full-size checkpoints with random weights, as diffusers folders in half precision: speed does not depend on the
values of the weights, so nothing needs to be downloaded.

    make_checkpoint.py sd15|sdxl FOLDER --tokenizer FOLDER_WITH_A_CLIP_TOKENIZER
"""

import argparse
import json
import pathlib
import shutil

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

VAE = dict(
    block_out_channels=[128, 256, 512, 512],
    down_block_types=["DownEncoderBlock2D"] * 4,
    up_block_types=["UpDecoderBlock2D"] * 4,
    layers_per_block=2,
    latent_channels=4,
)
SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}


def text_config(**changes):
    base = dict(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=77,
        projection_dim=768,
        eos_token_id=49407,
        bos_token_id=49406,
    )
    return CLIPTextConfig(**(base | changes))


def sd15():
    return {
        "unet": UNet2DConditionModel(
            sample_size=64, in_channels=4, out_channels=4, cross_attention_dim=768, attention_head_dim=8
        ),
        "vae": AutoencoderKL(sample_size=512, scaling_factor=0.18215, **VAE),
        "text_encoder": CLIPTextModel(text_config()),
    }


def sdxl():
    return {
        "unet": UNet2DConditionModel(
            sample_size=128,
            in_channels=4,
            out_channels=4,
            cross_attention_dim=2048,
            attention_head_dim=[5, 10, 20],
            block_out_channels=[320, 640, 1280],
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            transformer_layers_per_block=[1, 2, 10],
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ),
        "vae": AutoencoderKL(sample_size=1024, scaling_factor=0.13025, **VAE),
        "text_encoder": CLIPTextModel(text_config()),
        "text_encoder_2": CLIPTextModelWithProjection(
            text_config(
                hidden_size=1280,
                intermediate_size=5120,
                num_hidden_layers=32,
                num_attention_heads=20,
                projection_dim=1280,
                hidden_act="gelu",
            )
        ),
    }


PIPELINES = {"sd15": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["sd15", "sdxl"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if (arguments.folder / "model_index.json").exists():
        return
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16)
    index = {"_class_name": PIPELINES[arguments.kind], "scheduler": ["diffusers", "EulerDiscreteScheduler"]}
    for name, network in {"sd15": sd15, "sdxl": sdxl}[arguments.kind]().items():
        network.half().save_pretrained(arguments.folder / name)
        library = "transformers" if name.startswith("text") else "diffusers"
        index[name] = [library, type(network).__name__]
        if name.startswith("text"):
            tokenizer = name.replace("text_encoder", "tokenizer")
            shutil.copytree(arguments.tokenizer, arguments.folder / tokenizer, dirs_exist_ok=True)
            index[tokenizer] = ["transformers", "CLIPTokenizer"]
    (arguments.folder / "scheduler").mkdir(exist_ok=True)
    (arguments.folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULER, indent=2))
    (arguments.folder / "model_index.json").write_text(json.dumps(index, indent=2))


if __name__ == "__main__":
    main()
