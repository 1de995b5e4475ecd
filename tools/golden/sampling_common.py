"""What the makers of tests/golden/sampling share: the latents, the formula that stands for a network, the writer.

The "network" is a formula, so that both sides can compute it in float32:
    f(x, t) = 0.6 x + 0.25 sin(2 x) + 0.1 t / 1000
and the latents are patterns of exact binary fractions.
"""
import json
import pathlib
import warnings

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


def gain(run, final):
    """How much a run amplifies a small relative change of its first noise: the bar for a comparison with it."""
    nudged = run(1e-5)["final"]
    change = max(abs(a - b) for a, b in zip(nudged, final)) / max(max(map(abs, final)), 1e-30)
    return float(f"{change / 1e-5:.3g}")
