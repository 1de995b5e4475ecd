"""Samplers that k-diffusion does not have, written from their papers in float64, on denoisers D(x, sigma)."""
import math

import diffusers
import numpy as np
import torch


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
