#!/usr/bin/env python3
"""Makes tests/golden/sampling/*.json: what the reference programs compute, for sampling_test.

Needs torch, diffusers, torchsde, scipy, and k-diffusion installed with --no-deps (only its sampling module is used).

The "network" is a formula, so that both sides can compute it in float32:
    f(x, t) = 0.6 x + 0.25 sin(2 x) + 0.1 t / 1000
and the latents are patterns of exact binary fractions.
"""
import json
import math
import pathlib
import sys
import types
import warnings

import numpy as np
import scipy.stats
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "sampling"
SHAPE = (1, 4, 2, 3)


def pattern(count, factor, modulus):
    return torch.tensor([((i * factor) % modulus) / 256.0 - modulus / 512.0 for i in range(count)], dtype=torch.float32)


NOISE = pattern(24, 7919, 1009).reshape(SHAPE)
CLEAN = pattern(24, 104729, 499).reshape(SHAPE)


def network(x, t):
    t = float(t)
    return 0.6 * x + 0.25 * torch.sin(2.0 * x) + 0.1 * (t / 1000.0)


def numbers(values):
    """Float32 values with as many digits as they need."""
    values = values.tolist() if hasattr(values, "tolist") else values
    return [float(f"{v:.9g}") for v in values]


def write(name, document):
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in document["cases"])
    head = {k: v for k, v in document.items() if k != "cases"}
    text = json.dumps(head)[:-1] + (", " if head else "") + '"cases": [\n' + lines + "\n]}\n"
    json.loads(text)
    (OUT / name).write_text(text)
    print(f"{name}: {len(document['cases'])} cases, {len(text)} bytes")


# ---------------------------------------------------------------- random numbers
def random_goldens():
    cases = []
    for seed, calls in [
        (0, [5]), (0, [16]), (42, [16]), (0, [20]), (0, [1, 2, 3]), (7, [15, 16, 17, 3, 33]),
        (123456789012345, [36, 36]), (2**32 + 5, [17]), (1, [4, 40, 4]),
    ]:
        generator = torch.Generator().manual_seed(seed)
        cases.append({"kind": "torch_cpu", "seed": seed,
                      "calls": [numbers(torch.randn(n, generator=generator)) for n in calls]})
    for entropy, key, pool, count in [(0, [], 4, 4), (0, [], 24, 3), (12345, [3, 2], 24, 4),
                                      (2**40 + 17, [1, 1], 24, 4), (99, [2**33 + 1, 34], 8, 6)]:
        sequence = np.random.SeedSequence(entropy=entropy, spawn_key=tuple(key), pool_size=pool)
        cases.append({"kind": "seed_sequence", "entropy": entropy, "spawn_key": key, "pool_size": pool,
                      "state": [int(v) for v in sequence.generate_state(count)]})

    import torchsde
    for seed, low, high, queries in [
        (0, 0.0291671582, 14.6146412, [(14.6146412, 10.7468), (10.7468, 8.0815), (8.0815, 3.0), (3.0, 0.0291671582)]),
        (42, 0.03, 14.6, [(14.6, 1.5), (14.6, 14.6 - 1e-5), (1.5, 0.1), (0.1, 0.03), (7.3, 7.29)]),
        (2**33 + 9, 0.1, 2.0, [(2.0, 1.0), (1.0, 0.123456789)]),
    ]:
        t0, t1 = torch.tensor(low), torch.tensor(high)
        tree = torchsde.BrownianTree(t0, torch.zeros(20), t1, entropy=seed)
        answers = []
        for sigma, sigma_next in queries:
            a, b = torch.tensor(sigma), torch.tensor(sigma_next)
            answers.append(numbers(tree(b, a) * -1 / (b - a).abs().sqrt()))
        cases.append({"kind": "brownian", "seed": seed, "low": low, "high": high, "queries": queries, "answers": answers})

    # Variation seeds, after the rule of A1111: column-wise spherical interpolation, or linear where nearly parallel.
    def slerp(t, a, b):
        cosine = (a / a.norm(dim=1, keepdim=True) * (b / b.norm(dim=1, keepdim=True))).sum(1)
        if cosine.mean() > 0.9995:
            return t * a + (1 - t) * b
        omega = torch.acos(cosine)
        wa, wb = torch.sin((1 - t) * omega) / torch.sin(omega), torch.sin(t * omega) / torch.sin(omega)
        return wa.unsqueeze(1) * a + wb.unsqueeze(1) * b

    for t, seed, other, noise in [(0.25, 3, 4, 0.0), (0.9, 3, 4, 0.0), (0.3, 5, 5, 1e-3)]:
        a = torch.randn((4, 3, 2), generator=torch.Generator().manual_seed(seed))
        b = torch.randn((4, 3, 2), generator=torch.Generator().manual_seed(other)) + noise
        cases.append({"kind": "slerp", "t": t, "a": numbers(a.flatten()), "b": numbers(b.flatten()),
                      "out": numbers(slerp(t, a, b).flatten())})
    write("random.json", {"torch": torch.__version__, "torchsde": torchsde.__version__, "cases": cases})


# ---------------------------------------------------------------- diffusers
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
ORDER2 = {"HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"}


def run_diffusers(cls, config, steps, strength=None, eta=0.0, seed=11, custom=None, inpaint=False, nudge=0.0):
    """The loop of the Stable Diffusion pipelines around one scheduler."""
    import inspect
    NOISE = globals()["NOISE"] * (1 + nudge)
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
        x = scheduler.add_noise(CLEAN, NOISE, timesteps[:1])
    else:
        x = NOISE * scheduler.init_noise_sigma
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
                kept = scheduler.add_noise(CLEAN, NOISE, torch.tensor([timesteps[i + 1]]))
            mask = (torch.arange(24).reshape(SHAPE) % 3 == 0).float()
            x = (1 - mask) * kept + mask * x
        if first is None:
            first = x
    return {"timesteps": numbers(timesteps.double()), "begin": numbers(begin.flatten()[:3]),
            "first": numbers(first.flatten()[:3]), "final": numbers(x.flatten())}


def diffusers_goldens():
    import diffusers
    cases = []

    def add(name, config, steps, **kwargs):
        cls = getattr(diffusers, name)
        full = {**SD, **config}
        try:
            result = run_diffusers(cls, full, steps, **kwargs)
        except Exception as error:  # what the class cannot do has no golden
            print("  skipped", name, config, steps, kwargs, type(error).__name__, str(error)[:60])
            return
        if not all(math.isfinite(v) for v in result["final"]):
            print("  not finite", name, config, steps, kwargs)
            return
        # How much the reference itself amplifies a relative change of its noise: the bar for a comparison.
        nudged = run_diffusers(cls, full, steps, **kwargs, nudge=1e-5)["final"]
        change = max(abs(a - b) for a, b in zip(nudged, result["final"])) / max(max(map(abs, result["final"])), 1e-30)
        cases.append({"class": name, "config": full, "steps": steps, **kwargs, "gain": float(f"{change / 1e-5:.3g}"),
                      **result})

    sigma_classes = ["LMSDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler",
                     "KDPM2AncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSDEScheduler",
                     "UniPCMultistepScheduler", "DEISMultistepScheduler"]
    spaced = ["DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "EulerAncestralDiscreteScheduler"] + sigma_classes
    zero_snr = ["DDIMScheduler", "DDPMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
                "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"]
    plain = {"clip_sample": False, "noise_sampler_seed": 11}
    for name in spaced:
        for spacing in ["linspace", "leading", "trailing"]:
            for steps in [1, 2, 3, 7, 20]:
                add(name, {**plain, "timestep_spacing": spacing, "steps_offset": 1 if spacing == "leading" else 0,
                           "skip_prk_steps": True}, steps)
        for prediction in ["v_prediction", "sample"]:
            add(name, {**plain, "prediction_type": prediction, "skip_prk_steps": True}, 7)
        for strength in [0.3, 0.75]:
            add(name, {**plain, "timestep_spacing": "leading", "steps_offset": 1, "skip_prk_steps": True}, 20,
                strength=strength)
        add(name, {**plain, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "skip_prk_steps": True}, 7,
            strength=0.75)
        add(name, {**plain, "timestep_spacing": "leading", "steps_offset": 1, "skip_prk_steps": True}, 7, inpaint=True)
    for name in sigma_classes + ["DPMSolverSinglestepScheduler"]:
        for rule in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]:
            for steps in [3, 7, 20]:
                add(name, {**plain, rule: True}, steps)
    for name in zero_snr:
        for steps in [3, 7, 20]:
            add(name, {**plain, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction",
                       "timestep_spacing": "trailing"}, steps)
    for schedule in ["linear", "squaredcos_cap_v2"]:
        for name in ["DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"]:
            add(name, {**plain, "beta_schedule": schedule}, 7)
    add("DPMSolverMultistepScheduler", {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}, 7)
    add("DDPMScheduler", {**plain, "beta_schedule": "sigmoid"}, 7)
    add("DDPMScheduler", {**plain, "beta_schedule": "laplace"}, 7)
    add("HeunDiscreteScheduler", {**plain, "beta_schedule": "exp"}, 7)
    add("EulerDiscreteScheduler", {"trained_betas": [0.001 + 0.0002 * i for i in range(60)]}, 5)

    # Options of single classes.
    for eta in [0.5, 1.0]:
        add("DDIMScheduler", plain, 7, eta=eta)
    add("DDIMScheduler", {"clip_sample": True}, 7)
    add("DDIMScheduler", {"clip_sample": True, "clip_sample_range": 0.4, "set_alpha_to_one": False}, 7)
    add("DDIMScheduler", {"clip_sample": False, "thresholding": True, "sample_max_value": 1.5}, 7)
    for kind in ["fixed_small", "fixed_small_log", "fixed_large"]:
        add("DDPMScheduler", {**plain, "variance_type": kind}, 7)
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

    # Taking a class from another class's configuration.
    pndm = {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "skip_prk_steps": True, "steps_offset": 1,
            "set_alpha_to_one": False, "clip_sample": False, "prediction_type": "epsilon"}
    for name in spaced + ["DPMSolverSinglestepScheduler", "LCMScheduler", "TCDScheduler"]:
        add(name, {**pndm, "noise_sampler_seed": 11}, 8)

    # The corrections of the Stable Diffusion pipeline to old configurations.
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
    write("diffusers.json", {"diffusers": diffusers.__version__, "torch": torch.__version__,
                             "noise": numbers(NOISE.flatten()), "clean": numbers(CLEAN.flatten()),
                             "corrections": corrections, "cases": cases})


# ---------------------------------------------------------------- k-diffusion, as A1111 and ComfyUI use it
def load_k_diffusion():
    """k_diffusion.sampling and .external alone: the package itself pulls in training code."""
    import importlib.util
    folder = pathlib.Path(importlib.util.find_spec("k_diffusion").origin).parent
    package = types.ModuleType("k_diffusion")
    package.__path__ = [str(folder)]
    utils = types.ModuleType("k_diffusion.utils")
    utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    ode = types.ModuleType("torchdiffeq")
    ode.odeint = None
    sys.modules.update({"k_diffusion": package, "k_diffusion.utils": utils, "torchdiffeq": ode})
    package.utils = utils
    import k_diffusion.external
    import k_diffusion.sampling
    return k_diffusion.sampling, k_diffusion.external


class Levels:
    """The trained levels, in float64 and then float32."""

    def __init__(self, zero_snr=False):
        betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=np.float64) ** 2
        bars = np.cumprod(1 - betas)
        if zero_snr:
            roots = np.sqrt(bars)
            roots = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
            bars = roots**2
            bars[-1] = 4.8973451890853435e-08
        self.bars = bars
        self.alphas_cumprod = torch.tensor(bars, dtype=torch.float32)
        self.sigmas = torch.tensor(np.sqrt((1 - bars) / bars), dtype=torch.float32)
        self.log_sigmas = self.sigmas.log()

    def t_to_sigma(self, t):
        t = torch.as_tensor(t).float().clamp(0, 999)
        w = t.frac()
        return ((1 - w) * self.log_sigmas[t.floor().long()] + w * self.log_sigmas[t.ceil().long()]).exp()


def schedule(kd, levels, name, n, dialect, sdxl=False):
    """The noise levels of a schedule, as each program computes them."""
    low, high = levels.sigmas[0].item(), levels.sigmas[-1].item()
    comfy = dialect == "comfy"
    if name == "normal":
        return torch.cat([levels.t_to_sigma(torch.linspace(999, 0, n)), torch.zeros(1)])
    if name == "sgm-uniform":
        return torch.cat([levels.t_to_sigma(torch.linspace(999, 0, n + 1)[:-1]), torch.zeros(1)])
    if name == "karras":
        return kd.get_sigmas_karras(n, low, high)
    if name == "exponential":
        return kd.get_sigmas_exponential(n, low, high)
    if name == "simple":
        return torch.stack([levels.sigmas[-(1 + int(i * 1000 / n))] for i in range(n)] + [torch.tensor(0.0)])
    if name == "ddim-uniform":
        return torch.cat([levels.sigmas[1:: max(1000 // n, 1)].flip(0), torch.zeros(1)])
    if name == "beta":
        if comfy:
            ts = np.rint(scipy.stats.beta.ppf(1 - np.linspace(0, 1, n, endpoint=False), 0.6, 0.6) * 999).astype(int)
            kept = [t for i, t in enumerate(ts) if i == 0 or t != ts[i - 1]]
            return torch.cat([levels.sigmas[kept], torch.zeros(1)])
        return torch.tensor([low + x * (high - low) for x in scipy.stats.beta.ppf(1 - np.linspace(0, 1, n), 0.6, 0.6)] + [0.0],
                            dtype=torch.float32)
    if name == "ays":
        table = {(False, False): [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029],
                 (False, True): [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029],
                 (True, False): [14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
                                 0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582],
                 (True, True): [14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
                                0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582]}[(comfy, sdxl)]
        count = n + 1 if comfy else n
        out = list(table)
        if count != len(table):
            xs = np.linspace(0, 1, len(table))
            out = np.exp(np.interp(np.linspace(0, 1, count), xs, np.log(table[::-1])))[::-1].tolist()
        return torch.tensor(out[:-1] + [0.0] if comfy else out + [0.0], dtype=torch.float32)
    assert name == "kl-optimal"
    x = torch.arange(n).float() / (n - 1) if comfy else torch.arange(n + 1).float() / n
    out = torch.tan(x * math.atan(low) + (1 - x) * math.atan(high))
    return torch.cat([out, torch.zeros(1)]) if comfy else out


# Samplers that k-diffusion does not have, from their papers, in float64.
def reference_ddim(model, x, sigmas, noise, eta=0.0):
    """Song et al. 2021, equation 12, on latents of unit variance."""
    bars = 1 / (1 + sigmas.double() ** 2)
    x = x.double() * bars[0].sqrt()
    for i in range(len(sigmas) - 1):
        a, b = bars[i], bars[i + 1]
        e = (x / a.sqrt() - model((x / a.sqrt()).float(), sigmas[i]).double()) / sigmas[i].double()
        s = eta * ((1 - b) / (1 - a)).sqrt() * (1 - a / b).sqrt()
        x = b.sqrt() * (x - (1 - a).sqrt() * e) / a.sqrt() + (1 - b - s**2).clamp(min=0).sqrt() * e
        if s > 0:
            x = x + s * noise(sigmas[i], sigmas[i + 1]).double()
    return (x / bars[-1].sqrt()).float()


def reference_plms(model, x, sigmas, noise):
    """Liu et al. 2022, equation 12, with a second-order first step, on latents of unit variance."""
    bars = 1 / (1 + sigmas.double() ** 2)
    x = x.double() * bars[0].sqrt()
    eps = lambda v, i: (v / bars[i].sqrt() - model((v / bars[i].sqrt()).float(), sigmas[i]).double()) / sigmas[i].double()
    move = lambda v, e, i: bars[i + 1].sqrt() * (v - (1 - bars[i]).sqrt() * e) / bars[i].sqrt() + (1 - bars[i + 1]).sqrt() * e
    old = []
    for i in range(len(sigmas) - 1):
        e = eps(x, i)
        if not old:
            p = (e + eps(move(x, e, i), i + 1)) / 2 if sigmas[i + 1] > 0 else e
        else:
            w = {1: [3 / 2, -1 / 2], 2: [23 / 12, -16 / 12, 5 / 12], 3: [55 / 24, -59 / 24, 37 / 24, -9 / 24]}[len(old)]
            p = sum(a * b for a, b in zip(w, [e] + old[::-1]))
        x = move(x, p, i)
        old = (old + [e])[-3:]
    return (x / bars[-1].sqrt()).float()


def reference_ddpm(model, x, sigmas, noise):
    """Ho et al. 2020, equations 7 and 11: x_prev = (x - (1 - a) / sqrt(1 - abar) eps) / sqrt(a) + sqrt(var) z."""
    bars = 1 / (1 + sigmas.double() ** 2)
    x = x.double() * bars[0].sqrt()
    for i in range(len(sigmas) - 1):
        a = bars[i] / bars[i + 1]
        e = (x / bars[i].sqrt() - model((x / bars[i].sqrt()).float(), sigmas[i]).double()) / sigmas[i].double()
        x = (x - (1 - a) / (1 - bars[i]).sqrt() * e) / a.sqrt()
        if sigmas[i + 1] > 0:
            x = x + ((1 - a) * (1 - bars[i + 1]) / (1 - bars[i])).sqrt() * noise(sigmas[i], sigmas[i + 1]).double()
    return (x / bars[-1].sqrt()).float()


def reference_lcm(model, x, sigmas, noise):
    for i in range(len(sigmas) - 1):
        x = model(x, sigmas[i])
        if sigmas[i + 1] > 0:
            x = x + sigmas[i + 1] * noise(sigmas[i], sigmas[i + 1])
    return x


def reference_tcd(model, x, sigmas, noise, levels, eta=0.3):
    """Zheng et al. 2024, algorithm 4, on latents of unit variance."""
    for i in range(len(sigmas) - 1):
        d = model(x, sigmas[i])
        e = (x - d) / sigmas[i]
        if sigmas[i + 1] == 0:
            return d
        t = np.interp(math.log(sigmas[i + 1].item()), levels.log_sigmas.double().numpy(), np.arange(1000))
        s = levels.sigmas[int(math.floor((1 - eta) * t + 1e-9))].double()
        b, c = 1 / (1 + sigmas[i + 1].double() ** 2), 1 / (1 + s**2)
        at_s = c.sqrt() * d.double() + (1 - c).sqrt() * e.double()
        x = ((b / c).sqrt() * at_s + (1 - b / c).sqrt() * noise(sigmas[i], sigmas[i + 1]).double()) / b.sqrt()
        x = x.float()
    return x


def reference_ipndm(model, x, sigmas, noise):
    old = []
    for i in range(len(sigmas) - 1):
        d = model(x, sigmas[i])
        slope = ((x - d) / sigmas[i]).double()
        w = {0: [1.0], 1: [3 / 2, -1 / 2], 2: [23 / 12, -16 / 12, 5 / 12], 3: [55 / 24, -59 / 24, 37 / 24, -9 / 24]}[len(old)]
        move = (sigmas[i + 1] - sigmas[i]).double() * sum(a * b for a, b in zip(w, [slope] + old[::-1]))
        x = d if sigmas[i + 1] == 0 else (x.double() + move).float()
        old = (old + [slope])[-3:]
    return x


def reference_deis(model, x, sigmas, noise):
    """Zhang and Chen 2023, equation 15, order 3; the integrals as sums over 10,000 points."""
    eps = 1e-3
    bd = 2 * (math.log(0.002**2 + 1) / eps - math.log(80**2 + 1)) / (eps - 1)
    bm = math.log(80**2 + 1) - 0.5 * bd
    time = (np.sqrt(bm**2 + 2 * bd * np.log(sigmas.double().numpy() ** 2 + 1)) - bm) / bd
    slopes = []
    for i in range(len(sigmas) - 1):
        d = model(x, sigmas[i])
        slopes = [((x - d) / sigmas[i]).double()] + slopes[:2]
        if len(slopes) == 1 or sigmas[i + 1] <= 0:
            x = (x.double() + (sigmas[i + 1] - sigmas[i]).double() * slopes[0]).float()
            continue
        tau = np.linspace(time[i], time[i + 1], 10000)
        grows = np.exp(0.5 * bd * tau**2 + bm * tau)  # sigma^2 + 1
        dsigma = 0.5 * (bd * tau + bm) * grows / np.sqrt(grows - 1)
        move = 0
        for j in range(len(slopes)):
            lagrange = np.prod([(tau - time[i - k]) / (time[i - j] - time[i - k]) for k in range(len(slopes)) if k != j], axis=0)
            move = move + (dsigma * lagrange).sum() * (time[i + 1] - time[i]) / 10000 * slopes[j]
        x = (x.double() + move).float()
    return x


def reference_unipc(model, x, sigmas, noise, bh1=True, order=None):
    """diffusers' UniPC with the levels put in by hand."""
    import diffusers
    sigmas = sigmas.clone()
    if sigmas[-1] == 0:
        sigmas[-1] = 0.001
    n = len(sigmas) - 1
    order = max(min(3, n - 1), 1) if order is None else min(order, n)
    scheduler = diffusers.UniPCMultistepScheduler(solver_order=order, solver_type="bh1" if bh1 else "bh2",
                                                  prediction_type="sample")
    scheduler.set_timesteps(n)
    scheduler.sigmas = sigmas
    scheduler.timesteps = torch.arange(n, 0, -1)
    scheduler.set_begin_index(0)
    scale = lambda s: 1 / (1 + s**2) ** 0.5
    x = x * scale(sigmas[0])
    for i in range(n):
        x = scheduler.step(model(x / scale(sigmas[i]), sigmas[i]), scheduler.timesteps[i], x, return_dict=False)[0]
    return x / scale(sigmas[-1])


def reference_restart(kd, model, x, sigmas, noise):
    """Xu et al. 2023, algorithm 1, with A1111's numbers."""
    steps = len(sigmas) - 1
    count, length = (0, 0) if steps < 20 else (1, 9) if steps < 36 else (2, steps // 4)
    if count:
        sigmas = kd.get_sigmas_karras(steps - count * length, sigmas[-2].item(), sigmas[0].item())
    bottom, top = int((sigmas - 0.1).abs().argmin()), int((sigmas - 2.0).abs().argmin())
    for i in range(len(sigmas) - 1):
        x = kd.sample_heun(lambda v, s: model(v, s[0]), x, sigmas[i: i + 2], disable=True)
        if count and i + 1 == bottom and top < bottom:
            again = kd.get_sigmas_karras(length + 1, sigmas[bottom].item(), sigmas[top].item())[:-1]
            for _ in range(count):
                x = x + noise(sigmas[bottom], again[0]) * (again[0] ** 2 - sigmas[bottom] ** 2) ** 0.5
                x = kd.sample_heun(lambda v, s: model(v, s[0]), x, again, disable=True)
    return x


A1111_AUTOMATIC = {"dpm++2m": "karras", "dpm++sde": "karras", "dpm++2s-a": "karras", "dpm2": "karras", "dpm2-a": "karras",
                   "restart": "karras", "dpm++2m-sde": "exponential", "dpm++3m-sde": "exponential"}
K_FUNCTIONS = {"euler": "euler", "euler-a": "euler_ancestral", "heun": "heun", "dpm2": "dpm_2", "dpm2-a": "dpm_2_ancestral",
               "lms": "lms", "dpm++2s-a": "dpmpp_2s_ancestral", "dpm++2m": "dpmpp_2m", "dpm++sde": "dpmpp_sde",
               "dpm++2m-sde": "dpmpp_2m_sde", "dpm++3m-sde": "dpmpp_3m_sde"}
BROWNIAN = {"dpm++sde", "dpm++2m-sde", "dpm++3m-sde"}


def a1111_timestep_setup(levels, sampler, steps, strength):
    """The lists of timesteps of A1111's DDIM, PLMS and UniPC: levels, timesteps, the first latent, the last factor."""
    rising = torch.clip(torch.arange(0, 1000, 1000 // steps) + 1, 0, 999)
    bars = levels.alphas_cumprod
    x = NOISE
    if strength is not None:
        encoded = int(min(strength, 0.999) * steps)
        x = CLEAN * bars[rising[encoded]].sqrt() + NOISE * (1 - bars[rising[encoded]]).sqrt()
        rising = rising[:encoded]
    if sampler == "unipc":
        top = 1.0 if strength is None else (rising[-1].item() + 1) / 1000
        times = np.linspace(top, 1 / 1000, len(rising) + 1)
        log_alpha = np.interp(times, np.arange(1, 1001) / 1000, 0.5 * np.log(levels.bars))
        sigmas = torch.tensor(np.sqrt(np.exp(-2 * log_alpha) - 1), dtype=torch.float32)
        timesteps = (times - 1 / 1000) * 1000
    else:
        sigmas, timesteps = levels.sigmas[rising.flip(0)], rising.flip(0).double().numpy()
    return sigmas, timesteps, x * (1 + sigmas[0] ** 2).sqrt(), 1 / (1 + sigmas[-1] ** 2).sqrt()


def run_k(kd, external, case, nudge=0.0):
    dialect, sampler, steps, seed = case["dialect"], case["sampler"], case["steps"], 11
    strength, prediction = case.get("strength"), case.get("prediction", "epsilon")
    noise0 = NOISE * (1 + nudge)
    levels = Levels(case.get("zero_snr", False))
    comfy = dialect == "comfy"
    chosen = case.get("schedule") or ("normal" if comfy else A1111_AUTOMATIC.get(sampler, "normal"))
    known = {}
    factor = 1.0
    lcm = sampler == "lcm" and not comfy
    if not comfy and not case.get("schedule") and sampler in ("ddim", "pndm", "unipc"):
        sigmas, timesteps, x, factor = a1111_timestep_setup(levels, sampler, steps, strength)
        x = x * (1 + nudge)
        known = {s.item(): t for s, t in zip(sigmas, timesteps)}
        span = sigmas
    else:
        visible = levels
        if lcm:  # the fifty levels of distillation
            visible = types.SimpleNamespace(sigmas=levels.sigmas[19::20], log_sigmas=levels.log_sigmas[19::20])
            spread = torch.linspace(49, 0, steps)
            w = spread.frac()
            sigmas = ((1 - w) * visible.log_sigmas[spread.floor().long()] + w * visible.log_sigmas[spread.ceil().long()]).exp()
            sigmas = torch.cat([sigmas, torch.zeros(1)])
            if chosen == "karras":
                sigmas = kd.get_sigmas_karras(steps, visible.sigmas[0].item(), visible.sigmas[-1].item())
        discard = sampler in (("dpm2", "dpm2-a", "unipc") if comfy else ("dpm2", "dpm2-a", "dpm++3m-sde"))
        count = int(steps / strength) if comfy and strength is not None and strength <= 0.9999 else steps
        if chosen.startswith("sigmas:"):
            sigmas = torch.tensor([float(v) for v in chosen[7:].split(",")])
        elif not lcm:
            sigmas = schedule(kd, levels, chosen, count + discard, dialect, case.get("sdxl", False))
            if discard:
                sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
        span = sigmas
        if strength is not None:
            sigmas = sigmas[-(steps + 1):] if comfy else sigmas[steps - int(min(strength, 0.999) * steps) - 1:]
        if comfy:
            span = sigmas
            full = sigmas[0] > levels.sigmas[-1] or math.isclose(sigmas[0], levels.sigmas[-1], rel_tol=1e-5)
            x = noise0 * ((1 + sigmas[0] ** 2).sqrt() if full else sigmas[0])
        else:
            x = noise0 * sigmas[0]
        if strength is not None:
            x = x + CLEAN

    if comfy:
        t_of = lambda s: float((s.log() - levels.log_sigmas).abs().argmin())
    elif lcm:
        t_of = lambda s: float((s.log() - levels.log_sigmas[19::20]).abs().argmin() * 20 + 19)
    else:
        wrapped = external.DiscreteSchedule(levels.sigmas, quantize=False)
        t_of = lambda s: known[s.item()] if s.item() in known else float(wrapped.sigma_to_t(s.reshape(1))[0])

    def model(v, s):
        s = torch.as_tensor(s).reshape(-1)[0]
        t = t_of(s)
        out = network(v / (s**2 + 1) ** 0.5, t)
        if prediction == "v_prediction":
            d = v / (s**2 + 1) - out * s / (s**2 + 1) ** 0.5
        else:
            d = v - out * s
        if lcm:
            k = torch.tensor(t) * 10.0
            d = k / (k**2 + 0.25) ** 0.5 * d + 0.25 / (k**2 + 0.25) * v
        return d

    # ComfyUI's steps draw from seed + 1, but its churning goes on with the generator of the first latent.
    generator = torch.Generator().manual_seed(seed + 1 if comfy and "s_churn" not in case else seed)
    draw = lambda *_: torch.randn(SHAPE, generator=generator)
    options = {k: case[k] for k in ("s_churn", "s_tmin", "s_tmax", "s_noise", "eta") if k in case}
    if sampler in K_FUNCTIONS:
        proxy = types.ModuleType("torch")
        proxy.__dict__.update(torch.__dict__)
        proxy.randn_like = draw
        kd.torch = proxy
        if sampler in BROWNIAN:
            positive = span[span > 0]
            options["noise_sampler"] = kd.BrownianTreeNoiseSampler(
                x, positive.min(), span.max(), seed=seed if comfy else [seed])
        if case.get("heun"):
            options["solver_type"] = "heun"
        x = getattr(kd, "sample_" + K_FUNCTIONS[sampler])(model, x, sigmas, disable=True, **options)
    else:
        reference = {"ddim": reference_ddim, "pndm": reference_plms, "ddpm": reference_ddpm, "lcm": reference_lcm,
                     "ipndm": reference_ipndm, "deis": reference_deis}.get(sampler)
        if sampler == "unipc":
            x = reference_unipc(model, x, sigmas, draw, bh1=not case.get("bh2"), order=None if comfy else 3)
        elif sampler == "restart":
            x = reference_restart(kd, model, x, sigmas, draw)
        elif sampler == "tcd":
            x = reference_tcd(model, x, sigmas, draw, levels, **options)
        elif sampler == "ddim":
            x = reference_ddim(model, x, sigmas, draw, **options)
        else:
            x = reference(model, x, sigmas, draw)
    return {"sigmas": numbers(sigmas), "final": numbers((x * factor).flatten())}


def k_goldens():
    kd, external = load_k_diffusion()
    cases = []

    def add(dialect, sampler, steps, **options):
        case = {"dialect": dialect, "sampler": sampler, "steps": steps, **options}
        result = run_k(kd, external, case)
        if not all(math.isfinite(v) for v in result["final"]):
            print("  not finite", case)
            return
        nudged = run_k(kd, external, case, nudge=1e-5)["final"]
        change = max(abs(a - b) for a, b in zip(nudged, result["final"])) / max(map(abs, result["final"]))
        cases.append({**case, "gain": float(f"{change / 1e-5:.3g}"), **result})

    names = ["ddim", "ddpm", "pndm", "lms", "euler", "euler-a", "heun", "dpm2", "dpm2-a", "dpm++2s-a", "dpm++2m", "dpm++sde",
             "dpm++2m-sde", "dpm++3m-sde", "unipc", "deis", "lcm", "tcd", "ipndm", "restart"]
    for dialect in ["a1111", "comfy"]:
        for sampler in names:
            for steps in [2, 3, 7, 20]:
                add(dialect, sampler, steps)
            add(dialect, sampler, 7, schedule="karras")
            add(dialect, sampler, 7, schedule="sigmas:14.6,7,3,1,0.4,0.1,0")
            if not (dialect == "a1111" and sampler == "lcm"):
                add(dialect, sampler, 7, prediction="v_prediction")
                add(dialect, sampler, 7, prediction="v_prediction", zero_snr=True, schedule="sgm-uniform")
            add(dialect, sampler, 20, strength=0.3)
            add(dialect, sampler, 7, strength=0.75)
        for name in ["normal", "exponential", "sgm-uniform", "simple", "ddim-uniform", "beta", "ays", "kl-optimal"]:
            add(dialect, "euler", 9, schedule=name)
            add(dialect, "dpm++2m", 10, schedule=name)
        add(dialect, "euler", 8, schedule="ays", sdxl=True)
        for sampler in ["euler", "heun", "dpm2"]:
            # k-diffusion draws noise for every step, ComfyUI only for those that churn: there, all of them.
            add(dialect, sampler, 7, s_churn=2.0, s_noise=1.01, **({} if dialect == "comfy" else {"s_tmin": 0.1, "s_tmax": 8.0}))
        for sampler in ["euler-a", "dpm2-a", "dpm++2s-a", "dpm++sde", "dpm++2m-sde", "dpm++3m-sde", "tcd"]:
            add(dialect, sampler, 7, eta=0.5)
        add(dialect, "ddim", 7, eta=1.0)
        add(dialect, "dpm++2m-sde", 7, heun=True)
    add("comfy", "unipc", 7, bh2=True)
    add("a1111", "restart", 40)

    # The schedules alone, with the numbers of steps that matter.
    schedules = []
    for dialect in ["a1111", "comfy"]:
        for name in ["normal", "karras", "exponential", "sgm-uniform", "simple", "ddim-uniform", "beta", "ays", "kl-optimal"]:
            for steps in [2, 5, 10, 11, 20, 30]:
                for sdxl in [False, True] if name == "ays" else [False]:
                    schedules.append({"dialect": dialect, "schedule": name, "steps": steps, "sdxl": sdxl,
                                      "sigmas": numbers(schedule(kd, Levels(), name, steps, dialect, sdxl))})
    zero = Levels(True)
    write("k.json", {"k_diffusion": "0.1.1.post1", "torch": torch.__version__,
                     "zero_snr_sigmas": numbers(zero.sigmas[[0, 500, 998, 999]]),
                     "beta_quantiles": [[p, float(scipy.stats.beta.ppf(p, 0.6, 0.6))] for p in np.linspace(0.001, 0.999, 41)],
                     "schedules": schedules, "cases": cases})


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or ["random", "diffusers", "k"]
    for part in wanted:
        globals()[f"{part}_goldens"]()
