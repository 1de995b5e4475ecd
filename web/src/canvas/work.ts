// What the canvas asks of the server: repainting the selection, saving as a take, proving what was left alone.
import type { Client } from "../api/client";
import { segment } from "../api/client";
import type { Job, ModelFile, Page, Recipe, Take, Task, Upload } from "../model/documents";
import { t } from "../words";
import type { Area } from "./area";
import type { Fill } from "./desk";
import { isPicture, type Layer } from "./document";
import type { Editor } from "./editor";
import type { Pixels } from "./pixels";
import { maskToPng, pixelsToPng } from "./png";

/** The proof of a retake. Colour differences in levels of 0..255, and as CIE 1976 Delta E. */
export interface Proof {
  outside_unchanged: boolean;
  outside_pixels: number;
  /** Of those outside. */
  changed_pixels: number;
  seam_drift: SeamDrift;
}

export interface SeamDrift {
  pixels_inside?: number;
  pixels_outside?: number;
  outside_levels?: number;
  inside_levels?: number;
  inside_delta_e?: number;
  shift?: number[];
  shift_delta_e?: number;
  step?: number;
  step_before?: number;
}

export interface RepaintWish {
  prompt: string;
  negative: string;
  strength: number;
  count: number;
  model: string;
  kind: "retake" | "preview";
  fill: Fill;
  padding: number | null;
  seed: number | null;
}

export interface Repaint {
  job: Job;
  /** The mask's file, for the proof; null where the whole picture is new. */
  mask: string | null;
  parent: string | null;
}

export async function upload(client: Client, show: string, file: Blob): Promise<string> {
  return (await client.post<Upload>(`/shows/${segment(show)}/uploads`, file)).sha256;
}

/** Fields of the recipe that belong to one picture and not to the next. */
const kOwnFields = ["seed", "init", "mask", "inpaint", "controls", "regions", "hires", "upscale", "outpaint"];

/** The parent's settings with what was asked for here. */
export function repaintRecipe(parent: Recipe, wish: RepaintWish, files: { init: string; mask: string; feather: number }): Recipe {
  const kept = Object.fromEntries(Object.entries(parent).filter(([name]) => !kOwnFields.includes(name)));
  const recipe: Recipe = {
    ...kept,
    prompt: wish.prompt,
    negative: wish.negative,
    init: `sha256:${files.init}`,
    mask: `sha256:${files.mask}`,
    strength: wish.strength,
    inpaint: { feather: files.feather, ...(wish.fill === "original" ? {} : { fill: wish.fill }), ...(wish.padding === null ? {} : { padding: wish.padding }) },
  };
  if (wish.model) recipe.model = wish.model;
  if (wish.seed !== null) recipe.seed = wish.seed;
  return recipe;
}

function hasPaint(editor: Editor): boolean {
  return editor.state.peek().layers.some((layer) => layer.visible && isPicture(layer) && (layer.marks.length > 0 || layer.picture));
}

/** Where the engine starts: paint inside the area, outside it the take's own pixels, so that these can be proved. */
export function paintedInside(editor: Editor, area: Area): Pixels {
  const base = editor.base.peek();
  const painted = editor.flatten();
  if (!base) return painted;
  const result = { ...painted, data: new Uint8ClampedArray(base.data) };
  for (let y = 0; y < area.height; y += 1) {
    for (let x = 0; x < area.width; x += 1) {
      if (!area.bits[y * area.width + x]) continue;
      const i = ((area.top + y) * painted.width + area.left + x) * 4;
      result.data.set(painted.data.subarray(i, i + 4), i);
    }
  }
  return result;
}

/** Sends the selection (or the mask) with the picture as it is seen, as a retake of the take below. */
export async function repaint(client: Client, editor: Editor, task: Task, parent: Take, wish: RepaintWish): Promise<Repaint> {
  const target = editor.repaintTarget();
  if (!target) throw new Error("nothing is selected and no mask is painted");
  const size = editor.state.peek();
  const show = task.show_id;
  const mask = await upload(client, show, await maskToPng(target.area, size));
  const init = hasPaint(editor) ? await upload(client, show, await pixelsToPng(paintedInside(editor, target.area))) : parent.sha256;
  const before = await client.get<Recipe>(`/takes/${segment(parent.id)}/recipe`).catch(() => ({}) as Recipe);
  const recipe = repaintRecipe(before, wish, { init, mask, feather: target.feather });
  await addRegionsAndScribbles(client, editor, show, recipe);
  const job = await client.post<Job>(`/tasks/${segment(task.id)}/jobs`, {
    kind: wish.kind, recipe, count: wish.count, parent: parent.id, relation: "retake",
  });
  return { job, mask, parent: parent.id };
}

/** Blockouts as the start of a whole new picture, or as scribbles that lead it; null where there are none. */
export async function generateFromBlockout(client: Client, editor: Editor, task: Task, settings: Recipe, wish: RepaintWish): Promise<Job | null> {
  const state = editor.state.peek();
  const blockouts = state.layers.filter((layer) => layer.kind === "blockout" && layer.visible);
  if (blockouts.length === 0) return null;
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => !kOwnFields.includes(name)));
  const recipe: Recipe = { ...kept, prompt: wish.prompt, negative: wish.negative, width: state.width, height: state.height };
  if (wish.model) recipe.model = wish.model;
  if (wish.seed !== null) recipe.seed = wish.seed;
  const init = editor.blockout("init");
  if (init) {
    recipe.init = `sha256:${await upload(client, task.show_id, await pixelsToPng(init))}`;
    recipe.strength = Math.max(...blockouts.filter((layer) => layer.use === "init").map((layer) => layer.strength));
  }
  await addRegionsAndScribbles(client, editor, task.show_id, recipe);
  const relation = state.parent ? "init" : null;
  return client.post<Job>(`/tasks/${segment(task.id)}/jobs`, { kind: "generate", recipe, count: wish.count, parent: state.parent, relation });
}

async function addRegionsAndScribbles(client: Client, editor: Editor, show: string, recipe: Recipe): Promise<void> {
  const regions = [];
  for (const layer of editor.state.peek().layers) {
    const region = await regionOf(client, editor, show, layer);
    if (region) regions.push(region);
  }
  if (regions.length > 0) recipe.regions = regions;
  const scribble = editor.blockout("scribble");
  if (!scribble) return;
  const image = await upload(client, show, await pixelsToPng(scribble));
  const model = await scribbleModel(client, show);
  recipe.controls = [{ kind: "scribble", model, image: `sha256:${image}`, weight: scribbleStrength(editor) }];
}

/** A control model for scribbles, else one for lines, else any that may be used. */
async function scribbleModel(client: Client, show: string): Promise<string> {
  const models = await client.get<Page<ModelFile>>("/models", { show });
  const allowed = models.items.filter((model) => model.kind === "controlnet" && model.allowed);
  const found = allowed.find((model) => /scribble/i.test(model.name)) ?? allowed.find((model) => /line|sketch|canny/i.test(model.name)) ?? allowed[0];
  if (!found) throw new Error(t("canvas.no_control_model"));
  return found.name;
}

function scribbleStrength(editor: Editor): number {
  return editor.state.peek().layers.find((layer) => layer.kind === "blockout" && layer.use === "scribble")?.strength ?? 1;
}

async function regionOf(client: Client, editor: Editor, show: string, layer: Layer): Promise<{ prompt: string; mask: string; weight: number } | null> {
  if (layer.kind !== "region" || !layer.visible || layer.prompt.trim() === "") return null;
  const area = editor.coveredBy(layer);
  if (area.width === 0) return null;
  const mask = await upload(client, show, await maskToPng(area, editor.state.peek()));
  return { prompt: layer.prompt, mask: `sha256:${mask}`, weight: layer.weight };
}

/** The proof stands in the take: the server measures it when it files a retake. */
export function proofOf(take: Take): Proof | null {
  return typeof take.proof?.outside_unchanged === "boolean" ? (take.proof as unknown as Proof) : null;
}

/** Measures it now; the answer is the take with its proof. */
export async function prove(client: Client, take: string, mask: string, parent: string): Promise<Proof | null> {
  return proofOf(await client.post<Take>(`/takes/${segment(take)}/prove`, { mask, parent }));
}

/** A file name of a layer: its number, so that the order stays, and its name in plain letters. */
export function layerFileName(index: number, layer: Layer): string {
  const plain = layer.name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return `${String(index + 1).padStart(2, "0")}-${plain || layer.kind}.png`;
}

/** Flattens the canvas into a new take, and keeps its layers and strokes with it. */
export async function saveAsTake(client: Client, editor: Editor, task: Task, title: string): Promise<Take> {
  const state = editor.state.peek();
  const picture = await pixelsToPng(editor.flatten());
  const query = { origin: "edited", title, parent: state.parent, relation: state.parent ? "source" : null };
  const take = await client.post<Take>(`/tasks/${segment(task.id)}/takes`, picture, query);
  const keep = async (representation: string, name: string, file: Blob): Promise<void> => {
    const sha256 = await upload(client, task.show_id, file);
    await client.put(`/takes/${segment(take.id)}/files/${representation}/${segment(name)}`, { sha256 });
  };
  for (const [index, layer] of state.layers.entries()) {
    if (layer.marks.length === 0 && !layer.picture) continue;
    const pixels = editor.rasterOf(layer).pixels;
    const isMask = layer.kind === "mask" || layer.kind === "region";
    const file = isMask ? maskToPng(editor.coveredBy(layer), state) : pixelsToPng(pixels);
    await keep(isMask ? "mask" : "layer", layerFileName(index, layer), await file);
  }
  // Strokes that became pixels of their layer, then those that can still be undone.
  for (const [index, layer] of state.layers.entries()) {
    for (const [part, sha256] of layer.strokes.entries()) {
      const name = layerFileName(index, layer).replace(/\.png$/, `-${part + 1}.json`);
      await client.put(`/takes/${segment(take.id)}/files/strokes/${segment(name)}`, { sha256 });
    }
  }
  const strokes = new Blob([JSON.stringify(editor.toDocument())], { type: "application/json" });
  await keep("strokes", "canvas.json", strokes);
  return take;
}
