"""The table of guided pipeline fixtures: init pictures, masks, ControlNets, adapters, edits, refiner."""

import functools

from . import guidance_models as gm
from . import pipelines
from .pipeline_cases import CASTLE, MULTISTEP, NEGATIVE, SDXL_TEXT, SEA, XL, txt


def bare(seed, prompt=CASTLE, steps=5, cfg=7.5, **call):
    """A call without width and height: the pipeline takes them from its picture."""
    return dict(seed=seed, call=dict(prompt=prompt, num_inference_steps=steps, guidance_scale=cfg, **call))


def pic(name, width=64, height=64):
    return ("picture", name, width, height)


def hole(width=64, height=64):
    return ("mask", "hole", width, height)


EULER, DDIM = ("EulerDiscreteScheduler",), ("DDIMScheduler",)

SD_IMG2IMG = {
    "sd1_img2img": bare(41, image=pic("init"), strength=0.8),
    "sd1_img2img_euler": dict(scheduler=EULER, **bare(42, SEA, image=pic("init_wide", 96, 64), strength=0.5, steps=6,
                                                      negative_prompt=NEGATIVE)),
    "sd1_img2img_batch_ddim": dict(scheduler=DDIM, **bare(
        [43, 44], [CASTLE, SEA], image=pic("init_odd", 72, 56), strength=0.6, cfg=3.0)),
    "sd1_img2img_resized": dict(scheduler=(MULTISTEP,), **bare(45, image=pic("init_cut", 70, 61), strength=0.7, steps=6)),
    "sd2_img2img": dict(model="sd2", **bare(46, image=pic("init"), strength=0.75, cfg=3.0)),
}

SD_INPAINT = {
    "sd1_inpaint_4": txt(51, image=pic("init"), mask_image=hole(), strength=1.0),
    "sd1_inpaint_4_strength": dict(scheduler=EULER, **txt(
        52, SEA, size=(96, 64), image=pic("init_wide", 96, 64), mask_image=hole(96, 64), strength=0.7)),
    "sd1_inpaint_4_crop": dict(scheduler=DDIM, **txt(
        53, size=(64, 64), image=pic("large", 128, 96), mask_image=hole(128, 96), strength=0.8, padding_mask_crop=8)),
    "sd1_inpaint_9": dict(model="sd1_inpaint", **txt(54, image=pic("init"), mask_image=hole(), strength=1.0)),
    "sd1_inpaint_9_strength": dict(model="sd1_inpaint", scheduler=EULER, **txt(
        55, SEA, size=(64, 88), image=pic("init_tall", 64, 88), mask_image=hole(64, 88), strength=0.8, cfg=3.0)),
}

ONE = dict(parts=dict(controlnet=gm.controlnet_sd1), files=dict(controlnet="models/controlnet_sd1"))
TWO = dict(parts=dict(controlnet=gm.controlnets_sd1),
           files=dict(controlnet=["models/controlnet_sd1", "models/controlnet_sd1_b/control.safetensors"]))

SD_CONTROL = {
    "sd1_controlnet": dict(**ONE, **txt(61, image=pic("edges"), controlnet_conditioning_scale=0.8, steps=4)),
    "sd1_controlnet_range": dict(**ONE, scheduler=EULER, **txt(
        62, SEA, size=(72, 88), image=pic("edges_odd", 72, 88), controlnet_conditioning_scale=1.2,
        control_guidance_start=0.2, control_guidance_end=0.7)),
    "sd1_controlnet_guess": dict(**ONE, scheduler=DDIM, **txt(
        63, "", cfg=3.0, image=pic("edges"), guess_mode=True, steps=4)),
    "sd1_controlnet_two": dict(**TWO, scheduler=DDIM, **txt(
        64, size=(96, 64), image=[pic("edges_wide", 96, 64), pic("depth_wide", 96, 64)], steps=4,
        controlnet_conditioning_scale=[0.6, 1.1], control_guidance_start=[0.0, 0.3], control_guidance_end=[0.8, 1.0])),
}

OTHER = {
    "sd1_controlnet_img2img": dict(pipeline="StableDiffusionControlNetImg2ImgPipeline", scheduler=EULER, **ONE, **txt(
        71, image=pic("init"), control_image=pic("edges"), strength=0.7, controlnet_conditioning_scale=0.9)),
    "sd1_controlnet_inpaint": dict(pipeline="StableDiffusionControlNetInpaintPipeline", scheduler=DDIM, **ONE, **txt(
        72, image=pic("init"), mask_image=hole(), control_image=pic("edges"), strength=0.8, steps=5)),
    "sd1_edit": dict(model="sd1_edit", pipeline="StableDiffusionInstructPix2PixPipeline", scheduler=EULER, **bare(
        73, "make it night", image=pic("init"), image_guidance_scale=1.5, steps=5)),
    "sd1_edit_ddim": dict(model="sd1_edit", pipeline="StableDiffusionInstructPix2PixPipeline", scheduler=DDIM, **bare(
        74, SEA, image=pic("init_wide", 96, 64), image_guidance_scale=2.0, cfg=4.0, steps=4, negative_prompt=NEGATIVE)),
    "sd1_lcm": dict(model="sd1_lcm", pipeline="LatentConsistencyModelPipeline", **txt(
        75, SEA, cfg=8.0, steps=4, original_inference_steps=50)),
    "sd1_t2i": dict(pipeline="StableDiffusionAdapterPipeline", parts=dict(adapter=gm.t2i_sd1),
                    files=dict(t2i_adapter="models/t2i_sd1"), scheduler=EULER, **txt(
                        76, image=pic("edges"), adapter_conditioning_scale=0.7)),
}

XL_GUIDED = {
    "sdxl_img2img": dict(pipeline="StableDiffusionXLImg2ImgPipeline", **bare(
        81, image=pic("init_wide", 96, 64), strength=0.6, cfg=5.0)),
    "sdxl_refiner": dict(model="sdxl_refiner", pipeline="StableDiffusionXLImg2ImgPipeline", **bare(
        82, SEA, image=pic("init"), strength=0.5, cfg=5.0, steps=6, aesthetic_score=6.5, negative_aesthetic_score=2.0)),
    "sdxl_refiner_part": dict(model="sdxl_refiner", pipeline="StableDiffusionXLImg2ImgPipeline", **bare(
        83, denoising_start=0.6, cfg=5.0, steps=5,
        image=("latents_of", {"model": "sdxl", "pipeline": XL, **SDXL_TEXT["sdxl_base_part"]}))),
    "sdxl_inpaint_4": dict(pipeline="StableDiffusionXLInpaintPipeline", **txt(
        84, cfg=5.0, image=pic("init"), mask_image=hole(), strength=0.85)),
    "sdxl_inpaint_9": dict(model="sdxl_inpaint", pipeline="StableDiffusionXLInpaintPipeline", **txt(
        85, SEA, cfg=5.0, image=pic("init"), mask_image=hole(), strength=0.99, negative_prompt=NEGATIVE)),
    "sdxl_controlnet": dict(pipeline="StableDiffusionXLControlNetPipeline", parts=dict(controlnet=gm.controlnet_sdxl),
                            files=dict(controlnet="models/controlnet_sdxl"), **txt(
                                86, cfg=5.0, steps=4, image=pic("edges"), controlnet_conditioning_scale=0.7)),
    "sdxl_t2i": dict(pipeline="StableDiffusionXLAdapterPipeline", parts=dict(adapter=gm.t2i_sdxl),
                     files=dict(t2i_adapter="models/t2i_sdxl"), **txt(
                         87, cfg=5.0, steps=4, image=pic("edges"), adapter_conditioning_scale=0.9,
                         adapter_conditioning_factor=0.6)),
}

IP = {
    "sd1_ip_adapter": dict(ip="ip_adapter_sd1", scale=0.7, pipeline="StableDiffusionPipeline", model="sd1", scheduler=EULER,
                           **txt(91, ip_adapter_image=pic("style", 80, 60), steps=4)),
    "sd1_ip_adapter_plus": dict(ip="ip_adapter_plus_sd1", scale=1.0, pipeline="StableDiffusionPipeline", model="sd1",
                                scheduler=DDIM, **txt(92, SEA, ip_adapter_image=pic("style", 80, 60), steps=4, cfg=3.0)),
    "sdxl_ip_adapter": dict(ip="ip_adapter_sdxl", scale=0.6, pipeline=XL, model="sdxl",
                            **txt(93, ip_adapter_image=pic("style_tall", 50, 77), steps=4, cfg=5.0)),
}


def ip_adapter_loader(name, scale):
    def prepare(pipe):
        state = {"image_proj": {}, "ip_adapter": {}}
        for key, value in gm.IP_ADAPTERS[name]().items():
            part, rest = key.split(".", 1)
            state[part][rest] = value
        pipe.load_ip_adapter(state, subfolder="", weight_name="", low_cpu_mem_usage=False)
        pipe.set_ip_adapter_scale(scale)

    return prepare


def spec_table() -> dict:
    table = {}
    for default, model, specs in (
        ("StableDiffusionImg2ImgPipeline", "sd1", SD_IMG2IMG),
        ("StableDiffusionInpaintPipeline", "sd1", SD_INPAINT),
        ("StableDiffusionControlNetPipeline", "sd1", SD_CONTROL),
        (None, "sd1", OTHER),
        (None, "sdxl", XL_GUIDED),
    ):
        for name, spec in specs.items():
            table[name] = {"pipeline": default, "model": model, **spec}
    return table


def make_ip_case(root, name, spec):
    spec = {**spec, "parts": dict(image_encoder=gm.vision_encoder),
            "files": dict(ip_adapter=f"models/{spec['ip']}", image_encoder="models/image_encoder")}
    pipelines.make_case(root, name, spec, prepare=ip_adapter_loader(spec["ip"], spec["scale"]),
                        ip_adapter_scale=spec["scale"])


def cases() -> dict:
    table = dict(gm.cases())
    for name, spec in spec_table().items():
        table[f"pipelines/{name}"] = functools.partial(pipelines.make_case, name=name, spec=spec)
    for name, spec in IP.items():
        table[f"pipelines/{name}"] = functools.partial(make_ip_case, name=name, spec=spec)
    return table
