// The one door through which stored canvases come in: what is missing gets its default, what makes no sense is left
// out, so that an old or damaged document opens with everything that can be read.
import type { EncodedArea } from "./area";
import { newLayer, newState, type Brush, type CanvasState, type Edit, type Layer, type LayerKind, type Mark, type StrokePoint } from "./document";
import { kFills, type Desk } from "./desk";

type Loose = Record<string, unknown>;

const kKinds: readonly string[] = ["paint", "blockout", "mask", "region"];
export const kLargestSide = 16384;

function loose(value: unknown): Loose | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : null;
}

function number(value: unknown, fallback: number, low: number, high: number): number {
  const found = typeof value === "number" && Number.isFinite(value) ? value : fallback;
  return Math.min(high, Math.max(low, found));
}

function text(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

function color(value: unknown, fallback: string): string {
  return typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value) ? value : fallback;
}

function hash(value: unknown): string | null {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : null;
}

export function repairedArea(value: unknown): EncodedArea | null {
  const given = loose(value);
  if (!given || typeof given.runs !== "string" || !/^[A-Za-z0-9+/]*=*$/.test(given.runs)) return null;
  const side = (name: string): number => Math.round(number(given[name], -1, -1, kLargestSide));
  const area = { left: side("left"), top: side("top"), width: side("width"), height: side("height"), runs: given.runs };
  return area.left >= 0 && area.top >= 0 && area.width >= 0 && area.height >= 0 ? area : null;
}

function repairedBrush(value: unknown): Brush {
  const given = loose(value) ?? {};
  return {
    size: number(given.size, 0.02, 0, 2),
    hardness: number(given.hardness, 0.8, 0, 1),
    opacity: number(given.opacity, 1, 0, 1),
    pressure_size: given.pressure_size !== false,
    pressure_opacity: given.pressure_opacity === true,
  };
}

function repairedPoint(value: unknown): StrokePoint | null {
  if (!Array.isArray(value) || !value.slice(0, 2).every(Number.isFinite) || value.length < 2) return null;
  return [number(value[0], 0, -4, 5), number(value[1], 0, -4, 5), number(value[2], 1, 0, 1), number(value[3], 0, 0, 1e9)];
}

function repairedMark(value: unknown): Mark | null {
  const given = loose(value);
  if (!given || typeof given.id !== "string") return null;
  const base = {
    id: given.id,
    color: color(given.color, "#000000"),
    erase: given.erase === true,
    clip: typeof given.clip === "string" ? given.clip : null,
  };
  if (given.kind === "area") {
    const area = repairedArea(given.area);
    return area && { ...base, kind: "area", area, opacity: number(given.opacity, 1, 0, 1) };
  }
  if (given.kind !== "stroke" || !Array.isArray(given.points)) return null;
  const points = given.points.map(repairedPoint).filter((point) => point !== null);
  return points.length > 0 ? { ...base, kind: "stroke", brush: repairedBrush(given.brush), points } : null;
}

function repairedLayer(value: unknown): Layer | null {
  const given = loose(value);
  if (!given || typeof given.id !== "string" || !kKinds.includes(String(given.kind))) return null;
  const plain = newLayer(given.kind as LayerKind, text(given.name, ""));
  return {
    ...plain,
    id: given.id,
    opacity: number(given.opacity, plain.opacity, 0, 1),
    visible: given.visible !== false,
    locked: given.locked === true,
    picture: hash(given.picture),
    strokes: Array.isArray(given.strokes) ? given.strokes.map(hash).filter((one) => one !== null) : [],
    marks: Array.isArray(given.marks) ? given.marks.map(repairedMark).filter((mark) => mark !== null) : [],
    grow: number(given.grow, plain.grow, -512, 512),
    feather: number(given.feather, plain.feather, 0, 512),
    color: color(given.color, plain.color),
    prompt: text(given.prompt, ""),
    weight: number(given.weight, 1, 0, 10),
    use: given.use === "scribble" ? "scribble" : "init",
    strength: number(given.strength, plain.strength, 0, 2),
  };
}

export function repairedState(value: unknown): CanvasState | null {
  const given = loose(value);
  if (!given) return null;
  const width = Math.round(number(given.width, 0, 0, kLargestSide));
  const height = Math.round(number(given.height, 0, 0, kLargestSide));
  if (width < 1 || height < 1) return null;
  const layers = Array.isArray(given.layers) ? given.layers.map(repairedLayer).filter((layer) => layer !== null) : [];
  const areas: Record<string, EncodedArea> = {};
  for (const [key, code] of Object.entries(loose(given.areas) ?? {})) {
    const area = repairedArea(code);
    if (area) areas[key] = area;
  }
  const active = text(given.active, "");
  const selection = text(given.selection, "");
  return {
    ...newState({ width, height }, typeof given.parent === "string" ? given.parent : null),
    layers,
    areas,
    active: layers.some((layer) => layer.id === active) ? active : (layers[layers.length - 1]?.id ?? null),
    selection: selection in areas ? selection : null,
  };
}

function repairedChange(value: unknown, layer: Layer): Partial<Layer> {
  const given = loose(value) ?? {};
  const whole = repairedLayer({ ...layer, ...given });
  return whole ? Object.fromEntries(Object.keys(given).filter((key) => key in whole && !["id", "kind", "marks"].includes(key)).map((key) => [key, whole[key as keyof Layer]])) : {};
}

function repairedEdit(value: unknown): Edit | null {
  const given = loose(value);
  if (!given) return null;
  if (given.kind === "add-layer") {
    const layer = repairedLayer(given.layer);
    return layer && { kind: "add-layer", layer, index: number(given.index, 0, 0, 1000) };
  }
  if (given.kind === "select") {
    const area = given.area === null ? null : repairedArea(given.area);
    if (given.area !== null && !area) return null;
    return { kind: "select", key: text(given.key, ""), area };
  }
  if (given.kind === "parent") return { kind: "parent", take: typeof given.take === "string" ? given.take : null };
  if (typeof given.layer !== "string") return null;
  const layer = given.layer;
  if (given.kind === "remove-layer" || given.kind === "clear-layer") return { kind: given.kind, layer };
  if (given.kind === "move-layer") return { kind: "move-layer", layer, index: number(given.index, 0, 0, 1000) };
  if (given.kind === "change-layer") return { kind: "change-layer", layer, change: repairedChange(given.change, newLayer("paint", "")) };
  if (given.kind !== "mark") return null;
  const mark = repairedMark(given.mark);
  return mark && { kind: "mark", layer, mark };
}

export function repairedEdits(value: unknown): Edit[] {
  return Array.isArray(value) ? value.map(repairedEdit).filter((edit) => edit !== null) : [];
}

/** Colours and wishes that were left with a canvas. */
export function repairedDesk(value: unknown, plain: Desk): Desk {
  const given = loose(value) ?? {};
  return {
    color: color(given.color, plain.color),
    recent: Array.isArray(given.recent) ? given.recent.map((one) => color(one, "")).filter((one) => one !== "") : plain.recent,
    prompt: text(given.prompt, plain.prompt),
    strength: number(given.strength, plain.strength, 0, 1),
    negative: typeof given.negative === "string" ? given.negative : plain.negative,
    model: text(given.model, plain.model),
    fill: kFills.find((one) => one === given.fill) ?? plain.fill,
    padding: typeof given.padding === "number" ? number(given.padding, 32, 0, 1024) : plain.padding,
    seed: typeof given.seed === "number" && Number.isFinite(given.seed) ? Math.max(0, Math.floor(given.seed)) : plain.seed,
  };
}
