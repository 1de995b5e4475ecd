// The settings of the generate panel, and recipes: every recipe that comes in (recalled from a take, kept from the
// last visit) passes through fromRecipe, every one that goes out through toRecipe.
//
// Fields the panel has no control for (regions, clip_skip, a mask...) are kept in "rest", shown as a list, and sent
// again: a take recalled and generated unchanged is the same recipe.
import type { Recipe, RecipeFile, ShowSettings } from "./documents";

export interface LoraChoice {
  name: string;
  weight: number;
}

export interface ControlChoice {
  kind: string;
  model: string;
  /** A file of the show. */
  sha256: string;
  weight: number;
}

export interface GenerateSettings {
  model: string;
  prompt: string;
  negative: string;
  width: number;
  height: number;
  steps: number;
  cfg: number;
  sampler: string;
  schedule: string;
  seed: number;
  seedLocked: boolean;
  count: number;
  init: string | null;
  strength: number;
  controls: ControlChoice[];
  loras: LoraChoice[];
  tileX: boolean;
  tileY: boolean;
  rest: Record<string, unknown>;
}

export const kMaxCount = 64;
export const kSeedLimit = 4294967296;

export function defaultSettings(): GenerateSettings {
  return {
    model: "",
    prompt: "",
    negative: "",
    width: 512,
    height: 512,
    steps: 24,
    cfg: 7,
    sampler: "",
    schedule: "",
    seed: 0,
    seedLocked: false,
    count: 4,
    init: null,
    strength: 0.6,
    controls: [],
    loras: [],
    tileX: false,
    tileY: false,
    rest: {},
  };
}

export interface SamplerPreset {
  id: "fast" | "balanced" | "fine";
  sampler: string;
  schedule: string;
  steps: number;
  cfg: number;
}

export const kSamplerPresets: readonly SamplerPreset[] = [
  { id: "fast", sampler: "dpm++2m", schedule: "karras", steps: 14, cfg: 6 },
  { id: "balanced", sampler: "dpm++2m", schedule: "karras", steps: 24, cfg: 7 },
  { id: "fine", sampler: "dpm++2m-sde", schedule: "karras", steps: 40, cfg: 7 },
];

export interface SizePreset {
  id: "small" | "medium" | "large" | "full" | "square";
  width: number;
  height: number;
}

const roundTo = (value: number, step: number): number => Math.max(step, Math.round(value / step) * step);

/** The show's overscan as a share of the width; settings may say 0.1 or 10. */
export function overscanShare(settings: ShowSettings): number {
  const value = settings.overscan ?? 0;
  return value > 1 ? value / 100 : value;
}

/** Sizes of the show's proportions, from a quick one to its full frame; with overscan, larger on all sides. */
export function sizePresets(settings: ShowSettings, withOverscan: boolean): SizePreset[] {
  const width = settings.width ?? 1920;
  const height = settings.height ?? 1080;
  const grow = withOverscan ? 1 + overscanShare(settings) : 1;
  const ofArea = (id: SizePreset["id"], pixels: number): SizePreset => {
    const scale = Math.sqrt(pixels / (width * height)) * grow;
    return { id, width: roundTo(width * scale, 8), height: roundTo(height * scale, 8) };
  };
  return [
    ofArea("small", 512 * 512),
    ofArea("medium", 768 * 768),
    ofArea("large", 1024 * 1024),
    { id: "full", width: roundTo(width * grow, 8), height: roundTo(height * grow, 8) },
    { id: "square", width: 1024, height: 1024 },
  ];
}

/** A file's name as people chose it: the engine writes {path, sha256}, people write a name. */
export function fileName(file: RecipeFile | undefined): string {
  if (!file) return "";
  if (typeof file === "string") return file;
  return file.path ?? (file.sha256 ? `sha256:${file.sha256}` : "");
}

/** A picture's hash: recipes of the engine have it beside the path, requests write "sha256:<hex>". */
export function fileHash(file: RecipeFile | undefined): string | null {
  if (!file) return null;
  if (typeof file !== "string") return file.sha256 || fileHash(file.path);
  return file.startsWith("sha256:") ? file.slice(7) : null;
}

/** "models/backgrounds-xl.safetensors" is the library's "backgrounds-xl". */
export function libraryName(name: string, known: readonly { name: string; path: string }[]): string {
  const stem = (path: string): string => path.split("/").pop()!.replace(/\.(safetensors|ckpt|gguf|pt|pth)$/, "");
  const exact = known.find((model) => model.name === name || model.path === name);
  return exact?.name ?? known.find((model) => stem(model.path) === stem(name))?.name ?? name;
}

const kOwnFields = new Set([
  "model", "prompt", "negative", "width", "height", "steps", "cfg", "sampler", "schedule", "seed", "init", "strength", "controls", "loras", "tile_x", "tile_y",
]);
/** What the engine says about the run, not what it was asked; and what names the model a second time. */
export const kNotAsked: ReadonlySet<string> = new Set(["schema", "version", "program", "run", "result", "warnings", "timings"]);

type Known = readonly { name: string; path: string }[];

const kPictureFields = new Set(["init", "mask", "image"]);
const kModelFields = new Set(["model", "vae", "image_encoder", "upscale", "file", "embeddings"]);

/** Files of a recipe as the engine wrote them, as one asks for them: pictures by hash, models by the library's name. */
function asked(name: string, value: unknown, known: Known): unknown {
  if (Array.isArray(value)) return value.map((item) => asked(name, item, known));
  if (typeof value !== "object" || value === null) return value;
  const file = value as { path?: string; sha256?: string };
  if (kPictureFields.has(name)) return fileHash(file) ? `sha256:${fileHash(file)}` : value;
  if (kModelFields.has(name) && file.path !== undefined) return libraryName(file.path, known);
  return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, asked(field, item, known)]));
}

export function fromRecipe(recipe: Recipe, base: GenerateSettings, known: Known = []): GenerateSettings {
  const fresh = defaultSettings();
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(recipe)) {
    if (!kOwnFields.has(name) && !kNotAsked.has(name) && value !== null) rest[name] = asked(name, value, known);
  }
  const controls = (recipe.controls ?? []).flatMap((control) => {
    const sha256 = fileHash(control.image);
    return sha256 ? [{ kind: control.kind, model: libraryName(fileName(control.model), known), sha256, weight: control.weight ?? 1 }] : [];
  });
  return {
    model: libraryName(fileName(recipe.model), known),
    prompt: recipe.prompt ?? "",
    negative: recipe.negative ?? "",
    width: recipe.width || base.width,
    height: recipe.height || base.height,
    steps: recipe.steps || fresh.steps,
    cfg: recipe.cfg ?? fresh.cfg,
    sampler: recipe.sampler ?? "",
    schedule: recipe.schedule ?? "",
    seed: Number(recipe.seed ?? 0),
    seedLocked: true,
    count: base.count,
    init: fileHash(recipe.init),
    strength: recipe.strength ?? fresh.strength,
    controls,
    loras: (recipe.loras ?? []).map((lora) => ({ name: libraryName(fileName(lora.file), known), weight: lora.unet_weight ?? 1 })),
    tileX: recipe.tile_x ?? false,
    tileY: recipe.tile_y ?? false,
    rest,
  };
}

export function toRecipe(settings: GenerateSettings): Recipe {
  const recipe: Recipe = {
    ...settings.rest,
    model: settings.model,
    prompt: settings.prompt,
    width: settings.width,
    height: settings.height,
    steps: settings.steps,
    cfg: settings.cfg,
    seed: settings.seed,
  };
  if (settings.negative) recipe.negative = settings.negative;
  if (settings.sampler) recipe.sampler = settings.sampler;
  if (settings.schedule) recipe.schedule = settings.schedule;
  if (settings.init) {
    recipe.init = `sha256:${settings.init}`;
    recipe.strength = settings.strength;
  }
  if (settings.controls.length > 0) {
    recipe.controls = settings.controls.map(({ kind, model, sha256, weight }) => ({ kind, model, image: `sha256:${sha256}`, weight }));
  }
  if (settings.loras.length > 0) {
    recipe.loras = settings.loras.map(({ name, weight }) => ({ file: name, unet_weight: weight, text_weight: weight }));
  }
  if (settings.tileX) recipe.tile_x = true;
  if (settings.tileY) recipe.tile_y = true;
  return recipe;
}

/** The same picture, quick: half the size, few steps. */
export function previewOf(settings: GenerateSettings): GenerateSettings {
  return {
    ...settings,
    width: roundTo(settings.width / 2, 8),
    height: roundTo(settings.height / 2, 8),
    steps: Math.min(settings.steps, 12),
  };
}

export function randomSeed(): number {
  return Math.floor(Math.random() * kSeedLimit);
}

/** Whatever was kept in the browser, repaired: fields of another version are dropped, missing ones get defaults. */
export function restoreSettings(kept: unknown, base: GenerateSettings): GenerateSettings {
  if (typeof kept !== "object" || kept === null) return base;
  const restored: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(kept)) {
    const wanted = (base as unknown as Record<string, unknown>)[name];
    const same = Array.isArray(wanted) ? Array.isArray(value) : name === "init" ? value === null || typeof value === "string" : typeof value === typeof wanted;
    if (name in restored && same) restored[name] = value;
  }
  return restored as unknown as GenerateSettings;
}
