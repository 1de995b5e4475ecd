"""What every fixture maker of tests/golden shares: seeded float16-representable weights and a case writer."""

import hashlib
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

SOURCE_DIR = Path(__file__).resolve().parents[2]
GOLDEN_DIR = SOURCE_DIR / "tests" / "golden"


# Tensors of published files that are no weights; they stay in float32.
LEFTOVERS = {"logit_scale", "betas", "alphas_cumprod", "sqrt_alphas_cumprod", "denoiser.sigmas"}


def tokenizer_dir() -> Path:
    """The CLIP vocabulary: the repository's starter model, or the folder named by MAQUETTE_CLIP_VOCABULARY."""
    return Path(os.environ.get("MAQUETTE_CLIP_VOCABULARY", SOURCE_DIR / "models" / "starter" / "tokenizer"))


def versions() -> dict:
    import diffusers
    import transformers

    return {
        "torch": torch.__version__.split("+")[0],
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "numpy": np.__version__,
    }


def named_seed(seed: int, name: str) -> int:
    """A seed that depends on the name alone, so that a new tensor never moves the others."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:4], "little")


def normal(seed: int, name: str, shape, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator("cpu").manual_seed(named_seed(seed, name))
    return torch.randn(tuple(shape), generator=generator) * scale


def to_half_grid(tensor: torch.Tensor) -> torch.Tensor:
    """The nearest float16 values, kept in float32: the file stores halves and loses nothing."""
    return tensor.to(torch.float16).to(torch.float32)


def to_f8_grid(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.float8_e4m3fn).to(torch.float32)


def random_weight(seed: int, name: str, parameter: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """Variance-keeping random values, chosen by the role that the name and rank of a parameter tell."""
    leaf = name.rsplit(".", 1)[-1]
    if "token_embedding" in name:
        return to_f8_grid(normal(seed, name, parameter.shape, 1.0))
    if "embedding" in name and leaf == "weight" and parameter.dim() == 2 and "linear" not in name and "time" not in name:
        return to_half_grid(normal(seed, name, parameter.shape, 0.3))
    if parameter.dim() >= 2:
        fan_in = max(1, math.prod(parameter.shape[1:]))
        return to_half_grid(normal(seed, name, parameter.shape, gain / math.sqrt(fan_in)))
    if leaf == "weight":
        return to_half_grid(1.0 + normal(seed, name, parameter.shape, 0.15))
    return to_half_grid(normal(seed, name, parameter.shape, 0.1))


def randomize(module: torch.nn.Module, seed: int, gain: float = 1.0, special: dict | None = None) -> torch.nn.Module:
    """Fills every parameter; special maps a name suffix to its own gain. Returns the module in eval mode."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            own_gain = gain
            for suffix, value in (special or {}).items():
                if name.endswith(suffix):
                    own_gain = value
            parameter.copy_(random_weight(seed, name, parameter, own_gain))
    return module.eval().requires_grad_(False)


def halves(state: dict, keep_f8: bool = False) -> dict:
    """A state dictionary as float16; token embeddings as float8 when asked. Values must survive unchanged."""
    out = {}
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        if name in LEFTOVERS or name.endswith(".logit_scale"):
            out[name] = tensor.detach().to(torch.float32).contiguous().clone()
            continue
        dtype = torch.float8_e4m3fn if keep_f8 and "token_embedding" in name else torch.float16
        stored = tensor.detach().to(dtype).contiguous().clone()
        if not torch.equal(stored.to(torch.float32), tensor.detach().to(torch.float32)):
            raise ValueError(f"{name} is not representable in {dtype}")
        out[name] = stored
    return out


def save_tensors(path: Path, tensors: dict, metadata: dict | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    clean = {name: tensors[name].detach().contiguous().clone() for name in sorted(tensors)}
    save_file(clean, str(path), metadata=metadata)


def save_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, default=_jsonable) + "\n")


def _jsonable(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(type(value))


def config_json(module) -> dict:
    """The config.json that diffusers or transformers writes, without machine-dependent entries."""
    config = module.config
    if hasattr(config, "to_dict"):
        values = config.to_dict()
        values["architectures"] = [type(module).__name__]
        values.pop("_name_or_path", None)
        return values
    values = {k: v for k, v in dict(config).items() if k not in ("_name_or_path", "_use_default_values")}
    values["_class_name"] = type(module).__name__
    values["_diffusers_version"] = versions()["diffusers"]
    return dict(sorted(values.items()))


class Case:
    """One fixture folder: tensors gathered under names, written as data.safetensors beside case.json."""

    def __init__(self, root: Path, group: str, name: str, **facts):
        self.folder = root / group / name
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self.facts = {"case": name, "group": group, **facts}
        self.tensors: dict[str, torch.Tensor] = {}

    def put(self, name: str, tensor) -> str:
        value = torch.as_tensor(tensor)
        if value.dtype == torch.int64:
            value = value.to(torch.int32)
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise ValueError(f"{self.facts['case']}: {name} is not finite")
        self.tensors[name] = value.detach().clone()
        return name

    def put_half(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """Stores an input as halves and returns the float32 values that the file holds."""
        value = to_half_grid(tensor)
        self.tensors[name] = value.to(torch.float16)
        return value

    def weights(self, file: str, state: dict, metadata: dict | None = None, keep_f8: bool = False) -> None:
        save_tensors(self.folder / file, halves(state, keep_f8), metadata)

    def close(self) -> None:
        if self.tensors:
            save_tensors(self.folder / "data.safetensors", self.tensors)
        self.facts["versions"] = versions()
        save_json(self.folder / "case.json", self.facts)


class Tracer:
    """Records the outputs of the modules that a filter picks, under their dotted names."""

    def __init__(self, module: torch.nn.Module, wanted):
        self.found: dict[str, torch.Tensor] = {}
        self.hooks = []
        for name, child in module.named_modules():
            if name and wanted(name):
                self.hooks.append(child.register_forward_hook(self._hook(name)))

    def _hook(self, name):
        def record(_module, _inputs, output):
            if isinstance(output, tuple):
                output = output[0]
            if hasattr(output, "sample"):
                output = output.sample
            if isinstance(output, torch.Tensor):
                self.found[name] = output.detach().clone()

        return record

    def close(self) -> dict:
        for hook in self.hooks:
            hook.remove()
        return self.found
