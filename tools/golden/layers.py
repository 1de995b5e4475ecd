"""One file per layer type, each with many problems: weights, inputs and outputs of PyTorch and diffusers modules."""

import functools

import torch
import torch.nn.functional as F
from diffusers.models.attention import BasicTransformerBlock, FeedForward
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D
from diffusers.models.unets.unet_2d_blocks import Attention as VaeAttention

from .common import Case, named_seed, normal, randomize, to_half_grid


class Layers:
    """Gathers the problems of one layer type; weights and inputs are float16-representable, outputs float32."""

    def __init__(self, root, name):
        self.case = Case(root, "layers", name)
        self.name, self.problems = name, []

    def add(self, label: str, module, inputs: dict, run, **facts):
        seed = named_seed(17, f"{self.name}:{label}")
        if module is not None:
            randomize(module, seed)
        tensors = {}
        for key, shape in inputs.items():
            tensors[key] = to_half_grid(normal(seed, key, shape)) if isinstance(shape, tuple) else shape
            self.put(f"{label}.in.{key}", tensors[key])
        weights = {}
        if module is not None:
            for key, value in module.state_dict().items():
                weights[key] = self.put(f"{label}.w.{key}", value)
        out = run(module, **tensors)
        self.case.put(f"{label}.out", out)
        self.problems.append({
            "name": label, **facts, "weights": weights, "inputs": {k: f"{label}.in.{k}" for k in inputs},
            "output": f"{label}.out"})

    def put(self, name, value):
        self.case.put(name, value.to(torch.float16) if torch.is_floating_point(value) else value)
        return name

    def close(self):
        self.case.facts["problems"] = self.problems
        self.case.close()


def conv(root):
    layers = Layers(root, "conv")
    # (label, in, out, kernel, stride, padding, height, width, bias)
    for label, cin, cout, kernel, stride, pad, height, width, bias in [
        ("k3", 5, 7, 3, 1, 1, 9, 13, True), ("k3_wide", 32, 48, 3, 1, 1, 8, 8, True), ("k3_no_bias", 16, 16, 3, 1, 1, 6, 5, False),
        ("k3_tiny", 4, 4, 3, 1, 1, 1, 2, True), ("k1", 24, 17, 1, 1, 0, 7, 9, True), ("k1_wide", 48, 64, 1, 1, 0, 5, 4, False),
        ("k3_s2", 8, 12, 3, 2, 1, 9, 14, True), ("in4", 4, 32, 3, 1, 1, 11, 10, True), ("out3", 32, 3, 3, 1, 1, 12, 7, True),
        ("in9", 9, 16, 3, 1, 1, 6, 8, True), ("k14_s14", 3, 8, 14, 14, 0, 28, 42, False), ("k3_s2_even", 16, 16, 3, 2, 1, 8, 6, True),
        ("k3_width_33", 19, 33, 3, 1, 1, 4, 33, True),
    ]:
        module = torch.nn.Conv2d(cin, cout, kernel, stride, pad, bias=bias)
        layers.add(label, module, {"x": (2 if cin < 20 else 1, cin, height, width)}, lambda m, x: m(x),
                   kernel=kernel, stride=stride, padding=[pad, pad, pad, pad])
    # The VAE's downsampling pads below and to the right alone (left, right, top, bottom).
    for label, channels, height, width in (("vae_down", 8, 10, 12), ("vae_down_odd", 6, 9, 7)):
        module = torch.nn.Conv2d(channels, channels, 3, 2, 0)
        layers.add(label, module, {"x": (1, channels, height, width)}, lambda m, x: m(F.pad(x, (0, 1, 0, 1))),
                   kernel=3, stride=2, padding=[0, 1, 0, 1])
    # Wrap-around padding, as seamless textures need it, per axis.
    for label, modes in (("wrap_x", ("circular", "constant")), ("wrap_y", ("constant", "circular")), ("wrap_xy", ("circular",) * 2)):
        def run(m, x, modes=modes):
            x = F.pad(x, (1, 1, 0, 0), mode=modes[0])
            return F.conv2d(F.pad(x, (0, 0, 1, 1), mode=modes[1]), m.weight, m.bias)
        layers.add(label, torch.nn.Conv2d(6, 5, 3, 1, 1), {"x": (1, 6, 7, 5)}, run, kernel=3, stride=1,
                   padding=[1, 1, 1, 1], wrap=[m == "circular" for m in modes])
    layers.close()


def norm(root):
    layers = Layers(root, "norm")
    for label, groups, channels, eps, silu, height, width in [
        ("g32_silu", 32, 64, 1e-5, True, 6, 7), ("g32", 32, 96, 1e-6, False, 5, 5), ("g32_one_channel", 32, 32, 1e-5, True, 3, 9),
        ("g16", 16, 48, 1e-6, True, 4, 6), ("g8_odd", 8, 24, 1e-5, False, 7, 3), ("g32_large", 32, 160, 1e-5, True, 1, 1),
    ]:
        module = torch.nn.GroupNorm(groups, channels, eps)
        layers.add(label, module, {"x": (2, channels, height, width)},
                   lambda m, x, silu=silu: F.silu(m(x * 3 + 0.5)) if silu else m(x * 3 + 0.5),
                   kind="group", groups=groups, eps=eps, silu=silu, input_is="3x + 0.5")
    for label, shape in (("layer_norm", (2, 7, 40)), ("layer_norm_odd", (1, 5, 33)), ("layer_norm_wide", (3, 4, 320))):
        layers.add(label, torch.nn.LayerNorm(shape[-1]), {"x": shape}, lambda m, x: m(x), kind="layer", eps=1e-5)
    layers.close()


def activation(root):
    layers = Layers(root, "activation")
    x = torch.linspace(-12, 12, 193)
    for label, run in (("silu", F.silu), ("gelu", F.gelu), ("gelu_tanh", lambda v: F.gelu(v, approximate="tanh")),
                       ("quick_gelu", lambda v: v * torch.sigmoid(1.702 * v)), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
        layers.add(label, None, {"x": to_half_grid(x)}, lambda _m, x, run=run: run(x))
    layers.add("softmax", None, {"x": (3, 5, 37)}, lambda _m, x: torch.softmax(4 * x, -1), input_is="4x", axis=-1)
    layers.close()


def attention(root):
    layers = Layers(root, "attention")
    for label, heads, dim, queries, keys, width, context, bias in [
        ("self_d8", 8, 8, 30, None, 32, None, False), ("self_d40", 2, 40, 35, None, 32, None, False),
        ("self_d64", 2, 64, 21, None, 24, None, False), ("self_d80", 1, 80, 33, None, 24, None, False),
        ("self_d160", 1, 160, 17, None, 16, None, False), ("cross_77", 2, 40, 24, 77, 32, 24, False),
        ("cross_154", 4, 8, 15, 154, 32, 40, False), ("cross_odd", 3, 16, 19, 7, 48, 33, False),
        ("cross_d160", 1, 160, 9, 77, 16, 12, False), ("self_long", 1, 8, 301, None, 8, None, False),
        ("one_query", 2, 8, 1, 3, 16, 16, False), ("self_bias", 2, 16, 13, None, 32, None, True),
    ]:
        module = Attention(query_dim=width, cross_attention_dim=context, heads=heads, dim_head=dim, bias=bias)
        inputs = {"x": (2, queries, width)} | ({"context": (2, keys, context)} if keys else {})
        layers.add(label, module, inputs, lambda m, x, context=None: m(x, encoder_hidden_states=context), heads=heads,
                   head_dim=dim, residual=False)
    # The VAE's: group norm first, one head, the input added at the end, on pictures.
    module = VaeAttention(24, heads=1, dim_head=24, eps=1e-6, norm_num_groups=8, residual_connection=True, bias=True,
                          upcast_softmax=True, _from_deprecated_attn_block=True)
    layers.add("vae", module, {"x": (1, 24, 5, 7)}, lambda m, x: m(x), heads=1, head_dim=24, residual=True, groups=8, eps=1e-6)
    # Causal, as in the text encoder: plain softmax(q k / sqrt(d) + mask) v without projections.
    for label, length, dim in (("causal_77", 77, 16), ("causal_odd", 13, 10)):
        layers.add(label, None, {"q": (1, 2, length, dim), "k": (1, 2, length, dim), "v": (1, 2, length, dim)},
                   lambda _m, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), causal=True, bare=True)
    mask = torch.zeros(1, 1, 12, 20)
    mask[..., :7, 5:] = float("-inf")
    mask[..., 7:, :3] = -2.5
    layers.add("masked", None, {"q": (2, 2, 12, 8), "k": (2, 2, 20, 8), "v": (2, 2, 20, 8)},
               lambda _m, q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask), bare=True,
               mask="added to the scores: rows 0-6 are -inf from column 5 on; rows 7-11 are -2.5 in columns 0-2; else 0")
    layers.close()


def feed_forward(root):
    layers = Layers(root, "feed_forward")
    for label, width, batch, length in (("geglu_32", 32, 2, 9), ("geglu_20", 20, 1, 17), ("geglu_40", 40, 1, 5)):
        layers.add(label, FeedForward(width, activation_fn="geglu"), {"x": (batch, length, width)}, lambda m, x: m(x))
    layers.close()


def time_embedding(root):
    layers = Layers(root, "time_embedding")
    steps = torch.tensor([0.0, 1.0, 37.5, 500.0, 981.0, 999.0, 951.25])
    for label, channels, flip, shift in (("sd", 32, True, 0), ("sd_320", 320, True, 0), ("not_flipped", 32, False, 1), ("odd", 33, True, 0)):
        layers.add(label, None, {"t": to_half_grid(steps)}, lambda _m, t, c=channels, f=flip, s=shift: Timesteps(c, f, s)(t),
                   channels=channels, flip_sin_to_cos=flip, freq_shift=shift)
    layers.add("mlp", TimestepEmbedding(32, 128), {"x": (3, 32)}, lambda m, x: m(x))
    layers.add("mlp_with_condition", TimestepEmbedding(32, 64, cond_proj_dim=24), {"x": (2, 32), "condition": (2, 24)},
               lambda m, x, condition: m(x, condition))
    layers.close()


def resnet(root):
    layers = Layers(root, "resnet")
    for label, cin, cout, temb, groups, eps, height, width in [
        ("same", 32, 32, 48, 32, 1e-5, 5, 7), ("wider", 24, 40, 32, 8, 1e-5, 6, 4), ("narrower", 64, 32, 32, 16, 1e-5, 3, 5),
        ("vae", 16, 24, None, 8, 1e-6, 7, 6),
    ]:
        module = ResnetBlock2D(in_channels=cin, out_channels=cout, temb_channels=temb, groups=groups, eps=eps)
        inputs = {"x": (2, cin, height, width)} | ({"emb": (2, temb)} if temb else {})
        layers.add(label, module, inputs, lambda m, x, emb=None: m(x, emb), groups=groups, eps=eps)
    layers.close()


def transformer(root):
    layers = Layers(root, "transformer")
    block = BasicTransformerBlock(32, 4, 8, cross_attention_dim=40)
    layers.add("block", block, {"x": (2, 15, 32), "context": (2, 77, 40)},
               lambda m, x, context: m(x, encoder_hidden_states=context), heads=4)
    for label, linear, depth, height, width in (("conv_projection", False, 1, 5, 6), ("linear_projection", True, 2, 3, 7)):
        module = Transformer2DModel(4, 8, 32, num_layers=depth, norm_num_groups=16, cross_attention_dim=24,
                                    use_linear_projection=linear)
        layers.add(label, module, {"x": (2, 32, height, width), "context": (2, 11, 24)},
                   lambda m, x, context: m(x, encoder_hidden_states=context).sample, heads=4, groups=16, eps=1e-6)
    layers.close()


def resample(root):
    layers = Layers(root, "resample")
    for label, height, width, size in (("up", 3, 5, None), ("up_to_size", 5, 7, (9, 13)), ("up_to_odd", 4, 4, (7, 8))):
        layers.add(label, Upsample2D(12, use_conv=True), {"x": (1, 12, height, width)},
                   lambda m, x, size=size: m(x, size), size=list(size or (2 * height, 2 * width)))
    for label, height, width in (("down", 8, 6), ("down_odd", 9, 7)):
        layers.add(label, Downsample2D(12, use_conv=True, padding=1), {"x": (1, 12, height, width)}, lambda m, x: m(x))
    for label, factor in (("pixel_unshuffle_8", 8), ("pixel_unshuffle_2", 2)):
        layers.add(label, None, {"x": (1, 3, 16, 24)}, lambda _m, x, f=factor: F.pixel_unshuffle(x, f), factor=factor)
    layers.add("average_2", None, {"x": (1, 5, 8, 6)}, lambda _m, x: F.avg_pool2d(x, 2, 2))
    layers.add("average_2_ceil", None, {"x": (1, 5, 7, 5)}, lambda _m, x: F.avg_pool2d(x, 2, 2, ceil_mode=True))
    layers.close()


def linear(root):
    layers = Layers(root, "linear")
    for label, rows, cin, cout, bias in (("plain", 7, 33, 65, True), ("no_bias", 13, 48, 32, False), ("one_row", 1, 96, 64, True),
                                         ("wide", 77, 40, 160, True), ("narrow", 5, 3, 1, True)):
        layers.add(label, torch.nn.Linear(cin, cout, bias), {"x": (rows, cin)}, lambda m, x: m(x))
    layers.close()


MAKERS = [conv, norm, activation, attention, feed_forward, time_embedding, resnet, transformer, resample, linear]


def cases() -> dict:
    return {f"layers/{maker.__name__}": functools.partial(maker) for maker in MAKERS}
