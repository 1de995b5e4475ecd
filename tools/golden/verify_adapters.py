#!/usr/bin/env python3
"""Compares the merged weights stored in tests/golden/adapters with those of the package lycoris-lora.

Run by hand in an environment that has lycoris-lora besides the fixtures' packages; prints one line per adapter case.
The merged weight is taken from what a module adds to a forward pass, which is what the adapter was trained as.
"""

import copy
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import adapters, common, tiny_models  # noqa: E402


def effective_weight(module, layer):
    """The weight that a layer with the adapter's module acts with, read off by feeding unit inputs."""
    cin = layer.weight.shape[1]
    if layer.weight.dim() == 2:
        x = torch.eye(cin)
        return (module.forward(x) - (layer.bias if layer.bias is not None else 0)).T
    kh, kw = layer.weight.shape[2:]
    columns = []
    for index in range(cin):
        x = torch.zeros(1, cin, 2 * kh - 1, 2 * kw - 1)
        x[0, index, kh - 1, kw - 1] = 1  # the response to one dot is the flipped window
        y = torch.nn.functional.conv2d(x, merged_by_probe(module, layer), None)
        columns.append(y.flip(2, 3)[0])
    return torch.stack(columns, 1)


def merged_by_probe(module, layer):
    """Convolutions: probe with stride and padding of the layer itself would mix positions, so use dense inputs and solve."""
    weight = layer.weight
    out, cin, kh, kw = weight.shape
    bias = layer.bias if layer.bias is not None else torch.zeros(out)
    x = torch.eye(cin * kh * kw).reshape(-1, cin, kh, kw)
    pad = layer.padding[0]
    padded = torch.zeros(x.shape[0], cin, kh + 2 * pad, kw + 2 * pad)
    padded[:, :, pad:pad + kh, pad:pad + kw] = x
    inner = padded[:, :, pad:pad + kh, pad:pad + kw]
    y = module.forward(inner) - bias.reshape(1, -1, 1, 1)
    # With zero padding p and stride s the window lies exactly over the input where s * i = p.
    row = pad // layer.stride[0] if pad % layer.stride[0] == 0 else None
    if row is None:
        return None
    return y[:, :, row, row].T.reshape(out, cin, kh, kw)


def check_case(folder, get_module, make_module):
    case = json.loads((folder / "case.json").read_text())
    file = {k: v.float() if v.is_floating_point() else v for k, v in load_file(folder / "adapter.safetensors").items()}
    data = load_file(folder / "data.safetensors")
    name = folder.name
    spec = adapters.CASES[name]
    if spec["form"] not in (adapters.kohya, adapters.kohya_sgm, adapters.lycoris):
        return None
    model = spec.get("model", "sd1")
    parts = tiny_models.MODELS[model]()
    worst, checked, skipped = 0.0, 0, []
    for component, path in spec["targets"]:
        layer = copy.deepcopy(adapters.module_of(parts, component, path))
        if "in_channels" in spec:
            continue
        key = spec["form"](model, component, path, "x").removesuffix(".x")
        strength = spec["strength"] if not isinstance(spec["strength"], dict) else spec["strength"][component]
        kind, params = get_module(file, key)
        try:
            module = make_module(kind, params, key, layer)
        except (TypeError, RuntimeError) as error:
            skipped.append(f"{path}: {type(error).__name__}: {error}"[:150])
            continue
        module.multiplier = strength
        module.eval()
        if layer.bias is not None and f"{key}.diff_b" in file:
            layer.bias.data.add_(0)
        weight = effective_or_merged(module, layer, strength)
        if weight is None:
            skipped.append(f"{path}: stride")
            continue
        expected = data[f"merged.{component}.{path}.weight"]
        error = float((weight - expected).norm() / (expected - layer.weight).norm())
        worst, checked = max(worst, error), checked + 1
        if error > 1e-4:
            print(f"   {name} {path} {type(module).__name__}: {error:.2e}")
    return worst, checked, skipped, case["strength"]


def effective_or_merged(module, layer, _strength):
    if layer.weight.dim() == 2:
        return effective_weight(module, layer)
    if layer.stride[0] == 1 or layer.padding[0] % layer.stride[0] == 0:
        return merged_by_probe(module, layer)
    return None


def main():
    from lycoris.modules import get_module, make_module

    torch.set_grad_enabled(False)
    for folder in sorted((common.GOLDEN_DIR / "adapters").iterdir()):
        found = check_case(folder, get_module, make_module)
        if found:
            worst, checked, skipped, strength = found
            print(f"{folder.name}: strength {strength}, {checked} weights, worst relative error of the difference {worst:.1e}")
            for line in skipped:
                print("   skipped", line)


if __name__ == "__main__":
    main()
