#!/usr/bin/env python3
"""Makes tests/golden/upscaler/*: tiny upscalers in every published key layout, with an input and its output.

    tools/golden/upscaler_networks.py [folder]

The networks are written here after the papers (ESRGAN: Wang et al. 2018, arXiv:1809.00219; Real-ESRGAN: Wang et al.
2021, arXiv:2107.10833) so that the modules' own structure gives the key names of the files people have. Weights are
random and representable in float16; results are computed in float32 from the same values.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from golden.common import halves, named_seed, normal, randomize


def conv(channels_in, channels_out):
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)


def leaky():
    return nn.LeakyReLU(0.2)


class Dense(nn.Module):
    """Five convolutions, each seeing all before it; `wrap` puts each into a Sequential of its own (old names)."""

    def __init__(self, width, growth, wrap=False, activation=leaky):
        super().__init__()
        self.activation = activation()
        for k in range(1, 6):
            layer = conv(width + (k - 1) * growth, width if k == 5 else growth)
            setattr(self, f"conv{k}", nn.Sequential(layer) if wrap else layer)

    def forward(self, x):
        seen = [x]
        for k in range(1, 5):
            seen.append(self.activation(getattr(self, f"conv{k}")(torch.cat(seen, 1))))
        return x + 0.2 * self.conv5(torch.cat(seen, 1))


class Block(nn.Module):
    """Three dense blocks under the names `stem`1 to `stem`3."""

    def __init__(self, width, growth, stem, **dense):
        super().__init__()
        self.stem = stem
        for d in (1, 2, 3):
            setattr(self, f"{stem}{d}", Dense(width, growth, **dense))

    def forward(self, x):
        y = x
        for d in (1, 2, 3):
            y = getattr(self, f"{self.stem}{d}")(y)
        return x + 0.2 * y


class RealEsrgan(nn.Module):
    """The names of Real-ESRGAN. The tail enlarges by 4 (8: one step more); x2 and x1 fold pixels at the input."""

    def __init__(self, width=6, growth=2, blocks=2, scale=4):
        super().__init__()
        self.fold = {1: 4, 2: 2}.get(scale, 1)
        self.steps = 3 if scale == 8 else 2
        self.conv_first = conv(3 * self.fold**2, width)
        self.body = nn.Sequential(*[Block(width, growth, "rdb") for _ in range(blocks)])
        self.conv_body = conv(width, width)
        for i in range(1, self.steps + 1):
            setattr(self, f"conv_up{i}", conv(width, width))
        self.conv_hr = conv(width, width)
        self.conv_last = conv(width, 3)

    def forward(self, x):
        features = self.conv_first(F.pixel_unshuffle(x, self.fold))
        h = features + self.conv_body(self.body(features))
        for i in range(1, self.steps + 1):
            h = F.leaky_relu(getattr(self, f"conv_up{i}")(F.interpolate(h, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(h), 0.2))


class Esrgan(nn.Module):
    """The names of ESRGAN's second publication, also used by BSRGAN."""

    def __init__(self, width=6, growth=2, blocks=1, steps=2):
        super().__init__()
        self.steps = steps
        self.conv_first = conv(3, width)
        self.RRDB_trunk = nn.Sequential(*[Block(width, growth, "RDB") for _ in range(blocks)])
        self.trunk_conv = conv(width, width)
        for i in range(1, steps + 1):
            setattr(self, f"upconv{i}", conv(width, width))
        self.HRconv = conv(width, width)
        self.conv_last = conv(width, 3)

    def forward(self, x):
        features = self.conv_first(x)
        h = features + self.trunk_conv(self.RRDB_trunk(features))
        for i in range(1, self.steps + 1):
            h = F.leaky_relu(getattr(self, f"upconv{i}")(F.interpolate(h, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.HRconv(h), 0.2))


class Shortcut(nn.Module):
    def __init__(self, sub):
        super().__init__()
        self.sub = sub

    def forward(self, x):
        return x + self.sub(x)


class OldEsrgan(nn.Module):
    """The numbered names of ESRGAN's first publication: everything is one Sequential called `model`."""

    def __init__(self, width=6, growth=2, blocks=2, steps=2, shuffle=False, channels=3):
        super().__init__()
        body = [Block(width, growth, "RDB", wrap=True) for _ in range(blocks)] + [conv(width, width)]
        layers = [conv(channels, width), Shortcut(nn.Sequential(*body))]
        for _ in range(steps):
            if shuffle:
                layers += [conv(width, 4 * width), nn.PixelShuffle(2), leaky()]
            else:
                layers += [nn.Upsample(scale_factor=2, mode="nearest"), conv(width, width), leaky()]
        layers += [conv(width, width), leaky(), conv(width, channels)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Thick(nn.Module):
    """The embedded network (docs/upscaler.md), small."""

    def __init__(self, width=6, growth=2, blocks=2, scale=4):
        super().__init__()
        self.scale = scale
        self.conv_first = conv(3, width)
        self.body = nn.Sequential(*[Block(width, growth, "rdb", activation=nn.ReLU) for _ in range(blocks)])
        self.conv_body = conv(width, width)
        self.conv_shuffle = conv(width, 3 * scale**2)
        self.conv_last = conv(3, 3)

    def forward(self, x):
        features = self.conv_first(x)
        h = features + self.conv_body(self.body(features))
        return self.conv_last(F.pixel_shuffle(self.conv_shuffle(h), self.scale))


class Compact(nn.Module):
    """SRVGGNetCompact: a chain of convolutions with parametric ReLUs, added to the enlarged picture."""

    def __init__(self, width=8, convs=8, scale=4):
        super().__init__()
        self.scale = scale
        layers = [conv(3, width), nn.PReLU(width)]
        for _ in range(convs):
            layers += [conv(width, width), nn.PReLU(width)]
        self.body = nn.ModuleList([*layers, conv(width, 3 * scale**2)])

    def forward(self, x):
        h = x
        for layer in self.body:
            h = layer(h)
        return F.pixel_shuffle(h, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


# name: (network, scale, picture height and width, file ending)
CASES = {
    "realesrgan_x4": (lambda: RealEsrgan(), 4, (9, 14), "safetensors"),
    "realesrgan_x8": (lambda: RealEsrgan(blocks=1, scale=8), 8, (5, 7), "safetensors"),
    "realesrgan_x2": (lambda: RealEsrgan(blocks=1, scale=2), 2, (10, 14), "safetensors"),
    "realesrgan_x2_odd": (lambda: RealEsrgan(blocks=1, scale=2), 2, (11, 13), "pth"),
    "realesrgan_x1": (lambda: RealEsrgan(width=4, blocks=1, scale=1), 1, (12, 20), "safetensors"),
    "esrgan_x2": (lambda: Esrgan(steps=1), 2, (8, 11), "safetensors"),
    "esrgan_x4": (lambda: Esrgan(growth=3), 4, (8, 11), "pth"),
    "old_x1": (lambda: OldEsrgan(steps=0), 1, (12, 9), "safetensors"),
    "old_x2_grey": (lambda: OldEsrgan(blocks=1, steps=1, channels=1), 2, (8, 11), "safetensors"),
    "old_x4": (lambda: OldEsrgan(blocks=2), 4, (8, 11), "pth"),
    "old_x4_shuffle": (lambda: OldEsrgan(blocks=1, width=4, shuffle=True), 4, (8, 7), "safetensors"),
    "old_x8": (lambda: OldEsrgan(blocks=1, steps=3), 8, (5, 4), "safetensors"),
    "thick_x4": (lambda: Thick(), 4, (11, 8), "safetensors"),
    "thick_x3": (lambda: Thick(blocks=1, scale=3), 3, (7, 8), "safetensors"),
    "compact_x4": (lambda: Compact(), 4, (9, 12), "pth"),
    "compact_x2": (lambda: Compact(convs=3, scale=2), 2, (9, 12), "safetensors"),
}


def extended(picture, multiple):
    """Mirrored at the lower and right edge until both sides are multiples."""
    height, width = picture.shape[2:]
    return F.pad(picture, (0, -width % multiple, 0, -height % multiple), mode="reflect")


def make(folder, name, network, scale, size, ending):
    model = randomize(network(), named_seed(29, name), special={"slopes": 0.3})
    channels = 1 if "grey" in name else 3
    picture = torch.sigmoid(normal(named_seed(29, name), "picture", (2 if name in ("compact_x2", "old_x1") else 1, channels, *size)))
    output = model(extended(picture, getattr(model, "fold", 1)))[..., : scale * size[0], : scale * size[1]]
    state = halves(model.state_dict())
    if ending == "pth":  # as training programs save it, under the name of the averaged weights
        torch.save(state if name.startswith("old") else {"params_ema": state, "params": {}}, folder / f"{name}.pth")
    else:
        save_file(state, str(folder / f"{name}.safetensors"))
    return {f"{name}.input": picture.contiguous(), f"{name}.output": output.contiguous()}


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "tests/golden/upscaler"
    folder.mkdir(parents=True, exist_ok=True)
    expected, table = {}, []
    with torch.no_grad():
        for name, (network, scale, size, ending) in CASES.items():
            expected |= make(folder, name, network, scale, size, ending)
            table.append({"name": name, "file": f"{name}.{ending}", "scale": scale})
    save_file(expected, str(folder / "networks.expected.safetensors"))
    (folder / "networks.json").write_text(json.dumps(table, indent=1) + "\n")
    for file in folder.iterdir():
        file.chmod(0o644)
    print(sum(f.stat().st_size for f in folder.iterdir() if f.is_file()), "bytes")


if __name__ == "__main__":
    main()
