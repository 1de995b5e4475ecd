"""The table of pipeline fixtures: model, pipeline class, scheduler, seed and call arguments of each."""

import functools

from . import guidance_models, pipelines, tiny_models

TXT, XL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
CASTLE = "a castle on a hill at dawn, mist"
SEA = "stormy sea, two moons"
NEGATIVE = "blurry, low quality"
MULTISTEP = "DPMSolverMultistepScheduler"


def txt(seed, prompt=CASTLE, steps=5, cfg=7.5, size=(64, 64), **call):
    return dict(seed=seed, call=dict(prompt=prompt, num_inference_steps=steps, guidance_scale=cfg, width=size[0],
                                     height=size[1], **call))


SD1_TEXT = {
    "sd1_txt2img": txt(1),
    "sd1_nonsquare_ddim": dict(scheduler=("DDIMScheduler",), **txt(2, size=(96, 64), negative_prompt=NEGATIVE, steps=4)),
    "sd1_odd_euler": dict(scheduler=("EulerDiscreteScheduler",), **txt(3, SEA, cfg=3.0, size=(72, 88))),
    "sd1_batch_euler_a": dict(scheduler=("EulerAncestralDiscreteScheduler",), **txt(
        4, [CASTLE, SEA], steps=3, negative_prompt=[NEGATIVE, ""], num_images_per_prompt=2)),
    "sd1_no_guidance_dpmpp_2m_karras": dict(scheduler=(MULTISTEP, dict(use_karras_sigmas=True)), **txt(5, cfg=1.0, steps=6)),
    "sd1_clip_skip_unipc": dict(scheduler=("UniPCMultistepScheduler",), **txt(6, SEA, clip_skip=1, steps=5)),
    "sd1_ddim_eta": dict(scheduler=("DDIMScheduler", dict(timestep_spacing="trailing")), **txt(7, eta=0.6, steps=4)),
    "sd1_generators": dict(**txt([11, 12], [CASTLE, SEA], steps=4)),
    "sd1_empty_prompt_heun": dict(scheduler=("HeunDiscreteScheduler",), **txt(8, "", cfg=3.0, steps=3)),
    "sd1_long_prompt_lms": dict(scheduler=("LMSDiscreteScheduler",), **txt(9, ", ".join(
        ["an immense ancient library carved into the cliff with glowing lanterns"] * 8), steps=5)),
    "sd1_dpmpp_sde_2m": dict(scheduler=(MULTISTEP, dict(algorithm_type="sde-dpmsolver++", use_exponential_sigmas=True)),
                             **txt(10, steps=4)),
    "sd1_deis_beta": dict(scheduler=("DEISMultistepScheduler", dict(use_beta_sigmas=True)), **txt(13, SEA, steps=5)),
    "sd1_ddpm": dict(scheduler=("DDPMScheduler",), **txt(14, steps=4)),
    "sd1_guidance_rescale": dict(scheduler=("EulerDiscreteScheduler",), **txt(15, guidance_rescale=0.7, steps=4)),
    "sd1_custom_sigmas": dict(scheduler=("EulerDiscreteScheduler",), **txt(
        16, sigmas=[14.615, 6.475, 3.861, 1.886, 0.963, 0.399, 0.0])),
    "sd1_custom_timesteps": dict(scheduler=("DDPMScheduler",), **txt(17, timesteps=[921, 700, 430, 99])),
    "sd1_taesd": dict(parts=dict(vae=guidance_models.taesd), files=dict(taesd="models/taesd"), **txt(18, steps=4)),
    "sd1_tcd": dict(scheduler=("TCDScheduler",), **txt(19, steps=4, cfg=1.0, eta=0.3)),
}

SD2_TEXT = {
    "sd2_txt2img": txt(21, cfg=3.0, steps=6, size=(64, 64), guidance_rescale=0.7),
    "sd2_euler_trailing": dict(scheduler=("EulerDiscreteScheduler",), **txt(22, SEA, size=(48, 72), steps=5,
                                                                          negative_prompt=NEGATIVE)),
    "sd2_dpmpp_2m": dict(scheduler=(MULTISTEP,), **txt(23, cfg=3.0, size=(72, 56), steps=5)),
}

SINGLE_TEXT = {
    "sd1_single_txt2img": txt(24, size=(48, 32), negative_prompt=NEGATIVE),
    "sd1_single_ddim": dict(scheduler=("DDIMScheduler",), **txt(25, SEA, size=(40, 40), cfg=3.0, steps=4)),
}

SDXL_TEXT = {
    "sdxl_txt2img": txt(31, cfg=5.0),
    "sdxl_negative_empty": txt(32, SEA, cfg=5.0, negative_prompt="", size=(96, 64), steps=4),
    "sdxl_sizes": txt(33, prompt_2="oil painting", negative_prompt=NEGATIVE, negative_prompt_2="photo", steps=4,
                      size=(72, 88), original_size=(512, 400), crops_coords_top_left=(16, 8), target_size=(88, 72),
                      negative_original_size=(256, 256), negative_crops_coords_top_left=(0, 0),
                      negative_target_size=(128, 128)),
    "sdxl_sizes_shared": txt(38, SEA, steps=4, cfg=5.0, size=(72, 88), original_size=(512, 400),
                             crops_coords_top_left=(16, 8), target_size=(96, 128)),
    "sdxl_clip_skip_batch": dict(scheduler=(MULTISTEP,), **txt([34, 35], [CASTLE, SEA], clip_skip=1, steps=4, cfg=3.0)),
    "sdxl_turbo": dict(scheduler=("EulerAncestralDiscreteScheduler", dict(timestep_spacing="trailing")),
                       **txt(36, steps=1, cfg=0.0)),
    "sdxl_base_part": dict(latent_output=True, **txt(37, steps=5, cfg=5.0, denoising_end=0.6)),
}


def spec_table() -> dict:
    table = {}
    for model, specs in (("sd1", SD1_TEXT), ("sd1_single", SINGLE_TEXT), ("sd2", SD2_TEXT), ("sdxl", SDXL_TEXT)):
        for name, spec in specs.items():
            table[name] = {"model": model, "pipeline": XL if model == "sdxl" else TXT, **spec}
    return table


def cases() -> dict:
    table = dict(tiny_models.cases())
    for name, spec in spec_table().items():
        table[f"pipelines/{name}"] = functools.partial(pipelines.make_case, name=name, spec=spec)
    return table
