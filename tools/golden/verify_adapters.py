#!/usr/bin/env python3
"""Compares the merged weights stored in tests/golden/adapters with those of the package lycoris-lora.

Run by hand in an environment that has lycoris-lora besides the fixtures' packages; prints one line per case and
fails when a difference is off by more than 1e-4. A DoRA below full strength is left out: LyCORIS scales the
difference before decomposing, while the fixtures (as most programs) go linearly from W to the full result.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import adapters, common, tiny_models  # noqa: E402


def lycoris_merge(weight, t, strength):
    from lycoris.functional import loha, locon, lokr
    from lycoris.functional.general import weight_decompose
    from lycoris.modules.glora import _glora_weight
    from lycoris.modules.ia3 import _ia3_weight

    alpha = float(t["alpha"]) if "alpha" in t else None
    if "lora_up.weight" in t:
        rank = t["lora_down.weight"].shape[0]
        parts = (t["lora_down.weight"], t["lora_up.weight"], t.get("lora_mid.weight"))
        diff = locon.diff_weight(*parts, gamma=1.0 if alpha is None else alpha / rank)
    elif "hada_w1_a" in t:
        parts = [t.get(k) for k in ("hada_w1_b", "hada_w1_a", "hada_w2_b", "hada_w2_a", "hada_t1", "hada_t2")]
        diff = loha.diff_weight(*parts, gamma=alpha / t["hada_w1_b"].shape[0])
    elif any(k.startswith("lokr") for k in t):
        parts = [t.get("lokr_" + k) for k in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")]
        full = parts[0] is not None and parts[3] is not None
        if parts[6] is None and parts[5] is not None and weight.dim() == 4:
            parts[5] = parts[5].reshape(parts[5].shape[0], -1, *weight.shape[2:])
        rank = 1 if full else next(t[k].shape[0] for k in ("lokr_w2_b", "lokr_w1_b") if k in t)
        diff = lokr.kron_weight(*parts, scale=1.0 if full else alpha / rank)
    elif "a1.weight" in t:
        scale = alpha / t["a2.weight"].shape[0]
        diff = _glora_weight(weight, t["a1.weight"], t["a2.weight"], t["b1.weight"], t["b2.weight"], None, scale)
    elif "on_input" in t:
        return _ia3_weight(weight, t["weight"], bool(t["on_input"]), strength, False)
    else:
        diff = t["diff"]
    diff = diff.reshape(weight.shape)
    if "dora_scale" in t:
        on_output = t["dora_scale"].shape[1] == 1
        return weight_decompose(weight + diff, t["dora_scale"], 1, on_output)
    return weight + strength * diff


def check_case(folder, spec) -> float:
    file = {k: v.float() if v.is_floating_point() else v for k, v in load_file(folder / "adapter.safetensors").items()}
    data = load_file(folder / "data.safetensors")
    model, worst = spec.get("model", "sd1"), 0.0
    parts = tiny_models.MODELS[model]()
    for component, path in spec["targets"]:
        prefix = spec["form"](model, component, path, "")
        tensors = {k.removeprefix(prefix): v for k, v in file.items() if k.startswith(prefix)}
        weight = adapters.module_of(parts, component, path).weight
        strength = spec["strength"] if not isinstance(spec["strength"], dict) else spec["strength"][component]
        expected = data[f"merged.{component}.{path}.weight"]
        error = float((lycoris_merge(weight, tensors, strength) - expected).norm() / (expected - weight).norm())
        if error > 1e-4:
            print(f"   {folder.name} {component}.{path} {sorted(tensors)}: {error:.2e}")
        worst = max(worst, error)
    return worst


def main() -> int:
    torch.set_grad_enabled(False)
    failed = 0
    for name, spec in adapters.CASES.items():
        if spec["form"] not in (adapters.kohya, adapters.kohya_sgm, adapters.lycoris) or "in_channels" in spec:
            continue
        if name == "dora_strength":
            continue
        worst = check_case(common.GOLDEN_DIR / "adapters" / name, spec)
        failed += worst > 1e-4
        print(f"{name}: {len(spec['targets'])} weights, worst relative error of the difference {worst:.1e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
