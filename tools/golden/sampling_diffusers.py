"""Trajectories of every scheduler class of diffusers around a formula, driven as the Stable Diffusion pipelines do."""
import inspect
import math

import diffusers
import torch

from sampling_common import CLEAN, NOISE, SHAPE, gain, network, numbers, write

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SIGMA_CLASSES = ["LMSDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler",
                 "KDPM2AncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSDEScheduler",
                 "UniPCMultistepScheduler", "DEISMultistepScheduler"]
SPACED = ["DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "EulerAncestralDiscreteScheduler"] + SIGMA_CLASSES
ZERO_SNR = ["DDIMScheduler", "DDPMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
            "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"]
PLAIN = {"clip_sample": False, "noise_sampler_seed": 11}


def run_diffusers(cls, config, steps, strength=None, eta=0.0, seed=11, custom=None, inpaint=False, nudge=0.0):
    """The loop of the Stable Diffusion pipelines around one scheduler."""
    noise = NOISE * (1 + nudge)
    scheduler = cls.from_config(config)
    if custom:
        scheduler.set_timesteps(**custom)
        steps = scheduler.num_inference_steps
    else:
        scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(seed)
    timesteps = scheduler.timesteps
    if strength is not None:
        start = max(steps - min(int(steps * strength), steps), 0)
        timesteps = scheduler.timesteps[start * scheduler.order:]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(start * scheduler.order)
        x = scheduler.add_noise(CLEAN, noise, timesteps[:1])
    else:
        x = noise * scheduler.init_noise_sigma
    parameters = inspect.signature(scheduler.step).parameters
    extra = {}
    if "eta" in parameters:
        extra["eta"] = eta
    if "generator" in parameters:
        extra["generator"] = generator
    first = None
    begin = x
    for i, t in enumerate(timesteps):
        scaled = scheduler.scale_model_input(x, t)
        x = scheduler.step(network(scaled, t), t, x, **extra, return_dict=False)[0]
        if inpaint:
            kept = CLEAN
            if i < len(timesteps) - 1:
                kept = scheduler.add_noise(CLEAN, noise, torch.tensor([timesteps[i + 1]]))
            mask = (torch.arange(24).reshape(SHAPE) % 3 == 0).float()
            x = (1 - mask) * kept + mask * x
        if first is None:
            first = x
    return {"timesteps": numbers(timesteps.double()), "begin": numbers(begin.flatten()[:3]),
            "first": numbers(first.flatten()[:3]), "final": numbers(x.flatten())}


class Cases:
    def __init__(self):
        self.cases = []

    def __call__(self, name, config, steps, **kwargs):
        cls = getattr(diffusers, name)
        full = {**SD, **config}
        run = lambda nudge: run_diffusers(cls, full, steps, **kwargs, nudge=nudge)
        try:
            result = run(0.0)
        except Exception as error:  # what the class cannot do has no golden
            print("  skipped", name, config, steps, kwargs, type(error).__name__, str(error)[:60])
            return
        if not all(math.isfinite(v) for v in result["final"]):
            print("  not finite", name, config, steps, kwargs)
            return
        self.cases.append({"class": name, "config": full, "steps": steps, **kwargs, "gain": gain(run, result["final"]),
                           **result})


def every_class(add):
    for name in SPACED:
        for spacing in ["linspace", "leading", "trailing"]:
            for steps in [1, 2, 3, 7, 20]:
                add(name, {**PLAIN, "timestep_spacing": spacing, "steps_offset": 1 if spacing == "leading" else 0,
                           "skip_prk_steps": True}, steps)
        for prediction in ["v_prediction", "sample"]:
            add(name, {**PLAIN, "prediction_type": prediction, "skip_prk_steps": True}, 7)
        for strength in [0.3, 0.75]:
            add(name, {**PLAIN, "timestep_spacing": "leading", "steps_offset": 1, "skip_prk_steps": True}, 20,
                strength=strength)
        add(name, {**PLAIN, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "skip_prk_steps": True}, 7,
            strength=0.75)
        add(name, {**PLAIN, "timestep_spacing": "leading", "steps_offset": 1, "skip_prk_steps": True}, 7, inpaint=True)
    for name in SIGMA_CLASSES + ["DPMSolverSinglestepScheduler"]:
        for rule in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]:
            for steps in [3, 7, 20]:
                add(name, {**PLAIN, rule: True}, steps)
    for name in ZERO_SNR:
        for steps in [3, 7, 20]:
            add(name, {**PLAIN, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction",
                       "timestep_spacing": "trailing"}, steps)
    for schedule in ["linear", "squaredcos_cap_v2"]:
        for name in ["DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"]:
            add(name, {**PLAIN, "beta_schedule": schedule}, 7)
    add("DPMSolverMultistepScheduler", {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}, 7)
    add("DDPMScheduler", {**PLAIN, "beta_schedule": "sigmoid"}, 7)
    add("DDPMScheduler", {**PLAIN, "beta_schedule": "laplace"}, 7)
    add("HeunDiscreteScheduler", {**PLAIN, "beta_schedule": "exp"}, 7)
    add("EulerDiscreteScheduler", {"trained_betas": [0.001 + 0.0002 * i for i in range(60)]}, 5)


def options_of_single_classes(add):
    for eta in [0.5, 1.0]:
        add("DDIMScheduler", PLAIN, 7, eta=eta)
    add("DDIMScheduler", {"clip_sample": True}, 7)
    add("DDIMScheduler", {"clip_sample": True, "clip_sample_range": 0.4, "set_alpha_to_one": False}, 7)
    add("DDIMScheduler", {"clip_sample": False, "thresholding": True, "sample_max_value": 1.5}, 7)
    for kind in ["fixed_small", "fixed_small_log", "fixed_large"]:
        add("DDPMScheduler", {**PLAIN, "variance_type": kind}, 7)
    add("DDPMScheduler", {"clip_sample": True}, 7)
    for steps in [4, 7, 20]:
        for spacing in ["linspace", "leading", "trailing"]:
            add("PNDMScheduler", {"skip_prk_steps": False, "timestep_spacing": spacing}, steps)
    add("PNDMScheduler", {"skip_prk_steps": False, "prediction_type": "v_prediction"}, 7)
    add("PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": True}, 7)
    add("EulerDiscreteScheduler", {"final_sigmas_type": "sigma_min"}, 7)
    add("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, 7)
    add("EulerDiscreteScheduler", {"timestep_type": "continuous", "prediction_type": "v_prediction",
                                   "use_karras_sigmas": True, "sigma_min": 0.002, "sigma_max": 120.0}, 7)
    add("EulerDiscreteScheduler", {"use_exponential_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}, 7)
    add("EulerDiscreteScheduler", {}, 6, custom={"sigmas": [14.6, 7.0, 3.0, 1.0, 0.4, 0.1, 0.0]})
    for name in ["EulerDiscreteScheduler", "DPMSolverMultistepScheduler", "HeunDiscreteScheduler"]:
        add(name, {}, 10, custom={"timesteps": [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]})
    add("HeunDiscreteScheduler", {"clip_sample": True, "clip_sample_range": 0.7}, 7)


def dpm_solvers(add):
    for algorithm in ["dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"]:
        for order in [1, 2, 3]:
            for kind in ["midpoint", "heun"]:
                final = "sigma_min" if algorithm in ["dpmsolver", "sde-dpmsolver"] else "zero"
                for steps in [7, 20]:
                    add("DPMSolverMultistepScheduler", {"algorithm_type": algorithm, "solver_order": order,
                                                        "solver_type": kind, "final_sigmas_type": final}, steps)
                    if algorithm != "sde-dpmsolver":
                        add("DPMSolverSinglestepScheduler", {"algorithm_type": algorithm, "solver_order": order,
                                                             "solver_type": kind, "final_sigmas_type": final}, steps)
    for config in [{"lower_order_final": False}, {"euler_at_final": True, "final_sigmas_type": "sigma_min"},
                   {"final_sigmas_type": "sigma_min"}, {"use_lu_lambdas": True}, {"lambda_min_clipped": -5.1},
                   {"thresholding": True}, {"prediction_type": "v_prediction", "algorithm_type": "dpmsolver",
                                            "final_sigmas_type": "sigma_min"},
                   {"solver_order": 3, "use_karras_sigmas": True}]:
        for steps in [7, 16]:
            add("DPMSolverMultistepScheduler", config, steps)
    for steps in [1, 2, 3, 4, 5, 6, 7, 8, 20]:
        for order in [2, 3]:
            add("DPMSolverSinglestepScheduler", {"solver_order": order, "lower_order_final": steps % 2 == 0}, steps)
    for prediction in ["v_prediction", "sample"]:
        add("DPMSolverSinglestepScheduler", {"prediction_type": prediction}, 7)
    for strength in [0.3, 0.75]:
        add("DPMSolverSinglestepScheduler", {"solver_order": 3}, 20, strength=strength)
        add("DPMSolverSinglestepScheduler", {}, 7, strength=strength)


def other_solvers(add):
    for order in [1, 2, 3]:
        for kind in ["bh1", "bh2"]:
            for predict in [True, False]:
                for steps in [3, 7]:
                    add("UniPCMultistepScheduler", {"solver_order": order, "solver_type": kind, "predict_x0": predict,
                                                    "final_sigmas_type": "sigma_min"}, steps)
    add("UniPCMultistepScheduler", {"disable_corrector": [0, 2], "solver_order": 3}, 7)
    add("UniPCMultistepScheduler", {"lower_order_final": False, "solver_order": 2, "final_sigmas_type": "sigma_min"}, 7)
    for rule in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]:
        add("UniPCMultistepScheduler", {rule: True, "final_sigmas_type": "sigma_min", "solver_order": 3}, 7)
    for order in [1, 2, 3]:
        for steps in [7, 20]:
            add("DEISMultistepScheduler", {"solver_order": order}, steps)
    add("DEISMultistepScheduler", {"lower_order_final": False, "solver_order": 3, "thresholding": True}, 7)
    for name in ["LCMScheduler", "TCDScheduler"]:
        for steps in [1, 2, 4, 7]:
            for prediction in ["epsilon", "v_prediction", "sample"]:
                add(name, {"prediction_type": prediction}, steps, eta=0.3)
        add(name, {"original_inference_steps": 40, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, 4)
        add(name, {"set_alpha_to_one": False, "clip_sample": True, "timestep_scaling": 3.0}, 4, strength=0.75, eta=1.0)
        add(name, {}, 8, inpaint=True, eta=0.2)
    for steps in [1, 2, 5, 20]:
        add("IPNDMScheduler", {}, steps)


def borrowed_configurations(add):
    """Taking a class from another class's configuration."""
    pndm = {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "skip_prk_steps": True, "steps_offset": 1,
            "set_alpha_to_one": False, "clip_sample": False, "prediction_type": "epsilon"}
    for name in SPACED + ["DPMSolverSinglestepScheduler", "LCMScheduler", "TCDScheduler"]:
        add(name, {**pndm, "noise_sampler_seed": 11}, 8)


def pipeline_corrections():
    """What the Stable Diffusion pipeline changes in old configurations."""
    corrections = []
    for config in [{"_class_name": "DDIMScheduler"}, {"_class_name": "DDIMScheduler", "steps_offset": 0, "clip_sample": True},
                   {"_class_name": "PNDMScheduler", "steps_offset": 0}, {"_class_name": "EulerDiscreteScheduler"}]:
        pipeline = diffusers.StableDiffusionPipeline(
            vae=None, text_encoder=None, tokenizer=None, unet=None, safety_checker=None, feature_extractor=None,
            scheduler=getattr(diffusers, config["_class_name"]).from_config({**SD, **config}),
            requires_safety_checker=False)
        for name in ["DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"]:
            scheduler = pipeline.scheduler
            if name != config["_class_name"]:
                scheduler = getattr(diffusers, name).from_config(scheduler.config)
            corrections.append({"config": {**SD, **config}, "class": name, "steps_offset": scheduler.config.steps_offset,
                                "clip_sample": bool(getattr(scheduler.config, "clip_sample", False))})
    return corrections


def diffusers_goldens():
    add = Cases()
    for part in [every_class, options_of_single_classes, dpm_solvers, other_solvers, borrowed_configurations]:
        part(add)
    write("diffusers.json", {"diffusers": diffusers.__version__, "torch": torch.__version__,
                             "noise": numbers(NOISE.flatten()), "clean": numbers(CLEAN.flatten()),
                             "corrections": pipeline_corrections(), "cases": add.cases})
