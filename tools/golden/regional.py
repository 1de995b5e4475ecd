"""Regional prompts: pictures of pipelines whose cross attention is told which pixels hear which prompt."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from . import pipelines
from .pipeline_cases import CASTLE, NEGATIVE, SEA, TXT, XL, txt

# What is left of the picture's own prompt where a region covers a pixel wholly.
BASE_INSIDE = 0.3


def left_half(width, height):
    """White on the left, fading to black over a fifth of the width."""
    ramp = np.clip((0.55 - np.linspace(0, 1, width)) / 0.2, 0, 1)
    return Image.fromarray(np.tile((ramp * 255).astype(np.uint8), (height, 1)), "L")


def disc(width, height):
    image = Image.new("L", (width, height), 0)
    ImageDraw.Draw(image).ellipse([width * 0.5, height * 0.3, width * 0.95, height * 0.8], fill=255)
    return image


MASKS = {"left_half": left_half, "disc": disc}


def region(prompt, mask, weight=1.0):
    return dict(prompt=prompt, mask=mask, weight=weight)


def score_bias(regions, masks, height, width, tokens):
    """[pixels, base tokens + tokens of the regions]: the logarithm of how loudly a pixel hears each token."""
    cover = torch.zeros(height * width)
    columns = []
    for entry, mask in zip(regions, masks):
        small = mask.resize((width, height), Image.BOX)
        share = torch.from_numpy(np.asarray(small, np.float32) / 255).reshape(-1)
        cover = torch.maximum(cover, share)
        columns.append(torch.log(share * entry["weight"])[:, None].expand(-1, tokens))
    base = torch.log(1 - cover * (1 - BASE_INSIDE))[:, None].expand(-1, tokens)
    return torch.cat([base, *columns], 1)


class RegionalAttention:
    """Cross attention over [negative, positive] whose scores are biased by place; self attention as it is."""

    def __init__(self, biases, tokens):
        self.biases, self.tokens = biases, tokens

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        split = lambda x: x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        q, k, v = split(attn.to_q(hidden_states)), split(attn.to_k(context)), split(attn.to_v(context))
        mask = None
        if encoder_hidden_states is not None:
            positive = self.biases[hidden_states.shape[1]]
            negative = torch.zeros_like(positive)
            negative[:, self.tokens :] = -torch.inf  # padding
            mask = torch.stack([negative, positive])[:, None]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        return attn.to_out[0](out)


def install(pipe, regions, masks, size):
    encode = pipe.encode_prompt

    @functools.wraps(encode)
    def with_regions(*args, **kwargs):
        positive, negative, *pooled = encode(*args, **kwargs)
        parts = []
        for entry in regions:
            one = {key: value for key, value in kwargs.items() if key not in ("prompt", "prompt_2")}
            parts.append(encode(entry["prompt"], *args[1:], **one)[0])
        tokens = positive.shape[1]
        width, height = size[0] // pipe.vae_scale_factor, size[1] // pipe.vae_scale_factor
        biases = {}
        while True:
            biases[height * width] = score_bias(regions, masks, height, width, tokens)
            if height == width == 1:
                break
            height, width = (height + 1) // 2, (width + 1) // 2
        pipe.unet.set_attn_processor(RegionalAttention(biases, tokens))
        padding = negative.new_zeros(1, tokens * len(regions), negative.shape[2])
        return (torch.cat([positive, *parts], 1), torch.cat([negative, padding], 1), *pooled)

    pipe.encode_prompt = with_regions


CASES = {
    "sd1_regions": dict(
        model="sd1", pipeline=TXT, scheduler=("EulerDiscreteScheduler",),
        regions=[region("a red desert", "left_half"), region(SEA, "disc", 1.5)],
        **txt(101, CASTLE, size=(72, 88), negative_prompt=NEGATIVE)),
    "sdxl_regions": dict(
        model="sdxl", pipeline=XL, regions=[region(SEA, "disc")], **txt(102, CASTLE, size=(96, 64), cfg=5.0, steps=4)),
}


def make(root, name, spec):
    spec = dict(spec)
    regions = spec.pop("regions")
    size = (spec["call"]["width"], spec["call"]["height"])
    masks = [MASKS[entry["mask"]](*size) for entry in regions]
    stored = [dict(entry, mask=f"{entry['mask']}.png") for entry in regions]
    pipelines.make_case(root, name, spec, prepare=lambda pipe: install(pipe, regions, masks, size), regions=stored)
    for entry, mask in zip(stored, masks):
        mask.save(root / "pipelines" / name / entry["mask"], optimize=True)


def cases() -> dict:
    return {f"pipelines/{name}": functools.partial(make, name=name, spec=spec) for name, spec in CASES.items()}
