"""Formulas of the adapter families: random factors for a weight and the difference that they mean.

Each family is a function `make(weight, seed, rank)` that returns the tensors of one module under the published
suffixes, and `apply(weight, tensors, strength)` returns the merged weight. Sources: LoRA (Hu 2021), LoCon, LoHa, LoKr,
(IA)^3 and GLoRA as published in LyCORIS (Yeh 2023), DoRA (Liu 2024).
"""

import math

import torch

from .common import normal, to_half_grid


def tensor(seed, name, *shape, scale=1.0):
    return to_half_grid(normal(seed, name, shape, scale))


def fan_in(weight):
    return math.prod(weight.shape[1:])


def flat(t):
    return t.flatten(1)


def alpha_scale(tensors, rank):
    """alpha over rank; no alpha means a scale of one."""
    return float(tensors["alpha"]) / rank if "alpha" in tensors else 1.0


# LoRA and LoCon: up * down; with lora_mid the Tucker form, where down is 1x1 and mid holds the window.
def make_lora(weight, seed, rank, alpha=None, tucker=False):
    out, cin, *window = weight.shape
    scale = 0.7 / math.sqrt(rank)
    t = {"lora_up.weight": tensor(seed, "up", out, rank, *[1] * len(window), scale=scale)}
    if tucker and window and max(window) > 1:
        t["lora_mid.weight"] = tensor(seed, "mid", rank, rank, *window, scale=(rank * math.prod(window)) ** -0.5)
        t["lora_down.weight"] = tensor(seed, "down", rank, cin, *[1] * len(window), scale=cin**-0.5)
    else:
        t["lora_down.weight"] = tensor(seed, "down", rank, cin, *window, scale=fan_in(weight) ** -0.5)
    if alpha is not None:
        t["alpha"] = torch.tensor(float(alpha))
    return t


def lora_difference(weight, t):
    rank = t["lora_down.weight"].shape[0]
    up, down = flat(t["lora_up.weight"]), t["lora_down.weight"]
    if "lora_mid.weight" in t:
        diff = torch.einsum("oa,abkl,bi->oikl", up, t["lora_mid.weight"], flat(down))
    else:
        diff = (up @ flat(down)).reshape(weight.shape[0], *down.shape[1:])
    return diff * alpha_scale(t, rank)


def make_loha(weight, seed, rank, alpha=None, tucker=False):
    out, cin, *window = weight.shape
    t = {}
    for i in (1, 2):
        scale = 0.9 * rank**-0.5
        if tucker and window and max(window) > 1:
            t[f"hada_t{i}"] = tensor(seed, f"t{i}", rank, rank, *window, scale=0.5)
            t[f"hada_w{i}_a"] = tensor(seed, f"a{i}", rank, out, scale=scale)
            t[f"hada_w{i}_b"] = tensor(seed, f"b{i}", rank, cin, scale=0.6)
        else:
            t[f"hada_w{i}_a"] = tensor(seed, f"a{i}", out, rank, scale=scale)
            t[f"hada_w{i}_b"] = tensor(seed, f"b{i}", rank, fan_in(weight), scale=fan_in(weight) ** -0.25)
    if alpha is not None:
        t["alpha"] = torch.tensor(float(alpha))
    return t


def loha_difference(weight, t):
    rank, parts = t["hada_w1_b"].shape[0], []
    for i in (1, 2):
        a, b = t[f"hada_w{i}_a"], t[f"hada_w{i}_b"]
        if f"hada_t{i}" in t:
            parts.append(torch.einsum("abkl,bi,ao->oikl", t[f"hada_t{i}"], b, a))
        else:
            parts.append((a @ b).reshape(weight.shape))
    return parts[0] * parts[1] * alpha_scale(t, rank)


def split(n, small=4):
    """A factor pair (a, b) of n with a the largest divisor up to `small`."""
    a = next(d for d in range(min(small, n), 0, -1) if n % d == 0)
    return a, n // a


def make_lokr(weight, seed, rank, alpha=None, form="w1_full"):
    """form: full (both), w1_full (w2 low rank), low (both low rank), tucker (w2 with a core, convolutions)."""
    out, cin, *window = weight.shape
    (a, b), (c, d) = split(out), split(cin)
    t = {}
    if form == "low":
        t["lokr_w1_a"] = tensor(seed, "w1a", a, rank, scale=rank**-0.5)
        t["lokr_w1_b"] = tensor(seed, "w1b", rank, c, scale=c**-0.25)
    else:
        t["lokr_w1"] = tensor(seed, "w1", a, c, scale=c**-0.5)
    if form == "full":
        t["lokr_w2"] = tensor(seed, "w2", b, d, *window, scale=0.8 * (d * math.prod(window)) ** -0.5)
    elif form == "tucker" and window and max(window) > 1:
        t["lokr_t2"] = tensor(seed, "t2", rank, rank, *window, scale=(rank * math.prod(window)) ** -0.5)
        t["lokr_w2_a"] = tensor(seed, "w2a", rank, b, scale=rank**-0.5)
        t["lokr_w2_b"] = tensor(seed, "w2b", rank, d, scale=d**-0.5)
    else:
        t["lokr_w2_a"] = tensor(seed, "w2a", b, rank, scale=rank**-0.5)
        t["lokr_w2_b"] = tensor(seed, "w2b", rank, d * math.prod(window), scale=(d * math.prod(window)) ** -0.5)
    if alpha is not None:
        t["alpha"] = torch.tensor(float(alpha))
    return t


def lokr_difference(weight, t):
    """Kronecker product; the scale is one when both factors are full matrices."""
    rank = None
    if "lokr_w1" in t:
        w1 = t["lokr_w1"]
    else:
        w1, rank = t["lokr_w1_a"] @ t["lokr_w1_b"], t["lokr_w1_b"].shape[0]
    window = list(weight.shape[2:])
    if "lokr_w2" in t:
        w2 = t["lokr_w2"]
    elif "lokr_t2" in t:
        w2 = torch.einsum("abkl,ao,bi->oikl", t["lokr_t2"], t["lokr_w2_a"], t["lokr_w2_b"])
        rank = t["lokr_w2_b"].shape[0]
    else:
        w2, rank = t["lokr_w2_a"] @ t["lokr_w2_b"], t["lokr_w2_b"].shape[0]
        w2 = w2.reshape(w2.shape[0], -1, *window)
    diff = torch.kron(w1.reshape(*w1.shape, *[1] * (w2.dim() - 2)), w2.contiguous()).reshape(weight.shape)
    return diff * (alpha_scale(t, rank) if rank else 1.0)


def make_glora(weight, seed, rank, alpha=None):
    out, cin, *window = weight.shape
    ones = [1] * len(window)
    t = {
        "a1.weight": tensor(seed, "a1", cin, rank, *ones, scale=0.5 * rank**-0.5),
        "a2.weight": tensor(seed, "a2", rank, cin, *ones, scale=cin**-0.5),
        "b1.weight": tensor(seed, "b1", out, rank, *ones, scale=0.5 * rank**-0.5),
        "b2.weight": tensor(seed, "b2", rank, cin, *window, scale=fan_in(weight) ** -0.5),
    }
    if alpha is not None:
        t["alpha"] = torch.tensor(float(alpha))
    return t


def glora_difference(weight, t):
    """W a1 a2 over the input channels, plus b1 b2."""
    rank = t["a2.weight"].shape[0]
    mixed = flat(t["a1.weight"]) @ flat(t["a2.weight"])
    diff = torch.einsum("oi...,ij->oj...", weight, mixed)
    diff = diff + (flat(t["b1.weight"]) @ flat(t["b2.weight"])).reshape(weight.shape)
    return diff * alpha_scale(t, rank)


def make_ia3(weight, seed, _rank, on_input=False):
    out, cin, *window = weight.shape
    width = cin if on_input else out
    shape = (1, width, *[1] * len(window)) if window else (width,)
    return {"weight": tensor(seed, "ia3", *shape, scale=0.4), "on_input": torch.tensor(int(on_input))}


def ia3_difference(weight, t):
    w = t["weight"].flatten()
    ones = [1] * (weight.dim() - 2)
    return weight * (w.reshape(1, -1, *ones) if int(t["on_input"]) else w.reshape(-1, 1, *ones))


def make_full(weight, seed, _rank):
    return {"diff": tensor(seed, "diff", *weight.shape, scale=0.6 * fan_in(weight) ** -0.5)}


def full_difference(_weight, t):
    return t["diff"]


FAMILIES = {
    "lora": (make_lora, lora_difference), "loha": (make_loha, loha_difference), "lokr": (make_lokr, lokr_difference),
    "glora": (make_glora, glora_difference), "ia3": (make_ia3, ia3_difference), "full": (make_full, full_difference),
}


def difference_of(weight, tensors):
    """The difference at strength one, the family told by the suffixes present."""
    for mark, family in (("lora_up.weight", "lora"), ("hada_w1_a", "loha"), ("lokr_w2", "lokr"), ("lokr_w2_a", "lokr"),
                         ("a1.weight", "glora"), ("on_input", "ia3"), ("diff", "full")):
        if mark in tensors:
            return FAMILIES[family][1](weight, tensors)
    raise ValueError(sorted(tensors))


def dora_scale(weight, seed, on_output=True):
    """Magnitudes near the weight's own norms: [out, 1, ..] over the inputs, or [1, in, ..] over the outputs."""
    dims = tuple(range(1, weight.dim())) if on_output else (0, *range(2, weight.dim()))
    norm = torch.linalg.vector_norm(weight, dim=dims, keepdim=True)
    return to_half_grid(norm * (1 + normal(seed, "dora", norm.shape, 0.25)))


def decompose(weight, scale):
    """DoRA: the given magnitudes on the directions of the weight, along the axis that the shape of `scale` tells."""
    on_output = scale.shape[0] == weight.shape[0] and (scale.shape[1] == 1)
    dims = tuple(range(1, weight.dim())) if on_output else (0, *range(2, weight.dim()))
    return weight / torch.linalg.vector_norm(weight, dim=dims, keepdim=True) * scale


def merge(weight, tensors, strength):
    """The merged weight; a DoRA's strength goes linearly from W to its full result."""
    diff = difference_of(weight, tensors)
    if "dora_scale" in tensors:
        return weight + strength * (decompose(weight + diff, tensors["dora_scale"]) - weight)
    return weight + strength * diff
