"""Init pictures, masks, crops, ControlNets, adapters and counts on random models, against their own pipelines."""

import random

import torch
from diffusers import ControlNetModel
from golden import common
from golden.common import randomize

from .models import random_model
from .session import Session, any_size, any_words, mask, picture
from .shapes import save


def controlnet(rng: random.Random, model):
    net = ControlNetModel.from_unet(model.parts["unet"], conditioning_embedding_out_channels=(4, 8, 8, 12))
    randomize(net, rng.getrandbits(30))
    return net


def lora(rng: random.Random, model, path):
    """A LoRA of random ranks on random modules of UNet and text encoders, written by diffusers."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    from . import run

    pipe = run.build(model)
    layers = {}
    targets = rng.choice([["to_q", "to_v"], ["to_q", "to_k", "to_v", "to_out.0"], ["to_k", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"],
                          ["conv1", "conv2", "time_emb_proj", "to_q", "conv_shortcut", "conv"]])
    config = LoraConfig(r=rng.choice([1, 2, 4, 5]), lora_alpha=rng.choice([1, 3, 8]), target_modules=targets, init_lora_weights="gaussian", use_dora=rng.random() < 0.3)
    for part, prefix in (("unet", "unet"), ("text_encoder", "text_encoder"), ("text_encoder_2", "text_encoder_2")):
        network = getattr(pipe, part, None)
        if network is None or (part != "unet" and rng.random() < 0.4):
            continue
        if part != "unet":
            config = LoraConfig(r=3, lora_alpha=rng.choice([3, 6]), target_modules=["q_proj", "v_proj", "out_proj", "fc1"], init_lora_weights="gaussian")
        network.add_adapter(config, "hunt")
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.copy_(common.normal(rng.getrandbits(30), name, parameter.shape, 0.2))
        layers[f"{prefix}_lora_layers"] = get_peft_model_state_dict(network, adapter_name="hunt")
        (network.delete_adapters if hasattr(network, "delete_adapters") else network.delete_adapter)("hunt")
    type(pipe).save_lora_weights(str(path.parent), weight_name=path.name, **layers)
    return path


def hunt(session: Session, rng: random.Random, kinds=("img2img", "inpaint", "crop", "control", "count", "defaults")) -> None:
    for kind in kinds:
        for family in ("sd1", "sd2", "sdxl"):
            model = random_model(rng, family)
            while model.parts["vae"].config.latent_channels != 4 or (kind == "control" and (model.factor != 8 or model.parts["unet"].config.mid_block_type is None
                                                                     or isinstance(model.parts["unet"].config.layers_per_block, (tuple, list)))):
                model = random_model(rng, family)
            path = session.path()
            save(model, path)
            one(session, rng, kind, model, path)


def one(session: Session, rng: random.Random, kind: str, model, path) -> None:
    size = any_size(rng, model.factor, 4, 10)
    words = any_words(rng)
    steps = dict(num_inference_steps=rng.choice([3, 4, 6]), guidance_scale=rng.choice([1.0, 4.0]))
    front = "StableDiffusionXL" if model.xl else "StableDiffusion"
    odd = (size["width"] + rng.choice([0, 0, 3, 11]), size["height"] + rng.choice([0, 0, 5, 13]))
    if kind == "img2img":
        call = {**words, **steps, "image": picture(str(rng.random()), *odd), "strength": rng.choice([0.35, 0.5, 0.99, 1.0])}
        session.check(f"img2img {odd}", model, path, call, pipeline=f"{front}Img2ImgPipeline")
    elif kind in ("inpaint", "crop"):
        call = {**words, **steps, **size, "image": picture(str(rng.random()), *odd), "mask_image": mask("", *odd), "strength": rng.choice([0.5, 0.9, 1.0])}
        arguments = ["--no-composite"]
        if kind == "crop":
            call["padding_mask_crop"] = rng.choice([0, 4, 17, 40])
            arguments = []
        session.check(f"{kind} {odd} {size} {call.get('padding_mask_crop')}", model, path, call, pipeline=f"{front}InpaintPipeline", arguments=arguments)
    elif kind == "control":
        controls(session, rng, model, path, {**words, **steps, **size}, front)
    elif kind == "count":
        seed = rng.choice([0, 5, 2**32 - 3])
        batch = {**words, **steps, **size, "num_images_per_prompt": 3}
        count(session, model, path, batch, [seed, seed + 1, seed + 2])
    elif kind == "defaults":
        call = dict(prompt=words["prompt"], num_inference_steps=3)
        if model.parts["unet"].config.sample_size * model.factor % 8 == 0:  # all that the pipelines accept
            session.check("defaults", model, path, call)
        call = dict(prompt=words["prompt"], num_inference_steps=8, image=picture(str(rng.random()), size["width"], size["height"]))
        session.check("defaults img2img", model, path, call, pipeline=f"{front}Img2ImgPipeline")
        call = {**call, "mask_image": mask("", size["width"], size["height"]), **size}
        session.check("defaults inpaint", model, path, call, pipeline=f"{front}InpaintPipeline", arguments=["--no-composite"])


def count(session: Session, model, path, call: dict, seeds: list) -> None:
    from . import run

    generators = [torch.Generator("cpu").manual_seed(s) for s in seeds]
    expected = run.build(model)(generator=generators, **call).images
    words = {k: v for k, v in call.items() if k != "num_images_per_prompt"}
    session.against(f"count {seeds[0]}", expected, path, words, seeds)


def controls(session: Session, rng: random.Random, model, path, call: dict, front: str) -> None:
    nets, files = [], []
    for _ in range(rng.choice([1, 1, 2])):
        nets.append(controlnet(rng, model))
        files.append(session.path())
        nets[-1].save_pretrained(files[-1])
    guess = rng.random() < 0.25
    call |= dict(guidance_scale=rng.choice([1.0, 3.0]))
    images = [picture(str(rng.random()), call["width"], call["height"]) for _ in nets]
    weights = [rng.choice([0.0, 0.4, 1.0, 1.7]) for _ in nets]
    starts, ends = [rng.choice([0.0, 0.2, 0.5]) for _ in nets], [rng.choice([0.6, 0.8, 1.0]) for _ in nets]
    single = len(nets) == 1
    pick = lambda values: values[0] if single else values
    more = dict(image=pick(images), controlnet_conditioning_scale=pick(weights), control_guidance_start=pick(starts), control_guidance_end=pick(ends), guess_mode=guess)
    arguments = []
    for file, image, weight, start, end in zip(files, images, weights, starts, ends):
        arguments += ["--control", f"none:{file}:{session.picture(image)}:{weight}:{start}:{end}"]
    if guess:
        arguments += ["--control-mode", "control"]
    from . import run

    pipe = run.build(model, f"{front}ControlNetPipeline", controlnet=pick(nets))
    try:
        expected = run.reference(pipe, [1], {**call, **more})
    except Exception as error:
        session.add(f"control x{len(nets)}", None, f"reference: {error}", bad=False)
        return
    session.against(f"control x{len(nets)} {weights} {starts} {ends} guess={guess}", expected, path, call, (1,), arguments)
