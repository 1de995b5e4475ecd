"""Adapter files in the published key forms, the weights that they must give, and a picture with each."""

import copy
import functools
import json

import torch

from . import adapter_math as am
from . import ldm_layout, pipelines, tiny_models
from .common import Case, named_seed, save_tensors
from .pipeline_cases import CASTLE, SEA

BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0"
SD1_LINEAR = [f"{BLOCK}.attn1.to_q", f"{BLOCK}.attn2.to_k", f"{BLOCK}.attn2.to_out.0", f"{BLOCK}.ff.net.0.proj",
              "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_v", "mid_block.attentions.0.transformer_blocks.0.ff.net.2"]
SD1_CONV = ["down_blocks.0.attentions.0.proj_in", "down_blocks.0.resnets.0.conv1", "down_blocks.0.downsamplers.0.conv",
            "up_blocks.1.resnets.0.conv_shortcut", "down_blocks.0.resnets.0.time_emb_proj", "conv_in"]
SD1_TEXT = ["text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.mlp.fc1"]
XL_BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0"
XL_LINEAR = [f"{XL_BLOCK}.attn1.to_q", f"{XL_BLOCK}.attn2.to_v", f"{XL_BLOCK}.ff.net.0.proj",
             "mid_block.attentions.0.transformer_blocks.1.attn1.to_out.0", "up_blocks.0.attentions.1.proj_in"]
XL_CONV = ["down_blocks.1.resnets.0.conv1", "up_blocks.0.resnets.1.conv2"]

SD1_ALL = [("unet", n) for n in SD1_LINEAR + SD1_CONV] + [("text_encoder", n) for n in SD1_TEXT]
SD1_ATTENTION = [("unet", n) for n in SD1_LINEAR if "attn" in n]
SDXL_ALL = ([("unet", n) for n in XL_LINEAR + XL_CONV] + [("text_encoder", SD1_TEXT[0])]
            + [("text_encoder_2", "text_model.encoder.layers.2.self_attn.v_proj"),
               ("text_encoder_2", "text_model.encoder.layers.0.mlp.fc2")])


def module_of(parts, component, name):
    """A module by its published name, with or without the text_model level that transformers 5 dropped."""
    model = parts[component]
    try:
        return model.get_submodule(name)
    except AttributeError:
        return model.get_submodule(name.removeprefix("text_model."))


@functools.cache
def sgm_names(model: str) -> dict:
    """Diffusers module name to original module name of a UNet."""
    state = tiny_models.MODELS[model]()["unet"].state_dict()
    numbered = {key: torch.tensor(i) for i, key in enumerate(state)}
    back = {int(v): k for k, v in ldm_layout.unet_to_ldm(numbered).items()}
    return {key.rsplit(".", 1)[0]: back[i].rsplit(".", 1)[0] for i, key in enumerate(state)}


# Key forms: from (model, component, module name, suffix) to the key in the file.
def kohya(model, component, name, suffix):
    prefix = {"unet": "lora_unet", "text_encoder": "lora_te1" if model == "sdxl" else "lora_te", "text_encoder_2": "lora_te2"}
    return f"{prefix[component]}_{name.replace('.', '_')}.{suffix}"


def kohya_sgm(model, component, name, suffix):
    return kohya(model, component, sgm_names(model)[name] if component == "unet" else name, suffix)


def lycoris(model, component, name, suffix):
    return kohya(model, component, name, suffix).replace("lora_unet_", "lycoris_", 1) if component == "unet" else \
        kohya(model, component, name, suffix)


def diffusers_old(_model, component, name, suffix):
    """Attention processors of 2023: ...attn1.processor.to_q_lora.down.weight."""
    layer, kind = name.removesuffix(".0").rsplit(".", 1)
    return f"{component}.{layer}.processor.{kind}_lora.{suffix.removeprefix('lora_')}"


def diffusers_linear_layer(_model, component, name, suffix):
    return f"{component}.{name}.lora_linear_layer.{suffix.removeprefix('lora_')}"


def diffusers_lora_dot(_model, component, name, suffix):
    return f"{component}.{name}.lora.{suffix.removeprefix('lora_')}"


PEFT_SUFFIX = {"lora_down.weight": "lora_A.weight", "lora_up.weight": "lora_B.weight", "alpha": "alpha"}


def diffusers_peft(_model, component, name, suffix):
    return f"{component}.{name}.{PEFT_SUFFIX[suffix]}"


def peft(_model, _component, name, suffix):
    """What PEFT's own save writes for one network: no component name, base_model.model in front."""
    return f"base_model.model.{name}.{PEFT_SUFFIX[suffix]}"


def peft_default(_model, component, name, suffix):
    """Training states keep the adapter's name in the key."""
    return f"{component}.base_model.model.{name}.{PEFT_SUFFIX[suffix].replace('.weight', '.default.weight')}"


def lora(rank=3, **options):
    return lambda weight, seed, index: am.make_lora(weight, seed, rank, **options)


def by_index(*makers):
    return lambda weight, seed, index: makers[index % len(makers)](weight, seed, index)


def family(name, rank=3, **options):
    return lambda weight, seed, index: am.FAMILIES[name][0](weight, seed, rank, **options)


def dora(maker, on_output):
    def make(weight, seed, index):
        return maker(weight, seed, index) | {"dora_scale": am.dora_scale(weight, seed, on_output)}
    return make


# strength: one number, or one per component. via "diffusers": the picture comes from load_lora_weights itself.
CASES = {
    "lora_kohya": dict(form=kohya, make=lora(4, alpha=2.0), targets=SD1_ALL, strength=0.8, via="diffusers"),
    "lora_kohya_no_alpha": dict(form=kohya, make=lora(2), targets=SD1_ALL[:4], strength=1.0),
    "lora_kohya_separate": dict(form=kohya, make=lora(3, alpha=3.0), targets=SD1_ALL,
                                strength={"unet": 0.7, "text_encoder": 0.3}),
    "lora_kohya_tucker": dict(form=kohya, make=lora(3, alpha=1.5, tucker=True), targets=SD1_ALL, strength=0.9),
    "lora_kohya_sgm_names": dict(form=kohya_sgm, make=lora(4, alpha=2.0), targets=SD1_ALL, strength=0.8),
    "lora_diffusers_old": dict(form=diffusers_old, make=lora(4), targets=SD1_ATTENTION, strength=0.8, via="diffusers"),
    "lora_diffusers_linear_layer": dict(form=diffusers_linear_layer, make=lora(4), targets=SD1_ATTENTION, strength=0.8),
    "lora_diffusers_lora_dot": dict(form=diffusers_lora_dot, make=lora(4), targets=SD1_ATTENTION, strength=0.8),
    "lora_diffusers_peft": dict(form=diffusers_peft, make=lora(4), targets=SD1_ALL, strength=0.8, via="diffusers"),
    "lora_diffusers_peft_metadata": dict(form=diffusers_peft, make=lora(4), targets=SD1_ATTENTION, strength=0.8,
                                         metadata_alpha=6.0, via="diffusers"),
    "lora_peft": dict(form=peft, make=lora(4), targets=SD1_ATTENTION, strength=1.0),
    "lora_peft_default": dict(form=peft_default, make=lora(4), targets=SD1_ATTENTION, strength=1.0),
    "loha": dict(form=kohya, make=by_index(family("loha", alpha=1.5), family("loha", alpha=3.0, tucker=True)),
                 targets=SD1_ALL, strength=0.8),
    "lokr": dict(form=kohya, make=by_index(
        family("lokr", 2, alpha=1.0), family("lokr", 2, alpha=5.0, form="full"), family("lokr", 2, alpha=3.0, form="low"),
        family("lokr", 2, alpha=1.0, form="tucker")), targets=SD1_ALL + [("unet", "down_blocks.1.resnets.0.conv2")], strength=0.8),
    "lokr_lycoris_prefix": dict(form=lycoris, make=family("lokr", 2, alpha=2.0), targets=SD1_ALL[:7], strength=1.0),
    "dora": dict(form=kohya, make=by_index(dora(lora(3, alpha=2.0), True), dora(lora(3, alpha=2.0), False)), targets=SD1_ALL,
                 strength=1.0),
    "dora_strength": dict(form=kohya, make=by_index(dora(lora(3, alpha=3.0), True), dora(lora(3, alpha=3.0), False)),
                          targets=SD1_ALL[:8], strength=0.6),
    "dora_loha_lokr": dict(form=kohya, make=by_index(dora(family("loha", alpha=2.0), True), dora(family("lokr", 2, alpha=2.0), False)),
                           targets=SD1_ALL[:8], strength=1.0),
    "glora": dict(form=kohya, make=family("glora", 3, alpha=1.5), targets=SD1_ALL, strength=0.8),
    "ia3": dict(form=kohya, make=by_index(family("ia3"), family("ia3", on_input=True)), targets=SD1_ALL, strength=0.8),
    "full": dict(form=kohya, make=family("full"), targets=SD1_ALL, strength=0.7, biases=True, norms=True),
    "lora_inpaint_9": dict(model="sd1_inpaint", form=kohya, make=lora(2, alpha=1.0), targets=[("unet", "conv_in")], strength=1.0,
                           in_channels=4),
    "lora_sdxl_kohya": dict(model="sdxl", form=kohya, make=lora(3, alpha=1.5), targets=SDXL_ALL, strength=0.8, via="diffusers"),
    "lora_sdxl_kohya_sgm": dict(model="sdxl", form=kohya_sgm, make=lora(3, alpha=1.5), targets=SDXL_ALL, strength=0.8),
    "lora_sdxl_peft": dict(model="sdxl", form=diffusers_peft, make=lora(3), targets=SDXL_ALL, strength=0.8, via="diffusers"),
    "lokr_sdxl": dict(model="sdxl", form=kohya_sgm, make=family("lokr", 2, alpha=1.0), targets=SDXL_ALL, strength=0.8),
}

STRENGTH_BY_DIFFUSERS = 0.8

NORMS = [("unet", "down_blocks.0.resnets.0.norm1"), ("unet", f"{BLOCK}.norm1"), ("text_encoder", "text_model.final_layer_norm")]


def make_files(name, spec, model, parts):
    """The adapter's tensors by key, and the merged parameters by component and published name."""
    seed, file, merged = named_seed(19, name), {}, {}
    for index, (component, path) in enumerate(spec["targets"]):
        module = module_of(parts, component, path)
        weight = module.weight
        strength = spec["strength"] if not isinstance(spec["strength"], dict) else spec["strength"][component]
        small = weight[:, : spec["in_channels"]] if "in_channels" in spec else weight
        tensors = spec["make"](small, named_seed(seed, path), index)
        if spec.get("biases") and module.bias is not None:
            tensors["diff_b"] = am.tensor(named_seed(seed, path), "diff_b", *module.bias.shape, scale=0.2)
            merged[f"{component}.{path}.bias"] = module.bias + strength * tensors["diff_b"]
        for suffix, value in tensors.items():
            file[spec["form"](model, component, path, suffix)] = value
        scaled = dict(tensors)
        if "metadata_alpha" in spec:
            scaled["alpha"] = torch.tensor(spec["metadata_alpha"])
        new = am.merge(small, scaled, strength)
        if small is not weight:  # an adapter for fewer input channels leaves the further ones alone
            new = torch.cat([new, weight[:, spec["in_channels"]:]], 1)
        merged[f"{component}.{path}.weight"] = new
    if spec.get("norms"):
        for component, path in NORMS:
            module = module_of(parts, component, path)
            for kind, suffix in (("weight", "w_norm"), ("bias", "b_norm")):
                value = am.tensor(named_seed(seed, path), suffix, *module.weight.shape, scale=0.2)
                file[kohya(model, component, path, suffix)] = value
                merged[f"{component}.{path}.{kind}"] = getattr(module, kind) + spec["strength"] * value
    return file, merged


def merged_parts(parts, merged):
    """Copies of the networks with the merged parameters in place."""
    out = {k: copy.deepcopy(v) if k in ("unet", "text_encoder", "text_encoder_2") else v for k, v in parts.items()}
    for key, value in merged.items():
        component, path = key.split(".", 1)
        path, kind = path.rsplit(".", 1)
        getattr(module_of(out, component, path), kind).data.copy_(value)
    return out


def metadata_of(spec):
    """diffusers keeps PEFT's rank and alpha as JSON in the file's metadata."""
    if "metadata_alpha" not in spec:
        return None
    config = {"unet.r": 4, "unet.lora_alpha": spec["metadata_alpha"],
              "unet.target_modules": sorted({path for _component, path in spec["targets"]})}
    return {"lora_adapter_metadata": json.dumps(config)}


def through_diffusers(folder, file):
    """Loads the UNet's part as users of diffusers do. The text encoders' part is merged by the formulas before:
    diffusers 0.42 looks for a text_model level that transformers 5 no longer has."""
    def prepare(pipe):
        unet = {key: value for key, value in file.items() if not key.startswith(("text_encoder", "lora_te"))}
        if len(unet) == len(file):
            pipe.load_lora_weights(str(folder), weight_name="adapter.safetensors", adapter_name="one")
        else:
            pipe.load_lora_weights(unet, adapter_name="one")
        pipe.set_adapters(["one"], [STRENGTH_BY_DIFFUSERS])
    return prepare


def half_file(file: dict) -> dict:
    return {k: v if k.endswith((".alpha", ".on_input")) else v.to(torch.float16) for k, v in file.items()}


def make_case(root, name, spec):
    model = spec.get("model", "sd1")
    parts = tiny_models.MODELS[model]()
    file, merged = make_files(name, spec, model, parts)
    case = Case(root, "adapters", name, model=f"pipelines/models/{model}", adapter="adapter.safetensors",
                strength=spec["strength"], modules=len(spec["targets"]) + (len(NORMS) if spec.get("norms") else 0))
    save_tensors(case.folder / "adapter.safetensors", half_file(file), metadata_of(spec))
    for key, value in merged.items():
        case.put("merged." + key, value)
    case.facts["merged"] = {key: "merged." + key for key in merged}
    if model != "sd1_inpaint":
        add_picture(case, name, spec, model, file, merged)
    case.close()


def add_picture(case, name, spec, model, file, merged):
    xl = model == "sdxl"
    run = {"model": model, "pipeline": "StableDiffusionXLPipeline" if xl else "StableDiffusionPipeline", "seed": 3,
           "scheduler": ("EulerDiscreteScheduler",),
           "call": dict(prompt=SEA if xl else CASTLE, num_inference_steps=3, guidance_scale=5.0, width=64, height=64)}
    images, recorder, scheduler, _ = pipelines.run(run, merged_parts(pipelines.components_of(run), merged))
    if spec.get("via") == "diffusers":
        latents = recorder.tensors["latents"]
        text_only = {key: value for key, value in merged.items() if key.startswith("text_encoder")}
        prepare = through_diffusers(case.folder, file)
        images, recorder, scheduler, _ = pipelines.run(run, merged_parts(pipelines.components_of(run), text_only), prepare)
        difference = float((latents - recorder.tensors["latents"]).norm() / latents.norm())
        if difference > 1e-4:
            raise ValueError(f"{name}: diffusers and the formulas differ by {difference:.2e}")
        assert spec["strength"] == STRENGTH_BY_DIFFUSERS
        case.facts["picture_by"] = "diffusers load_lora_weights"
    plain, *_ = pipelines.run(run, pipelines.components_of(run))
    images[0].save(case.folder / "picture_0.png", optimize=True)
    case.put("latents", recorder.tensors["latents"])
    case.facts |= {"pipeline": run["pipeline"], "seed": run["seed"], "scheduler": scheduler, "call": run["call"],
                   "pictures": ["picture_0.png"], "latents": "latents",
                   "facts": {"psnr_to_plain": round(pipelines.psnr(images, plain), 1)}}


def cases() -> dict:
    return {f"adapters/{name}": functools.partial(make_case, name=name, spec=spec) for name, spec in CASES.items()}
