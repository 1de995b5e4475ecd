"""Feature caching (DeepCache): pipelines whose UNet runs in full at one call in `every`, and at the others only its
outermost layers over what the deeper ones said last (Ma, Fang & Wang 2023, section 3.2)."""

import functools

import torch

from . import guidance_models as gm
from . import pipelines
from .guided_cases import EULER, ONE, pic
from .pipeline_cases import CASTLE, SEA, TXT, XL, txt


class CachedUNet:
    """The forward pass of diffusers' UNet2DConditionModel, layer by layer, so that it can stop and begin anywhere."""

    def __init__(self, unet, every, depth):
        self.unet, self.original, self.every, self.depth = unet, unet.forward, every, depth
        self.calls, self.deep = 0, None

    def layers_down(self, h, emb, text, states):
        """Yields the activations that the way up takes back: conv_in's, then each layer's and each downsampler's."""
        states = list(states or [])
        h = self.unet.conv_in(h)
        yield h
        for block in self.unet.down_blocks:
            attentions = getattr(block, "attentions", None)
            state = states.pop(0) if states else None
            for i, resnet in enumerate(block.resnets):
                h = resnet(h, emb)
                last = i + 1 == len(block.resnets)
                if attentions:
                    h = attentions[i](h, encoder_hidden_states=text, return_dict=False)[0]
                if last and state is not None and (attentions or not block.downsamplers):
                    h = h + state
                yield h
            if block.downsamplers:
                h = block.downsamplers[0](h)
                if state is not None and not attentions:
                    h = h + state
                yield h
        self.left_over = states

    def middle(self, h, emb, text, residual):
        h = self.unet.mid_block(h, emb, encoder_hidden_states=text)
        if self.left_over and self.left_over[0].shape == h.shape:
            h = h + self.left_over[0]
        return h if residual is None else h + residual

    def layers_up(self, h, emb, text, skips, full):
        left = sum(len(block.resnets) for block in self.unet.up_blocks)
        for block in self.unet.up_blocks:
            attentions = getattr(block, "attentions", None)
            for i, resnet in enumerate(block.resnets):
                if left == self.depth:
                    h = self.deep = h if full else self.deep
                if full or left <= self.depth:
                    h = resnet(torch.cat([h, skips[left - 1]], 1), emb)
                    if attentions:
                        h = attentions[i](h, encoder_hidden_states=text, return_dict=False)[0]
                left -= 1
            if block.upsamplers and (full or left < self.depth):
                h = block.upsamplers[0](h, tuple(skips[left - 1].shape[2:]))
        return h

    def __call__(self, sample, timestep, encoder_hidden_states, timestep_cond=None, added_cond_kwargs=None,
                 down_block_additional_residuals=None, mid_block_additional_residual=None,
                 down_intrablock_additional_residuals=None, cross_attention_kwargs=None, return_dict=True):
        unet, text = self.unet, encoder_hidden_states
        full = self.calls % self.every == 0
        self.calls += 1
        emb = unet.time_embedding(unet.get_time_embed(sample, timestep), timestep_cond)
        extra = unet.get_aug_embed(emb, text, added_cond_kwargs)
        emb = emb if extra is None else emb + extra
        skips = []
        for h in self.layers_down(sample, emb, text, down_intrablock_additional_residuals):
            skips.append(h)
            if not full and len(skips) == self.depth:
                break
        h = self.middle(h, emb, text, mid_block_additional_residual) if full else None
        for i, residual in enumerate((down_block_additional_residuals or [])[: len(skips)]):
            skips[i] = skips[i] + residual
        h = self.layers_up(h, emb, text, skips, full)
        out = unet.conv_out(unet.conv_act(unet.conv_norm_out(h)))
        if full:  # diffusers' own pass says the same
            states = down_intrablock_additional_residuals
            expected = self.original(
                sample, timestep, text, timestep_cond=timestep_cond, added_cond_kwargs=added_cond_kwargs,
                down_block_additional_residuals=down_block_additional_residuals,
                mid_block_additional_residual=mid_block_additional_residual,
                down_intrablock_additional_residuals=states and list(states))
            torch.testing.assert_close(out, expected.sample)
        return (out,)


def install(pipe, every, depth):
    pipe.unet.forward = CachedUNet(pipe.unet, every, depth)


CASES = {
    "sd1_cache": dict(model="sd1", pipeline=TXT, cache=(2, 1), **txt(111, steps=6)),
    "sd1_cache_heun": dict(model="sd1", pipeline=TXT, cache=(3, 3), scheduler=("HeunDiscreteScheduler",),
                           **txt(112, SEA, cfg=3.0, size=(72, 88), steps=5)),
    "sd1_cache_controlnet": dict(model="sd1", pipeline="StableDiffusionControlNetPipeline", cache=(3, 2), scheduler=EULER,
                                 **ONE, **txt(113, image=pic("edges"), controlnet_conditioning_scale=0.8,
                                              control_guidance_end=0.7, steps=6)),
    "sd1_cache_t2i": dict(model="sd1", pipeline="StableDiffusionAdapterPipeline", cache=(2, 3), scheduler=EULER,
                          parts=dict(adapter=gm.t2i_sd1), files=dict(t2i_adapter="models/t2i_sd1"),
                          **txt(114, image=pic("edges"), adapter_conditioning_scale=0.7)),
    "sdxl_cache": dict(model="sdxl", pipeline=XL, cache=(3, 4), **txt(115, CASTLE, size=(96, 64), cfg=5.0, steps=5)),
}


def make(root, name, spec):
    spec = dict(spec)
    every, depth = spec.pop("cache")
    pipelines.make_case(root, name, spec, prepare=lambda pipe: install(pipe, every, depth),
                        feature_cache=dict(every=every, depth=depth))


def cases() -> dict:
    return {f"pipelines/{name}": functools.partial(make, name=name, spec=spec) for name, spec in CASES.items()}
