"""Sampling as A1111 and ComfyUI do it: k-diffusion's samplers, and references for the rest, around a formula.

k-diffusion is needed for its sampling module only: pip install --no-deps k-diffusion.
"""
import importlib.util
import math
import pathlib
import sys
import types

import numpy as np
import scipy.stats
import torch

import sampling_references as references
from sampling_common import CLEAN, NOISE, SHAPE, gain, network, numbers, write


def load_k_diffusion():
    """k_diffusion.sampling and .external alone: the package itself pulls in training code."""
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


A1111_AUTOMATIC = {"dpm++2m": "karras", "dpm++sde": "karras", "dpm++2s-a": "karras", "dpm2": "karras", "dpm2-a": "karras",
                   "restart": "karras", "dpm++2m-sde": "exponential", "dpm++3m-sde": "exponential"}
K_FUNCTIONS = {"euler": "euler", "euler-a": "euler_ancestral", "heun": "heun", "dpm2": "dpm_2", "dpm2-a": "dpm_2_ancestral",
               "lms": "lms", "dpm++2s-a": "dpmpp_2s_ancestral", "dpm++2m": "dpmpp_2m", "dpm++sde": "dpmpp_sde",
               "dpm++2m-sde": "dpmpp_2m_sde", "dpm++3m-sde": "dpmpp_3m_sde"}
BROWNIAN = {"dpm++sde", "dpm++2m-sde", "dpm++3m-sde"}
REFERENCES = {"ddim": references.reference_ddim, "pndm": references.reference_plms, "ddpm": references.reference_ddpm,
              "lcm": references.reference_lcm, "ipndm": references.reference_ipndm, "deis": references.reference_deis,
              "tcd": references.reference_tcd}
SEED = 11


class Run:
    """One job: which levels it visits, how its latent starts, and the denoiser around the formula."""

    def __init__(self, kd, external, case, nudge):
        self.kd, self.case, self.sampler = kd, case, case["sampler"]
        self.comfy = case["dialect"] == "comfy"
        self.strength = case.get("strength")
        self.levels = Levels(case.get("zero_snr", False))
        self.wrapped = external.DiscreteSchedule(self.levels.sigmas, quantize=False)
        self.lcm = self.sampler == "lcm" and not self.comfy
        self.known, self.end_factor = {}, 1.0
        noise = NOISE * (1 + nudge)
        if not self.comfy and not case.get("schedule") and self.sampler in ("ddim", "pndm", "unipc"):
            self.start_on_timesteps(noise)
        else:
            self.start_on_levels(noise)

    def start_on_timesteps(self, noise):
        """The lists of timesteps of A1111's DDIM, PLMS and UniPC."""
        steps, bars = self.case["steps"], self.levels.alphas_cumprod
        rising = torch.clip(torch.arange(0, 1000, 1000 // steps) + 1, 0, 999)
        x = noise
        if self.strength is not None:
            encoded = int(min(self.strength, 0.999) * steps)
            x = CLEAN * bars[rising[encoded]].sqrt() + noise * (1 - bars[rising[encoded]]).sqrt()
            rising = rising[:encoded]
        if self.sampler == "unipc":
            top = 1.0 if self.strength is None else (rising[-1].item() + 1) / 1000
            times = np.linspace(top, 1 / 1000, len(rising) + 1)
            log_alpha = np.interp(times, np.arange(1, 1001) / 1000, 0.5 * np.log(self.levels.bars))
            self.sigmas = torch.tensor(np.sqrt(np.exp(-2 * log_alpha) - 1), dtype=torch.float32)
            timesteps = (times - 1 / 1000) * 1000
        else:
            self.sigmas, timesteps = self.levels.sigmas[rising.flip(0)], rising.flip(0).double().numpy()
        self.known = {s.item(): t for s, t in zip(self.sigmas, timesteps)}
        self.span = self.sigmas
        self.x = x * (1 + self.sigmas[0] ** 2).sqrt()
        self.end_factor = 1 / (1 + self.sigmas[-1] ** 2).sqrt()

    def lcm_schedule(self, name):
        """A1111 restricts LCM to the fifty levels of its distillation."""
        sigmas, logs = self.levels.sigmas[19::20], self.levels.log_sigmas[19::20]
        if name == "karras":
            return self.kd.get_sigmas_karras(self.case["steps"], sigmas[0].item(), sigmas[-1].item())
        t = torch.linspace(49, 0, self.case["steps"])
        w = t.frac()
        return torch.cat([((1 - w) * logs[t.floor().long()] + w * logs[t.ceil().long()]).exp(), torch.zeros(1)])

    def start_on_levels(self, noise):
        steps, strength = self.case["steps"], self.strength
        name = self.case.get("schedule") or ("normal" if self.comfy else A1111_AUTOMATIC.get(self.sampler, "normal"))
        discard = self.sampler in (("dpm2", "dpm2-a", "unipc") if self.comfy else ("dpm2", "dpm2-a", "dpm++3m-sde"))
        count = int(steps / strength) if self.comfy and strength is not None and strength <= 0.9999 else steps
        if name.startswith("sigmas:"):
            sigmas = torch.tensor([float(v) for v in name[7:].split(",")])
        elif self.lcm:
            sigmas = self.lcm_schedule(name)
        else:
            sigmas = schedule(self.kd, self.levels, name, count + discard, self.case["dialect"], self.case.get("sdxl", False))
            if discard:
                sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
        self.span = sigmas
        if strength is not None:
            sigmas = sigmas[-(steps + 1):] if self.comfy else sigmas[steps - int(min(strength, 0.999) * steps) - 1:]
        self.sigmas = sigmas
        factor = sigmas[0]
        if self.comfy:
            self.span = sigmas
            most = self.levels.sigmas[-1]
            if sigmas[0] > most or math.isclose(sigmas[0], most, rel_tol=1e-5):
                factor = (1 + sigmas[0] ** 2).sqrt()
        self.x = noise * factor + (CLEAN if strength is not None else 0)

    def timestep(self, sigma):
        if self.comfy:
            return float((sigma.log() - self.levels.log_sigmas).abs().argmin())
        if self.lcm:
            return float((sigma.log() - self.levels.log_sigmas[19::20]).abs().argmin() * 20 + 19)
        return self.known[sigma.item()] if sigma.item() in self.known else float(self.wrapped.sigma_to_t(sigma.reshape(1))[0])

    def denoise(self, x, sigma):
        sigma = torch.as_tensor(sigma).reshape(-1)[0]
        t = self.timestep(sigma)
        out = network(x / (sigma**2 + 1) ** 0.5, t)
        if self.case.get("prediction") == "v_prediction":
            denoised = x / (sigma**2 + 1) - out * sigma / (sigma**2 + 1) ** 0.5
        else:
            denoised = x - out * sigma
        if self.lcm:
            k = torch.tensor(t) * 10.0
            denoised = k / (k**2 + 0.25) ** 0.5 * denoised + 0.25 / (k**2 + 0.25) * x
        return denoised

    def sample(self):
        # ComfyUI's steps draw from seed + 1, but its churning goes on with the generator of the first latent.
        other = self.comfy and "s_churn" not in self.case
        generator = torch.Generator().manual_seed(SEED + 1 if other else SEED)
        draw = lambda *_: torch.randn(SHAPE, generator=generator)
        options = {k: self.case[k] for k in ("s_churn", "s_tmin", "s_tmax", "s_noise", "eta") if k in self.case}
        if self.sampler in K_FUNCTIONS:
            return self.sample_with_k_diffusion(draw, options)
        if self.sampler == "unipc":
            return references.reference_unipc(self.denoise, self.x, self.sigmas, draw, bh1=not self.case.get("bh2"),
                                              order=None if self.comfy else 3)
        if self.sampler == "restart":
            return references.reference_restart(self.kd, self.denoise, self.x, self.sigmas, draw)
        if self.sampler == "tcd":
            options["levels"] = self.levels
        return REFERENCES[self.sampler](self.denoise, self.x, self.sigmas, draw, **options)

    def sample_with_k_diffusion(self, draw, options):
        proxy = types.ModuleType("torch")
        proxy.__dict__.update(torch.__dict__)
        proxy.randn_like = draw
        self.kd.torch = proxy
        if self.sampler in BROWNIAN:
            low = self.span[self.span > 0].min()
            options["noise_sampler"] = self.kd.BrownianTreeNoiseSampler(self.x, low, self.span.max(),
                                                                        seed=SEED if self.comfy else [SEED])
        if self.case.get("heun"):
            options["solver_type"] = "heun"
        function = getattr(self.kd, "sample_" + K_FUNCTIONS[self.sampler])
        return function(self.denoise, self.x, self.sigmas, disable=True, **options)


def run_k(kd, external, case, nudge=0.0):
    job = Run(kd, external, case, nudge)
    return {"sigmas": numbers(job.sigmas), "final": numbers((job.sample() * job.end_factor).flatten())}


def k_goldens():
    kd, external = load_k_diffusion()
    cases = []

    def add(dialect, sampler, steps, **options):
        case = {"dialect": dialect, "sampler": sampler, "steps": steps, **options}
        result = run_k(kd, external, case)
        if not all(math.isfinite(v) for v in result["final"]):
            print("  not finite", case)
            return
        cases.append({**case, "gain": gain(lambda nudge: run_k(kd, external, case, nudge), result["final"]), **result})

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
