"""One run of the hunt: a temporary folder, the program, the table of what was compared."""

import random
from dataclasses import dataclass
from pathlib import Path

from golden import pipelines
from PIL import Image

from . import run

LIMITS = {"f32": 55.0, "bf16": 30.0}
PROMPTS = [
    "a castle on a hill at dawn, mist", "Stormy SEA, two moons", "", "naïve café — 夜の海, ünïcode 🌙", "a (red:1.3) [rock] | AND stone",
    "it's 3.14 o'clock!!  don't   stop...", ", ".join(["an immense ancient library with glowing lanterns"] * 9), "a",
]
NEGATIVES = [None, None, "", "blurry, low quality", ", ".join(["ugly hands and feet"] * 16)]

# Argument of the pipelines -> option of the program.
OPTIONS = dict(
    prompt="--prompt", negative_prompt="--negative", num_inference_steps="--steps", guidance_scale="--cfg", width="--width",
    height="--height", strength="--strength", guidance_rescale="--guidance-rescale", eta="--eta", clip_skip="--clip-skip",
    image_guidance_scale="--image-cfg", padding_mask_crop="--padding", denoising_start="--denoising-start",
    denoising_end="--denoising-end")


@dataclass
class Row:
    area: str
    name: str
    psnr: float | None
    note: str
    bad: bool


class Session:
    def __init__(self, folder: Path, binary: Path, precision: str, verbose: bool):
        self.folder, self.program, self.verbose = folder, run.Program(binary, folder, precision), verbose
        self.limit = LIMITS[precision]
        self.refusals_count = True  # whether a clear error where the reference gives a picture is bad
        self.rows, self.area, self.files = [], "", 0

    def path(self, suffix: str = "") -> Path:
        self.files += 1
        return self.folder / f"file{self.files}{suffix}"

    def picture(self, image: Image.Image) -> Path:
        path = self.path(".png")
        image.save(path)
        return path

    def arguments(self, call: dict) -> list:
        """The command line that says what the call says."""
        found = []
        for key, value in call.items():
            if value is None:
                continue
            if key in ("image", "mask_image"):
                found += ["--init" if key == "image" else "--mask", self.picture(value)]
            elif key in OPTIONS:
                found += [OPTIONS[key], value]
            else:
                raise KeyError(key)
        return found

    def add(self, name: str, psnr, note: str = "", bad: bool | None = None) -> None:
        row = Row(self.area, name, psnr, note, (psnr is None or psnr < self.limit) if bad is None else bad)
        self.rows.append(row)
        if self.verbose or row.bad:
            value = "  --  " if psnr is None else f"{psnr:6.1f}"
            print(f"{'BAD ' if row.bad else '    '}{value} {row.area}/{name} {note}", flush=True)

    def check(self, name: str, model, path, call: dict, seeds=(1,), pipeline=None, scheduler=None, more=None, prepare=None,
              arguments=(), explain="") -> list | None:
        """Compares one call. `more`: further parts of the pipeline; `prepare` changes the pipeline before it runs."""
        say = lambda m: run.reference(self.ready(m, pipeline, scheduler, more, prepare), seeds, dict(call))
        try:
            expected = say(model)
        except Exception as error:  # whatever the reference refuses
            found = self.program(self.command(path, call, seeds, arguments))
            refused = isinstance(found, str)
            self.add(name, None, f"reference: {type(error).__name__}: {str(error)[:90]}; program: {found if refused else 'a picture'}"
                     , bad=False if refused or isinstance(error, (AttributeError, TypeError)) else None)
            return None
        self.against(name, expected, path, call, seeds, arguments, explain, lambda: say(run.shaken(model)))
        return expected

    def ready(self, model, pipeline, scheduler, more, prepare):
        pipe = run.build(model, pipeline, scheduler, **(more or {}))
        if prepare:
            prepare(pipe)
        return pipe

    def command(self, path, call, seeds, arguments) -> list:
        command = ["--model", path, "--seed", seeds[0], *self.arguments(call), *arguments]
        return command + (["--count", len(seeds)] if len(seeds) > 1 else [])

    def against(self, name, expected, path, call, seeds=(1,), arguments=(), explain="", again=None) -> None:
        found = self.program(self.command(path, call, seeds, arguments))
        value, note = run.compare(expected, found)
        if value is None and run.spread(expected) == 0:  # the reference's NaN becomes one black picture, ours an error
            self.add(name, None, f"the reference gives one colour; program: {note}", bad=False)
            return
        if value is None or value < self.limit:
            if again and value is not None:
                note += f" (shaken by 1e-6: {run.compare(expected, again())[0]:.1f})"
            note += f" [spread {run.spread(expected):.0f}] {explain}\n        " + " ".join(
                f"'{a}'" if " " in a else a for a in self.program.command)
        self.add(name, value, note, bad=False if value is None and not self.refusals_count else None)


def any_size(rng: random.Random, factor: int, smallest=4, largest=14) -> dict:
    """Sides that the pipelines accept: whole latent pixels, and multiples of 8."""
    step = max(factor, 8)
    return dict(width=step * rng.randint(smallest, largest), height=step * rng.randint(smallest, largest))


def any_words(rng: random.Random) -> dict:
    call = dict(prompt=rng.choice(PROMPTS))
    negative = rng.choice(NEGATIVES)
    return call if negative is None else {**call, "negative_prompt": negative}


picture, mask = pipelines.picture, pipelines.mask
