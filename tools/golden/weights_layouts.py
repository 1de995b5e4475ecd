"""Tiny diffusers models in every published layout, and what must come back from each file: layouts.json holds, for
every file, its components with the names, shapes and hashes (SHA-256 of the f32 bytes, 8 digits) of their tensors.

Called by weights.py. Values are 8-bit floats, so that the files stay small; every parameter is random, so that no
two tensors can be exchanged unnoticed.
"""

import hashlib
import json
import shutil

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, T2IAdapter, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import ldm_layout

STORED = torch.float8_e4m3fn


def random_values(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        # Exact in every stored form.
        values = torch.randn(parameter.shape, generator=generator) * 0.25
        parameter.data = values.to(STORED).float()
    return model.eval()


def unet(seed=1, **changes):
    config = dict(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=2,
        block_out_channels=(4, 8, 8),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=8,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    config.update(changes)
    return random_values(UNet2DConditionModel(**config), seed)


SMALL = dict(
    layers_per_block=1,
    block_out_channels=(4, 8),
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
)

SDXL = dict(
    layers_per_block=1,
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    use_linear_projection=True,
    addition_embed_type="text_time",
    addition_time_embed_dim=4,
    projection_class_embeddings_input_dim=32,
    cross_attention_dim=20,
)


def vae(seed=2, levels=3, **changes):
    config = dict(
        block_out_channels=(4, 8, 8, 8)[:levels],
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=1,
        norm_num_groups=2,
    )
    config.update(changes)
    return random_values(AutoencoderKL(**config), seed)


def clip(seed=3, width=8, layers=1, projection=False):
    config = CLIPTextConfig(
        vocab_size=64,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=width,
    )
    return random_values((CLIPTextModelWithProjection if projection else CLIPTextModel)(config), seed)


def describe(model):
    tensors = model.state_dict() if hasattr(model, "state_dict") else model
    is_clip = any("token_embedding" in k for k in tensors)
    out = {}
    for name, tensor in tensors.items():
        if name.endswith("position_ids"):
            continue
        if is_clip and not name.startswith(("text_model.", "text_projection")):
            name = "text_model." + name
        digest = hashlib.sha256(tensor.float().contiguous().numpy().tobytes()).hexdigest()
        out[name] = [list(tensor.shape), digest[:8]]
    return out


class Writer:
    def __init__(self, out):
        self.out = out / "layouts"
        self.out.mkdir()
        self.cases = {}

    def expect(self, file, layout, components, ignored=0):
        self.cases[file] = {
            "layout": layout,
            "ignored": ignored,
            "components": {k: describe(v) for k, v in components.items()},
        }

    def single_file(self, file, family, ignored, dtype=STORED, **components):
        metadata = components.pop("metadata", None)
        extra = components.pop("extra_tensors", None)
        ldm_layout.save_single_file(
            self.out / file, family, dtype=dtype, metadata=metadata, extra_tensors=extra, **components
        )
        components.pop("old_names", None)
        if family == "sdxl-refiner":
            components = {("text_encoder_2" if k == "text_encoder" else k): v for k, v in components.items()}
        self.expect(file, "original single file", components, ignored)

    def component(self, file, kind, tensors, model, metadata=None, ignored=0):
        ldm_layout.save_state_dict(self.out / file, tensors, dtype=STORED, metadata=metadata, wrap=False)
        self.expect(file, "single component", {kind: model}, ignored)


def original_files(w):
    model, coder, text = unet(), vae(), clip()
    # position_ids, three schedule buffers, and one averaged copy
    ema = {"model_ema.diffusion_modelinput_blocks00weight": torch.zeros(1)}
    w.single_file("sd1.safetensors", "sd1", 5, unet=model, vae=coder, text_encoder=text, extra_tensors=ema)
    model = unet(**SMALL)
    w.single_file("sd1_old.ckpt", "sd1", 4, dtype=torch.float16, unet=model, vae=coder, text_encoder=text, old_names=True)
    model = unet(**SMALL, in_channels=9, use_linear_projection=True, seed=4)
    w.single_file("sd2.safetensors", "sd2", 4, unet=model, vae=vae(levels=4), text_encoder=clip())
    model = unet(**SDXL, transformer_layers_per_block=(1, 1, 2), seed=5)
    second = clip(seed=6, width=12, projection=True)
    marks = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    w.single_file(
        "sdxl.safetensors", "sdxl", 3, unet=model, vae=coder, text_encoder=text, text_encoder_2=second,
        extra_tensors=marks, metadata={"modelspec.architecture": "stable-diffusion-xl-v1-base", "modelspec.title": "tiny"},
    )
    refiner = unet(**SDXL | SMALL | {"cross_attention_dim": 12}, seed=7)
    w.single_file("refiner.safetensors", "sdxl-refiner", 2, unet=refiner, text_encoder=second)


def component_files(w):
    # SSD-1B's kind of pruning: other depths on the way up, and a middle without attention.
    pruned = unet(
        **SDXL,
        transformer_layers_per_block=(1, 1, 2),
        reverse_transformer_layers_per_block=((2, 1), (1, 1), 1),
        mid_block_type="UNetMidBlock2D",
        seed=8,
    )
    w.component("unet_pruned.safetensors", "unet", ldm_layout._prefixed("model.diffusion_model.", ldm_layout.unet_to_ldm(pruned)), pruned)
    lcm = unet(**SMALL, time_cond_proj_dim=16, in_channels=8, seed=9)
    w.component("unet_lcm_bare.safetensors", "unet", ldm_layout.unet_to_ldm(lcm), lcm)
    w.component("unet_diffusers.safetensors", "unet", lcm.state_dict(), lcm)

    control = random_values(ControlNetModel.from_unet(unet(**SMALL), conditioning_embedding_out_channels=(4, 8, 8)), 10)
    ldm = ldm_layout.controlnet_to_ldm(control)
    w.component("controlnet_ldm.safetensors", "controlnet", ldm_layout._prefixed("control_model.", ldm), control)
    w.component("controlnet_bare.safetensors", "controlnet", ldm, control)
    w.component("controlnet_diffusers.safetensors", "controlnet", control.state_dict(), control)

    coder = vae(mid_block_add_attention=False, seed=11)
    w.component("vae_ldm.safetensors", "vae", ldm_layout.vae_to_ldm(coder), coder)
    coder = vae(levels=1, seed=12)
    w.component("vae_ldm_one_level.safetensors", "vae", ldm_layout._prefixed("first_stage_model.", ldm_layout.vae_to_ldm(coder)), coder)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, tensor in coder.state_dict().items():
        for new, before in old.items():
            name = name.replace(f".{new}.", f".{before}.")
        renamed[name] = tensor
    w.component("vae_diffusers_old.safetensors", "vae", renamed, coder)

    text = clip(seed=13, layers=3, projection=True)
    w.component("openclip.safetensors", "text_encoder", ldm_layout.clip_to_openclip(text), text, ignored=1)
    w.component("clip.safetensors", "text_encoder", text.state_dict(), text)


def small_networks(w):
    tiny = AutoencoderTiny(
        encoder_block_out_channels=(4, 4, 4), decoder_block_out_channels=(4, 4, 4), num_encoder_blocks=(1, 2, 1),
        num_decoder_blocks=(2, 2, 1),
    )
    tiny = random_values(tiny, 14)
    state = tiny.state_dict()
    encoder = {k.removeprefix("encoder.layers."): v for k, v in state.items() if k.startswith("encoder.")}
    decoder = {}
    for name, tensor in state.items():
        if name.startswith("decoder.layers."):
            index, rest = name.removeprefix("decoder.layers.").split(".", 1)
            decoder[f"{int(index) + 1}.{rest}"] = tensor
    w.component("taesd_encoder.safetensors", "taesd", encoder, {k: v for k, v in state.items() if k.startswith("encoder.")})
    w.component("taesd_decoder.safetensors", "taesd", decoder, {k: v for k, v in state.items() if k.startswith("decoder.")})
    both = ldm_layout._prefixed("taesd_encoder.", encoder) | ldm_layout._prefixed("taesd_decoder.", decoder)
    w.component("taesd_both.safetensors", "taesd", both, state)
    w.component("taesd_diffusers.safetensors", "taesd", state, state)

    adapter = random_values(T2IAdapter(in_channels=1, channels=[4, 8, 8], num_res_blocks=2, adapter_type="full_adapter"), 15)
    original = {}
    for name, tensor in adapter.state_dict().items():
        parts = name.removeprefix("adapter.").split(".")
        if parts[0] == "body" and parts[2] == "resnets":
            parts = ["body", str(2 * int(parts[1]) + int(parts[3]))] + parts[4:]
        elif parts[0] == "body":
            parts[1] = str(2 * int(parts[1]))
        original[".".join(parts)] = tensor
    w.component("t2i_adapter.safetensors", "t2i_adapter", original, adapter)
    w.component("t2i_adapter_diffusers.safetensors", "t2i_adapter", adapter.state_dict(), adapter)


def folders(w):
    """A pipeline whose parts are saved in each way that the libraries have had."""
    model, coder, text = unet(**SMALL, seed=16), vae(levels=2, seed=17), clip(seed=18)
    root = w.out / "pipeline"
    for part in ("unet", "vae", "text_encoder", "scheduler"):
        (root / part).mkdir(parents=True)
    index = {
        "_class_name": "StableDiffusionPipeline",
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (root / "model_index.json").write_text(json.dumps(index, indent=1))
    scheduler = {"_class_name": "DDIMScheduler", "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    (root / "scheduler/scheduler_config.json").write_text(json.dumps(scheduler, indent=1))
    for part, network in (("unet", model), ("vae", coder), ("text_encoder", text)):
        config = {"_class_name": type(network).__name__}
        config |= {k: v for k, v in network.config.to_dict().items()} if part == "text_encoder" else {}
        (root / part / "config.json").write_text(json.dumps(config, indent=1, default=str))
    names = sorted(model.state_dict())
    shards = {"diffusion_pytorch_model-00001-of-00002.safetensors": names[::2],
              "diffusion_pytorch_model-00002-of-00002.safetensors": names[1::2]}
    for file, keys in shards.items():
        save_file({k: model.state_dict()[k].to(STORED) for k in keys}, str(root / "unet" / file))
    weight_map = {k: f for f, keys in shards.items() for k in keys}
    (root / "unet/diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    save_file({k: v.to(STORED) for k, v in coder.state_dict().items()}, str(root / "vae/diffusion_pytorch_model.fp16.safetensors"))
    torch.save({k: v.half() for k, v in text.state_dict().items()}, root / "text_encoder/pytorch_model.bin")
    w.expect("pipeline", "diffusers folder", {"unet": model, "vae": coder, "text_encoder": text})
    shutil.copytree(root / "vae", w.out / "vae_folder")
    w.expect("vae_folder", "single component", {"vae": coder})


def write(out):
    w = Writer(out)
    original_files(w)
    component_files(w)
    small_networks(w)
    folders(w)
    (w.out / "layouts.json").write_text(json.dumps(w.cases, separators=(",", ":")))
