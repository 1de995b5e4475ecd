"""Models of every family in shapes that no fixture has, as diffusers folders in every form of weight file."""

import json
import random

from . import run
from .models import FAMILIES, random_model
from .session import Session, any_size, any_words, mask, picture

# How a pipeline is saved: arguments of save_pretrained.
FORMS = {
    "plain": {}, "fp16": {"variant": "fp16"}, "bin": {"safe_serialization": False}, "sharded": {"max_shard_size": "40KB"},
    "fp16-sharded": {"variant": "fp16", "max_shard_size": "40KB"},
}


def save(model, path, form="plain") -> None:
    """The folder that save_pretrained writes; `fp16` forms hold halves, which the weights survive."""
    pipe = run.build(model)
    if "fp16" in form:
        pipe.to(dtype=__import__("torch").float16)
    pipe.save_pretrained(path, **FORMS[form])
    if "fp16" in form:
        pipe.to(dtype=__import__("torch").float32)


def call_for(rng: random.Random, model) -> dict:
    """A call of the model's own pipeline with few steps."""
    call = {**any_words(rng), "num_inference_steps": rng.choice([1, 2, 3, 4])}
    size = any_size(rng, model.factor)
    if model.family not in ("edit", "refiner"):
        call |= size
    if model.family in ("edit", "refiner", "inpaint", "sdxl-inpaint", "sdxl-edit"):
        call["image"] = picture(str(rng.random()), size["width"], size["height"])
    if "inpaint" in model.family:
        call["mask_image"] = mask("", size["width"], size["height"])
        call["strength"] = rng.choice([1.0, 0.99, 0.7])
    if model.family == "refiner":
        call["strength"] = rng.choice([0.5, 0.9])
    if model.family == "lcm":
        call.pop("negative_prompt", None)
    if "strength" in call:
        call["num_inference_steps"] += 2
    call["guidance_scale"] = rng.choice([1.0, 3.0, 5.0])
    return call


def extra_arguments(model) -> list:
    return ["--no-composite"] if "inpaint" in model.family else []


def hunt(session: Session, rng: random.Random, families=FAMILIES) -> None:
    for family in families:
        model = random_model(rng, family)
        call, form = call_for(rng, model), rng.choice(list(FORMS))
        path = session.path()
        save(model, path, form)
        session.check(f"{family}-{form}", model, path, call, arguments=extra_arguments(model), explain=json.dumps(model.facts))
