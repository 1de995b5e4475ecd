"""The networks of a checkpoint folder as PyTorch and OpenVINO run them: one object per peer, with `step` and `decode`."""

import functools
import multiprocessing
import pathlib

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

torch.set_grad_enabled(False)


class Inputs:
    """Random latents and prompt states of the right shapes, batch 2: with and without the prompt."""

    def __init__(self, folder: pathlib.Path, width: int, height: int):
        config = UNet2DConditionModel.load_config(folder / "unet")
        generator = torch.Generator().manual_seed(1)
        self.latents = torch.randn(2, 4, height // 8, width // 8, generator=generator)
        self.time = torch.tensor(500.0)
        self.states = torch.randn(2, 77, config["cross_attention_dim"], generator=generator)
        self.extra = None
        if config.get("addition_embed_type") == "text_time":
            self.extra = (torch.randn(2, 1280, generator=generator), torch.full((2, 6), float(width)))

    def added(self, dtype=torch.float32):
        if self.extra is None:
            return None
        return {"text_embeds": self.extra[0].to(dtype), "time_ids": self.extra[1].to(dtype)}


class PyTorch:
    def __init__(self, folder, inputs: Inputs, precision: str):
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval()
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype).eval()
        for network in (self.unet, self.vae):
            network.to(memory_format=torch.channels_last)
        self.call = (inputs.latents.to(dtype), inputs.time, inputs.states.to(dtype))
        self.added = inputs.added(dtype)

    def step(self):
        self.unet(*self.call, added_cond_kwargs=self.added, return_dict=False)

    def decode(self):
        self.vae.decode(self.call[0][:1], return_dict=False)


class UnetCall(torch.nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, latents, time, states, text=None, sizes=None):
        added = None if text is None else {"text_embeds": text, "time_ids": sizes}
        return self.unet(latents, time, states, added_cond_kwargs=added, return_dict=False)[0]


class VaeCall(torch.nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latents):
        return self.vae.decode(latents, return_dict=False)[0]


def unet_call(folder):
    return UnetCall(UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float16).eval())


def vae_call(folder):
    return VaeCall(AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float16).eval())


def convert(file, make, call):
    """Writes the network as OpenVINO's IR with f16 weights.

    The weights stay f16 while it is traced, and the trace runs on latents of a quarter of the size: SDXL in f32 at full
    size needs more than 24 GB. The shapes written are the full ones.
    """
    import openvino as ov
    from openvino.frontend.pytorch.patch_model import __make_16bit_traceable as make_16bit_traceable

    torch.set_grad_enabled(False)
    network = make()
    make_16bit_traceable(network)
    small = [call[0][..., : call[0].shape[2] // 4, : call[0].shape[3] // 4], *call[1:]]
    model = ov.convert_model(network, example_input=tuple(small), input=[list(t.shape) for t in call])
    file.parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, file, compress_to_fp16=True)


class OpenVino:
    def __init__(self, folder, inputs: Inputs, precision: str, threads: int, cache: pathlib.Path):
        import openvino as ov

        self.core = ov.Core()
        self.options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
        }
        call = [inputs.latents, inputs.time, inputs.states, *(inputs.extra or ())]
        size = "x".join(map(str, inputs.latents.shape))
        self.unet = self.compiled(
            cache / f"unet-{size}.xml",
            functools.partial(unet_call, folder),
            call,
        )
        self.vae = self.compiled(
            cache / f"vae-{size}.xml",
            functools.partial(vae_call, folder),
            [inputs.latents[:1]],
        )

    def compiled(self, file, make, call):
        if not file.exists():
            # Conversion holds the network several times; in a process of its own it leaves the peer's memory as it is.
            child = multiprocessing.get_context("spawn").Process(target=convert, args=(file, make, call))
            child.start()
            child.join()
            if child.exitcode != 0:
                raise RuntimeError(f"{file} was not converted")
        request = self.core.compile_model(file, "CPU", self.options).create_infer_request()
        arrays = [np.array(t.numpy(), order="C") for t in call]
        return lambda: request.infer(arrays)

    def step(self):
        self.unet()

    def decode(self):
        self.vae()
