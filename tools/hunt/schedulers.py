"""Every scheduler class with random options, as a folder's own configuration or asked for by --sampler, on one tiny
model: text to picture and picture to picture, odd numbers of steps, guidance, eta."""

import random

import diffusers


from .models import random_model
from .session import Session, any_size, any_words, mask, picture
from .shapes import save

# Class -> (name of the program's sampler, options that the class has and their values).
SPACING = dict(timestep_spacing=("linspace", "leading", "trailing"))
SIGMAS = dict(sigmas=(None, "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"))
CLIPS = dict(clip_sample=(False, False, True), clip_sample_range=(1.0, 2.0), thresholding=(False, False, True),
             dynamic_thresholding_ratio=(0.9, 0.995), sample_max_value=(1.0, 1.5))
ZERO = dict(rescale_betas_zero_snr=(False, False, True))
SAMPLE = dict(prediction_type=("epsilon", "epsilon", "v_prediction", "sample"))
V = dict(prediction_type=("epsilon", "v_prediction"))
FINAL = dict(final_sigmas_type=("zero", "zero", "sigma_min"))
CLASSES = {
    "DDIMScheduler": ("ddim", {**SPACING, **CLIPS, **ZERO, **SAMPLE, "set_alpha_to_one": (True, False)}),
    "DDPMScheduler": ("ddpm", {**SPACING, **CLIPS, **ZERO, **SAMPLE, "variance_type": ("fixed_small", "fixed_large", "fixed_small_log")}),
    "PNDMScheduler": ("pndm", {**SPACING, **V, "skip_prk_steps": (True, True, False), "set_alpha_to_one": (True, False)}),
    "LMSDiscreteScheduler": ("lms", {**SPACING, **SIGMAS, **SAMPLE}),
    "EulerDiscreteScheduler": ("euler", {**SPACING, **SIGMAS, **ZERO, **SAMPLE, **FINAL, "timestep_type": ("discrete", "discrete", "continuous"),
                                        "interpolation_type": ("linear", "log_linear")}),
    "EulerAncestralDiscreteScheduler": ("euler-a", {**SPACING, **ZERO, **V}),
    "HeunDiscreteScheduler": ("heun", {**SPACING, **SIGMAS, **SAMPLE, "clip_sample": (False, True)}),
    "KDPM2DiscreteScheduler": ("dpm2", {**SPACING, **SIGMAS, **V}),
    "KDPM2AncestralDiscreteScheduler": ("dpm2-a", {**SPACING, **SIGMAS, **V}),
    "DPMSolverMultistepScheduler": ("dpm++2m", {
        **SPACING, **SIGMAS, **ZERO, **SAMPLE, **FINAL, "solver_order": (1, 2, 2, 3), "solver_type": ("midpoint", "heun"),
        "algorithm_type": ("dpmsolver++", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"), "lower_order_final": (True, False),
        "euler_at_final": (False, True), "thresholding": (False, False, True), "use_lu_lambdas": (False, False, True)}),
    "DPMSolverSinglestepScheduler": (None, {**SIGMAS, **SAMPLE, **FINAL, "solver_order": (1, 2, 3), "lower_order_final": (True, True, False),
                                            "algorithm_type": ("dpmsolver++", "dpmsolver", "sde-dpmsolver++"), "solver_type": ("midpoint", "heun")}),
    "DPMSolverSDEScheduler": (None, {**SPACING, **SIGMAS, **V}),  # without noise_sampler_seed it is not seeded at all
    "UniPCMultistepScheduler": ("unipc", {**SPACING, **SIGMAS, **ZERO, **SAMPLE, **FINAL, "solver_order": (1, 2, 3), "solver_type": ("bh1", "bh2"),
                                          "predict_x0": (True, True, False), "lower_order_final": (True, False), "disable_corrector": ([], [0], [1, 2])}),
    "DEISMultistepScheduler": ("deis", {**SPACING, **SIGMAS, **SAMPLE, "solver_order": (1, 2, 3), "lower_order_final": (True, False)}),
    "LCMScheduler": ("lcm", {**CLIPS, **ZERO, **SAMPLE, "original_inference_steps": (50, 40), "timestep_scaling": (10.0, 7.0)}),
    "TCDScheduler": ("tcd", {**CLIPS, **ZERO, **SAMPLE}),
    "IPNDMScheduler": ("ipndm", {}),
}
BETAS = dict(beta_schedule=("scaled_linear", "scaled_linear", "linear", "squaredcos_cap_v2"), beta_start=(0.00085, 0.0001), beta_end=(0.012, 0.02),
             steps_offset=(0, 1, 1))


def options_for(rng: random.Random, name: str) -> dict:
    if name == "IPNDMScheduler":
        return {}
    chosen = {key: rng.choice(values) for key, values in {**BETAS, **CLASSES[name][1]}.items() if rng.random() < 0.6}
    rule = chosen.pop("sigmas", None)
    if rule:
        chosen[rule] = True
    if name == "DPMSolverSDEScheduler":
        chosen["noise_sampler_seed"] = 0
    return chosen


def hunt(session: Session, rng: random.Random, names=tuple(CLASSES)) -> None:
    model = random_model(rng, rng.choice(["sd1", "sd2", "sdxl"]))
    while len(model.parts["unet"].config.block_out_channels) > 2 or model.parts["vae"].config.latent_channels != 4:
        model = random_model(rng, model.family)
    base = session.path()
    save(model, base)
    for name in names:
        options = options_for(rng, name)
        try:
            scheduler = getattr(diffusers, name)(**options)
        except Exception as error:  # options that exclude each other
            session.add(f"{name} {options}", None, f"cannot be built: {str(error)[:80]}", bad=False)
            continue
        one(session, rng, model, base, scheduler, f"{name} {options}")
        if CLASSES[name][0]:
            asked(session, rng, model, base, name)


def call_for(rng: random.Random, model) -> tuple[dict, str]:
    size = any_size(rng, model.factor, 4, 6)
    call = {**any_words(rng), "num_inference_steps": rng.choice([1, 2, 3, 4, 5, 7, 10, 13]), "guidance_scale": rng.choice([0.0, 1.0, 2.0, 7.5])}
    kind = rng.choice(["", "", "", "Img2Img", "Inpaint"])
    if kind:
        call |= dict(image=picture(str(rng.random()), size["width"], size["height"]), strength=rng.choice([0.3, 0.55, 0.8, 1.0]))
    if kind == "Inpaint":
        call["mask_image"] = mask("", size["width"], size["height"])
    if kind != "Img2Img":
        call |= size
    if not kind and rng.random() < 0.3:
        call["guidance_rescale"] = 0.6
    if rng.random() < 0.3:
        call["eta"] = rng.choice([0.3, 1.0])
    if rng.random() < 0.15:
        call["clip_skip"] = 1
    return call, f"StableDiffusion{'XL' if model.xl else ''}{kind}Pipeline"


def one(session: Session, rng: random.Random, model, base, scheduler, name: str) -> None:
    """The class as the folder's own."""
    folder = session.path()
    folder.mkdir()
    for part in base.iterdir():
        if part.name not in ("scheduler", "model_index.json"):
            (folder / part.name).symlink_to(part)
    scheduler.save_pretrained(folder / "scheduler")
    index = (base / "model_index.json").read_text()
    (folder / "model_index.json").write_text(index.replace(type(model.parts["scheduler"]).__name__, type(scheduler).__name__))
    own, model.parts["scheduler"] = model.parts["scheduler"], scheduler
    call, pipeline = call_for(rng, model)
    try:
        session.check(name + brief(call), model, folder, call, (rng.choice([0, 7, 2**32 - 1]),), pipeline, arguments=composite(call))
    finally:
        model.parts["scheduler"] = own


def asked(session: Session, rng: random.Random, model, base, name: str) -> None:
    """The class by --sampler over the folder's configuration, with a schedule where the class has one."""
    extra, arguments = {}, ["--sampler", CLASSES[name][0]]
    if "sigmas" in CLASSES[name][1] and rng.random() < 0.6:
        rule = rng.choice(["karras", "exponential", "beta"])
        extra = {f"use_{rule}_sigmas": True}
        if rule != "karras" and "timestep_spacing" in CLASSES[name][1]:
            extra["timestep_spacing"] = "linspace"
        arguments += ["--schedule", rule]
    elif "timestep_spacing" in CLASSES[name][1]:
        schedule, spacing = rng.choice([("normal", "linspace"), ("sgm-uniform", "trailing"), ("ddim-uniform", "leading"), ("simple", "trailing")])
        extra = {"timestep_spacing": spacing}
        arguments += ["--schedule", schedule]
    call, pipeline = call_for(rng, model)
    session.check(" ".join(arguments) + brief(call), model, base, call, (3,), pipeline, scheduler=(name, extra), arguments=arguments + composite(call))


def composite(call: dict) -> list:
    return ["--no-composite"] if "mask_image" in call else []


def brief(call: dict) -> str:
    keys = ("num_inference_steps", "guidance_scale", "strength", "eta", "guidance_rescale", "mask_image")
    return " " + " ".join(f"{k.split('_')[0]}={'y' if k == 'mask_image' else call[k]}" for k in keys if k in call)
