"""Runs the reference pipeline and the program on the same words and compares their 8-bit pictures."""

import copy
import inspect
import json
import subprocess
from pathlib import Path

import diffusers
import numpy as np
import torch
from golden.pipelines import disturbed, psnr
from PIL import Image


def build(model, pipeline=None, scheduler=None, **more):
    """A fresh pipeline over the model's components, as a user's script would make it."""
    cls = getattr(diffusers, pipeline or model.pipeline)
    accepted = inspect.signature(cls.__init__).parameters
    parts = {**model.parts, "scheduler": copy.deepcopy(model.parts["scheduler"]), **model.flags, **more}
    if "image_encoder" in accepted:
        parts.setdefault("image_encoder", None)
    pipe = cls(**{key: value for key, value in parts.items() if key in accepted})
    if scheduler:
        name, options = scheduler
        written = {k: v for k, v in pipe.scheduler.config.items() if k != "_use_default_values"}  # as a folder has it
        pipe.scheduler = getattr(diffusers, name).from_config(written, **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def reference(pipe, seeds, call: dict):
    generators = [torch.Generator("cpu").manual_seed(s) for s in seeds]
    with torch.no_grad():
        return pipe(generator=generators if len(seeds) > 1 else generators[0], **call).images


def shaken(model):
    """The model with every weight off by a relative 1e-6: what it disagrees with itself is the model's fault."""
    other = copy.copy(model)
    with torch.no_grad():
        other.parts = disturbed(model.parts)
    return other


class Program:
    def __init__(self, binary: Path, folder: Path, precision: str):
        self.binary, self.folder, self.precision, self.runs = binary, folder, precision, 0

    def __call__(self, arguments: list, count: int = 1):
        """The pictures of `maquette generate`, or its message as a string where it fails."""
        self.runs += 1
        out = self.folder / f"out{self.runs}"
        out.mkdir()
        command = [str(self.binary), "generate", *map(str, arguments), "--out", str(out), "--json"]
        if "--precision" not in command:
            command += ["--precision", self.precision]
        self.command = command
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.warnings = done.stderr
        if done.returncode != 0:
            return f"exit {done.returncode}: " + " / ".join(done.stderr.strip().splitlines()[-4:])
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return [Image.open(line["file"]).convert("RGB") for line in lines]


def compare(expected, found):
    if isinstance(found, str):
        return None, found
    if len(expected) != len(found):
        return None, f"{len(found)} pictures for {len(expected)}"
    if any(a.size != b.size for a, b in zip(expected, found)):
        return None, f"{found[0].size} for {expected[0].size}"
    return psnr(expected, found), ""


def spread(images) -> float:
    return float(np.stack([np.asarray(i, np.float64) for i in images]).std())
