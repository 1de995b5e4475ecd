"""LoRAs (also DoRA) that peft and diffusers write, with random ranks, alphas, targets and weights, several at once."""

import random

from .guides import lora
from .models import random_model
from .session import Session, any_size, any_words
from .shapes import save


def hunt(session: Session, rng: random.Random, families=("sd1", "sd2", "sdxl", "pruned")) -> None:
    for family in families:
        model = random_model(rng, family)
        path = session.path()
        save(model, path)
        files, weights = [], []
        for _ in range(rng.choice([1, 1, 2])):
            files.append(lora(rng, model, session.path(".safetensors")))
            weights.append(rng.choice([1.0, 0.6, -0.5, 2.0, 0.0]))
        call = {**any_words(rng), **any_size(rng, model.factor), "num_inference_steps": 2, "guidance_scale": 3.0}

        def prepare(pipe):
            for i, file in enumerate(files):
                pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=f"a{i}")
            pipe.set_adapters([f"a{i}" for i in range(len(files))], weights)

        arguments = []
        for file, weight in zip(files, weights):
            arguments += ["--lora", f"{file}:{weight}"]
        import copy

        import torch

        fresh = copy.copy(model)
        fresh.parts = {k: copy.deepcopy(v) if isinstance(v, torch.nn.Module) else v for k, v in model.parts.items()}
        session.check(f"{family} {weights}", fresh, path, call, prepare=prepare, arguments=arguments)
