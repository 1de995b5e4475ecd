"""Single files in the original layout: safetensors, .ckpt old and new, GGUF quantised as stable-diffusion.cpp does."""

import random

import numpy as np
import torch
from golden import ldm_layout
from golden.ldm_layout import VAE_PREFIX
from transformers import CLIPTextModelWithProjection

from .models import Model, euler, facts_of, pndm, text_encoder, tokenizer, unet, vae
from .session import Session, any_size, any_words, mask, picture

FORMS = ("f32", "f16", "bf16", "f8", "ckpt", "ckpt-bare", "ckpt-old", "extras", "gguf-f16", "gguf-sdcpp")
QUANTISED = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
FAMILIES = ("sd1", "sd2", "sdxl", "refiner", "inpaint", "edit", "pruned", "sd2-v")


def conventional(rng: random.Random, family: str, wide: int = 0) -> Model:
    """A model whose figures a file without configuration must be taken for: 32 groups, 8 heads or heads of 64, the
    published scaling factors and schedulers. `wide` is a text width whose rows k-quants can pack."""
    xl = family in ("sdxl", "refiner", "pruned")
    linear = xl or family.startswith("sd2")
    levels = rng.choice([2, 3])
    channels = tuple(rng.choice([64, 128] if linear else [32, 64, 96]) for _ in range(levels))
    if wide:
        channels = (256,) * levels
    heads = tuple(c // 64 for c in channels) if linear else 8
    pooled = rng.choice([16, 64])
    small = dict(num_attention_heads=max(wide // 64, 1))
    first = None if family == "refiner" else text_encoder(rng, act="gelu" if family.startswith("sd2") else "quick_gelu",
                                                          width=wide or rng.choice([24, 32, 64]), **small)
    second = text_encoder(rng, CLIPTextModelWithProjection, "gelu", width=wide or 64, projection=pooled, **small) if xl else None
    context = sum(t.config.hidden_size for t in (first, second) if t)
    latent = 4
    inputs = {"inpaint": 9, "edit": 8}.get(family, latent)
    options = dict(levels=levels, block_out_channels=channels, attention_head_dim=heads, norm_num_groups=32, norm_eps=1e-5,
                   flip_sin_to_cos=True, freq_shift=0, in_channels=inputs, use_linear_projection=linear, layers_per_block=rng.choice([1, 2]),
                   mid_block_type="UNetMidBlock2DCrossAttn")
    if xl:
        size = 32  # pooled + 6 * size is all that the file says; published files have 256
        options |= dict(addition_time_embed_dim=size, projection_class_embeddings_input_dim=pooled + (5 if family == "refiner" else 6) * size)
    else:
        options["transformer_layers_per_block"] = 1
    network = unet(rng, context, latent, xl=xl, pooled=pooled, refiner=family == "refiner", **options)
    codec = codec_of(rng, xl)
    parts = dict(unet=network, vae=codec, text_encoder=first, tokenizer=None if first is None else tokenizer("!" if family.startswith("sd2") else None),
                 scheduler=scheduler_of(family))
    if xl:
        parts |= dict(text_encoder_2=second, tokenizer_2=tokenizer("!"))
        flags = {"force_zeros_for_empty_prompt": family != "refiner", "add_watermarker": False}
        if family == "refiner":
            flags["requires_aesthetics_score"] = True
        return Model(family, "StableDiffusionXLImg2ImgPipeline" if family == "refiner" else "StableDiffusionXLPipeline", parts, facts_of(parts), flags)
    parts |= dict(safety_checker=None, feature_extractor=None)
    pipeline = {"inpaint": "StableDiffusionInpaintPipeline", "edit": "StableDiffusionInstructPix2PixPipeline"}.get(family, "StableDiffusionPipeline")
    return Model(family, pipeline, parts, facts_of(parts), {"requires_safety_checker": False})


def codec_of(rng: random.Random, xl: bool):
    levels = rng.choice([2, 3, 4])
    return vae(rng, 4, levels=levels, block_out_channels=tuple(rng.choice([32, 64]) for _ in range(levels)), norm_num_groups=32,
               scaling_factor=0.13025 if xl else 0.18215, shift_factor=None, use_quant_conv=True, use_post_quant_conv=True,
               mid_block_add_attention=True)


def scheduler_of(family: str):
    from diffusers import DDIMScheduler
    from golden.tiny_models import SD_BETAS

    if family in ("sdxl", "refiner", "pruned"):
        return euler()
    if family == "sd2-v":
        return DDIMScheduler(**SD_BETAS, prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return pndm()


def state_of(model: Model) -> dict:
    layout = {"refiner": "sdxl-refiner", "pruned": "sdxl", "inpaint": "sd1", "edit": "sd1", "sd2-v": "sd2"}.get(model.family, model.family)
    parts = {k: model.parts.get(k) for k in ("unet", "vae", "text_encoder", "text_encoder_2")}
    if layout == "sdxl-refiner":
        parts.pop("text_encoder")
    return ldm_layout.single_file(layout, **{k: v for k, v in parts.items() if v is not None})


def take_back(model: Model, change) -> None:
    """Puts `change(tensor, name)` of every weight into the model: what the file holds after rounding or packing."""
    with torch.no_grad():
        for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
            if model.parts.get(part) is not None:
                for name, parameter in model.parts[part].named_parameters():
                    parameter.copy_(change(parameter, f"{part}.{name}"))


def write(session: Session, model: Model, form: str):
    """The file; the model's weights become what the file holds."""
    rounding = {"bf16": torch.bfloat16, "f8": torch.float8_e4m3fn}.get(form)
    if rounding:
        keep = (lambda name, p: p.dim() < 2) if form == "f8" else (lambda name, p: False)
        take_back(model, lambda p, name: p if keep(name, p) else p.to(rounding).float())
    state = state_of(model)
    if form.startswith("gguf"):
        return write_gguf(session, model, form)
    if form.startswith("ckpt"):
        path = session.path(".ckpt")
        content = {k: v.half() if v.is_floating_point() and "alphas" not in k else v for k, v in state.items()}
        if form == "ckpt":
            content = {"epoch": 3, "global_step": 875000, "pytorch-lightning_version": "1.4.2", "state_dict": content, "callbacks": {},
                       "optimizer_states": [], "lr_schedulers": []}
        torch.save(content, path, _use_new_zipfile_serialization=form != "ckpt-old")
        return path
    path = session.path(".safetensors")
    if form == "extras":  # what training programs leave behind, and what nobody reads
        state |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7), "loss.logvar": torch.zeros(1),
                  "global_step": torch.tensor(470000), "strange.nan": torch.full((3,), float("nan")), "strange.f64": torch.zeros(2, dtype=torch.float64),
                  "strange.bool": torch.zeros(2, dtype=torch.bool), "strange.i16": torch.zeros(2, dtype=torch.int16), "strange.empty": torch.zeros(0)}
        dtype, metadata = torch.float64, {"modelspec.title": "näme 夜", "format": "pt", "weird": "{\"a\": [1, 2", "": "empty"}
    else:
        dtype, metadata = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f8": None}[form], None
    if form == "f8":
        state = {k: v.to(torch.float8_e4m3fn) if v.dim() >= 2 and v.is_floating_point() else v for k, v in state.items()}
    ldm_layout.save_state_dict(path, state, dtype=dtype, metadata=metadata)
    return path


def write_gguf(session: Session, model: Model, form: str):
    """`gguf-f16`, `gguf-Q4_K`...: original names; `gguf-sdcpp`: as stable-diffusion.cpp's converter renames them."""
    import gguf

    kind = getattr(gguf.GGMLQuantizationType, form.split("-")[1]) if form.split("-")[1] in QUANTISED else None
    packed = pack(model, kind) if kind else {}
    state = state_of(model)
    path = session.path(".gguf")
    writer = gguf.GGUFWriter(str(path), "")
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        values = tensor.detach().float().numpy()
        for new, part in sdcpp_names(name, values, model.family.startswith("sd2"), model.family == "refiner") if form == "gguf-sdcpp" else [(name, values)]:
            thirds = np.split(part, 3) if "in_proj_weight" in new else [part]
            if all(t.tobytes() in packed for t in thirds):
                writer.add_tensor(new, np.concatenate([packed[t.tobytes()] for t in thirds]), raw_dtype=kind)
            else:
                writer.add_tensor(new, part.astype(np.float32 if part.ndim < 2 or form == "gguf-sdcpp" else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def pack(model: Model, kind) -> dict:
    """Packs every matrix that GGUF files pack, and returns the packed bytes by those of the values they stand for.
    Blocks of k-quants, which the gguf package cannot make, are random bits under a scale that suits the matrix."""
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[kind]
    found = {}

    def change(parameter, name):
        if parameter.dim() != 2 or parameter.shape[1] % block or "embeddings" in name or "text_projection" in name or name.startswith("vae."):
            return parameter
        values = parameter.detach().numpy()
        if "_K" in kind.name:
            rng = np.random.default_rng(len(found))
            bits = rng.integers(0, 256, (values.shape[0], values.shape[1] // block, size), np.uint8)
            at = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}[kind.name]

            def scaled(scale):
                for i in at:
                    bits[:, :, i : i + 2] = np.frombuffer(np.float16(scale * (1 if i == at[0] else 8)).tobytes(), np.uint8)
                return bits.reshape(values.shape[0], -1)

            spread = gguf.quants.dequantize(scaled(1.0), kind).std()
            bytes_ = scaled(values.std() / spread).copy()
        else:
            bytes_ = gguf.quants.quantize(values, kind)
        new = gguf.quants.dequantize(bytes_, kind).reshape(values.shape).astype(np.float32)
        found[new.tobytes()] = bytes_
        return torch.from_numpy(new)

    take_back(model, change)
    return found


def sdcpp_names(name: str, values, small_sd2=False, refiner=False) -> list:
    """OpenCLIP under transformers-like names, projections around transformers and in the VAE as convolutions."""
    new = name
    for old, prefix in (("conditioner.embedders.0.transformer.", "cond_stage_model.transformer."), ("conditioner.embedders.1.model.", "cond_stage_model.1.model."),
                        ("conditioner.embedders.0.model.", "cond_stage_model.1.model.")):
        if new.startswith(old) and not refiner:
            new = prefix + new[len(old):]
    for stage in ("cond_stage_model.model.", "cond_stage_model.1.model."):
        if new.startswith(stage):
            rest, front = new[len(stage):], stage[: -len("model.")] + "transformer."
            top = {"ln_final.": "text_model.final_layer_norm.", "positional_embedding": "text_model.embeddings.position_embedding.weight",
                   "token_embedding.weight": "text_model.embeddings.token_embedding.weight", "text_projection": "text_model.text_projection",
                   "transformer.resblocks.": "text_model.encoder.layers."}
            for a, b in top.items():
                if rest.startswith(a):
                    rest = b + rest[len(a):]
            for a, b in (("attn.in_proj_", "self_attn.in_proj."), ("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"),
                         ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):
                rest = rest.replace("." + a, "." + b)
            new = front + rest
    xl = name.startswith("model.diffusion_model.") and not small_sd2
    if values.ndim == 2 and xl and (".proj_in." in new or ".proj_out." in new):
        values = values[:, :, None, None]
    if new.startswith(VAE_PREFIX) and ".attn_1." in new and values.ndim == 4:
        values = values[:, :, 0, 0]
    return [(new, values)]


def hunt(session: Session, rng: random.Random, families=FAMILIES, forms=FORMS) -> None:
    for family in families:
        for form in forms:
            model = conventional(rng, family)
            check(session, rng, model, form)
    for kind in QUANTISED:
        check(session, rng, conventional(rng, rng.choice(families), wide=256 if "_K" in kind else 64), f"gguf-{kind}")


def check(session: Session, rng: random.Random, model: Model, form: str) -> None:
    path = write(session, model, form)
    size = any_size(rng, model.factor)
    call = {**any_words(rng), "num_inference_steps": 2, "guidance_scale": rng.choice([1.0, 3.0])}
    arguments = []
    if model.family in ("refiner", "inpaint", "edit"):
        call["image"] = picture(str(rng.random()), size["width"], size["height"])
        if model.family != "edit":
            call |= dict(strength=0.9, num_inference_steps=3)
    if model.family == "inpaint":
        call |= dict(mask_image=mask("", size["width"], size["height"]), **size)
        arguments = ["--no-composite"]
    if model.family not in ("refiner", "inpaint", "edit"):
        call |= size
    if model.family == "sd2-v":
        arguments = ["--prediction", "v_prediction"]
    elif model.family == "sd2":
        arguments = ["--prediction", "epsilon"]
    session.check(f"{model.family}-{form}", model, path, call, arguments=arguments, explain=str(model.facts))
