"""Whole runs of the standard diffusers pipelines over tiny random models: latents, every step, 8-bit pictures."""

import copy
import functools
import inspect

import diffusers
import numpy as np
import torch
from PIL import Image, ImageDraw

from . import common, tiny_models
from .common import Case, config_json

# The mildest disagreement that a case may show when every weight is disturbed by a relative 1e-6.
MIN_PSNR_OF_DISTURBED = 60.0


def picture(name: str, width: int, height: int) -> Image.Image:
    """A drawn test picture: gradients, an ellipse, a box and lines, all its own by name."""
    rng = np.random.default_rng(common.named_seed(3, name))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = []
    for _ in range(3):
        a, b, c, d = rng.uniform(-1, 1, 4)
        channels.append(127 + 80 * np.sin(3.1 * a * x / width + 2.7 * b * y / height + 6 * c) + 40 * d)
    image = Image.fromarray(np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(3):
        x0, y0 = rng.uniform(0, 0.6, 2)
        box = [x0 * width, y0 * height, (x0 + 0.35) * width, (y0 + 0.35) * height]
        color = tuple(int(v) for v in rng.integers(0, 255, 3))
        (draw.ellipse if rng.uniform() < 0.5 else draw.rectangle)(box, fill=color)
    draw.line([0, height - 1, width - 1, 0], fill=(255, 255, 255), width=2)
    return image


def mask(name: str, width: int, height: int) -> Image.Image:
    """White (repaint) ellipse with a grey edge on black, odd to the latent grid on purpose."""
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    draw.ellipse([width * 0.2, height * 0.15, width * 0.83, height * 0.7], fill=255)
    draw.rectangle([0, height - 11, width * 0.4, height], fill=140)
    draw.rectangle([width - 9, 0, width, 13], fill=100)
    return image


def pil_inputs(call: dict) -> dict:
    """Turns {"image": ("picture", name, width, height)} entries into pictures."""
    return {key: make_input(value) for key, value in call.items()}


def make_input(value):
    if isinstance(value, tuple) and value and value[0] in ("picture", "mask"):
        return {"picture": picture, "mask": mask}[value[0]](*value[1:])
    if isinstance(value, tuple) and value and value[0] == "latents_of":
        _, recorder, *_ = run(value[1], components_of(value[1]))
        return recorder.tensors["latents"]
    if isinstance(value, list):
        return [make_input(v) for v in value]
    return value


def scheduler_for(spec: dict, default):
    """The folder's own scheduler, or the class named with the folder's configuration below the given options."""
    if "scheduler" not in spec:
        return copy.deepcopy(default), True
    name, *options = spec["scheduler"]
    return getattr(diffusers, name).from_config(default.config, **(options[0] if options else {})), False


def components_of(spec: dict) -> dict:
    parts = dict(tiny_models.MODELS[spec["model"]]())
    parts.pop("pipeline")
    parts.update({key: value() for key, value in spec.get("parts", {}).items()})
    return parts


def build(spec: dict, parts: dict):
    cls = getattr(diffusers, spec["pipeline"])
    parts = dict(parts)
    accepted = inspect.signature(cls.__init__).parameters
    for optional in ("safety_checker", "feature_extractor", "image_encoder"):
        if optional in accepted and optional not in parts:
            parts[optional] = None
    if "requires_safety_checker" in accepted:
        parts["requires_safety_checker"] = False
    for absent in ("text_encoder", "tokenizer"):
        parts.setdefault(absent, None)
    parts = {key: value for key, value in parts.items() if key in accepted}
    pipe = cls(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


class Recorder:
    """Listens to a pipeline: the first UNet call, every scheduler step, and what the VAE is given to decode."""

    def __init__(self, pipe):
        self.tensors, self.unet_calls, self.steps, self.draws = {}, 0, 0, []
        self.randn = torch.randn
        torch.randn = self._randn
        encoder = getattr(pipe, "image_encoder", None)
        self.vision = encoder and encoder.register_forward_pre_hook(self._vision, with_kwargs=True)
        self.pipe = pipe
        self.hook = pipe.unet.register_forward_hook(self._unet, with_kwargs=True)
        self.step = pipe.scheduler.step
        # Pipelines look at the signature of step to decide what to pass (generator, eta): keep it visible.
        pipe.scheduler.step = functools.wraps(self.step)(lambda *args, **kwargs: self._step(*args, **kwargs))
        self.decode = pipe.vae.decode
        pipe.vae.decode = functools.wraps(self.decode)(lambda *args, **kwargs: self._decode(*args, **kwargs))

    def close(self):
        torch.randn = self.randn
        self.hook.remove()
        if self.vision:
            self.vision.remove()
        del self.pipe.scheduler.step
        del self.pipe.vae.decode

    def _randn(self, *args, **kwargs):
        out = self.randn(*args, **kwargs)
        self.tensors[f"draw.{len(self.draws)}"] = out.clone()
        self.draws.append(list(out.shape))
        return out

    def _vision(self, _module, args, kwargs):
        self.tensors.setdefault("vision.pixel_values", args[0] if args else kwargs["pixel_values"])

    def _unet(self, _module, args, kwargs, output):
        self.unet_calls += 1
        if self.unet_calls > 1:
            return
        sample = args[0] if args else kwargs["sample"]
        timestep = args[1] if len(args) > 1 else kwargs["timestep"]
        self.tensors["first.sample"] = sample
        self.tensors["first.timestep"] = torch.as_tensor(timestep, dtype=torch.float32).reshape(-1)
        self.tensors["first.context"] = kwargs["encoder_hidden_states"]
        for key, value in (kwargs.get("added_cond_kwargs") or {}).items():
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                self.tensors["first." + key + (f".{index}" if isinstance(value, list) else "")] = item
        if kwargs.get("mid_block_additional_residual") is not None:
            self.tensors["first.mid_residual"] = kwargs["mid_block_additional_residual"]
        if kwargs.get("timestep_cond") is not None:
            self.tensors["first.timestep_cond"] = kwargs["timestep_cond"]
        self.tensors["first.out"] = output[0]

    def _step(self, model_output, timestep, sample, *args, **kwargs):
        out = self.step(model_output, timestep, sample, *args, **kwargs)
        self.tensors[f"step.{self.steps}.prev_sample"] = (out[0] if isinstance(out, tuple) else out.prev_sample).clone()
        self.steps += 1
        return out

    def _decode(self, latents, *args, **kwargs):
        self.tensors["latents"] = latents * self.pipe.vae.config.scaling_factor
        return self.decode(latents, *args, **kwargs)


def run(spec: dict, parts: dict, prepare=None):
    """Runs one pipeline; returns the pictures, the recorder and the scheduler that was used."""
    parts = dict(parts)
    if prepare:  # it changes the networks
        parts = {key: copy.deepcopy(v) if isinstance(v, torch.nn.Module) else v for key, v in parts.items()}
    parts["scheduler"], is_default = scheduler_for(spec, parts["scheduler"])
    scheduler_config = config_json(parts["scheduler"])
    pipe = build(spec, parts)
    if prepare:
        prepare(pipe)
    seed = spec.get("seed", 0)
    seeds = seed if isinstance(seed, list) else [seed]
    generators = [torch.Generator("cpu").manual_seed(s) for s in seeds]
    call = pil_inputs(spec["call"])
    recorder = Recorder(pipe)
    if spec.get("latent_output"):
        call["output_type"] = "latent"
    result = pipe(generator=generators if isinstance(seed, list) else generators[0], **call)
    recorder.close()
    facts = {"class": type(parts["scheduler"]).__name__, "folder_default": is_default, "config": scheduler_config}
    if spec.get("latent_output"):
        recorder.tensors["latents"] = result.images
        return [], recorder, facts, pipe
    return result.images, recorder, facts, pipe


def disturbed(parts: dict) -> dict:
    """The same components with every weight of the networks off by a relative 1e-6 (normally distributed)."""
    out = {}
    for key, value in parts.items():
        if isinstance(value, torch.nn.Module):
            value = copy.deepcopy(value)
            for name, parameter in value.named_parameters():
                parameter.mul_(1 + common.normal(1, "noise:" + name, parameter.shape, 1e-6))
        elif isinstance(value, list) and value and isinstance(value[0], torch.nn.Module):
            value = [disturbed({"x": v})["x"] for v in value]
        out[key] = value
    return out


def psnr(a: list, b: list) -> float:
    error = np.mean([(np.asarray(x, np.float64) - np.asarray(y, np.float64)) ** 2 for x, y in zip(a, b)])
    return 200.0 if error == 0 else float(10 * np.log10(255.0**2 / error))


def jsonable_call(case, call: dict) -> dict:
    """The call as recorded: pictures become files beside case.json."""
    out = {}
    for key, value in call.items():
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            out[key] = [save_input(case, f"{key}_{i}", v) for i, v in enumerate(value)]
        elif isinstance(value, tuple) and value and value[0] in ("picture", "mask"):
            out[key] = save_input(case, key, value)
        elif isinstance(value, tuple) and value and value[0] == "latents_of":
            out[key] = {"tensor": case.put("input." + key, make_input(value))}
        else:
            out[key] = value
    return out


def save_input(case, key, value) -> str:
    file = f"{key}.png"
    make_input(value).save(case.folder / file, optimize=True)
    return file


def model_path(name: str) -> str:
    return f"models/{name}" + ("/model.safetensors" if name in tiny_models.SINGLE_FILES else "")


def make_case(root, name: str, spec: dict, prepare=None, group: str = "pipelines", **facts) -> None:
    parts = components_of(spec)
    images, recorder, scheduler, _pipe = run(spec, parts, prepare)
    case = Case(root, group, name, pipeline=spec["pipeline"], model=model_path(spec["model"]), **facts)
    for key, file in spec.get("files", {}).items():
        case.facts[key] = file
    case.facts |= {"seed": spec.get("seed", 0), "scheduler": scheduler, "call": jsonable_call(case, spec["call"])}
    for key, value in recorder.tensors.items():
        case.put(key, value)
    case.facts |= {"steps_recorded": recorder.steps, "unet_calls": recorder.unet_calls, "draws": recorder.draws, "latents": "latents"}
    files = []
    for index, image in enumerate(images):
        files.append(f"picture_{index}.png")
        image.save(case.folder / files[-1], optimize=True)
    case.facts["pictures"] = files
    if images:
        pixels = np.stack([np.asarray(i) for i in images]).astype(np.float64)
        again, *_ = run(spec, disturbed(parts), prepare)
        case.facts["facts"] = {
            "std": round(float(pixels.std()), 2),
            "saturated": round(float(((pixels == 0) | (pixels == 255)).mean()), 4),
            "psnr_disturbed_1e-6": round(psnr(images, again), 1),
        }
        check_facts(name, case.facts["facts"])
    case.close()


def check_facts(name, facts) -> None:
    if facts["std"] < 25 or facts["saturated"] > 0.1 or facts["psnr_disturbed_1e-6"] < MIN_PSNR_OF_DISTURBED:
        print(f"  WARNING {name}: {facts}")
