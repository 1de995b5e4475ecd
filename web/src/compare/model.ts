// Comparing as numbers: modes, the difference of two pictures, how many fit side by side, which settings differ.
import type { Size } from "../canvas/geometry";
import type { Pixels } from "../canvas/pixels";
import type { Recipe } from "../model/documents";

export type CompareMode = "side" | "wipe" | "difference" | "blink" | "overlay" | "sheet";
export const kModes: readonly CompareMode[] = ["side", "wipe", "difference", "blink", "overlay", "sheet"];

/** At most this many takes at once. */
export const kMostTakes = 24;
/** Blinking faster than three times a second is not allowed (WCAG 2.3.1). */
export const kFastestBlinkMs = 350;

export function modeOf(text: string | null): CompareMode {
  return kModes.find((mode) => mode === text) ?? "side";
}

export function idsOf(text: string | null): string[] {
  return [...new Set((text ?? "").split(",").filter(Boolean))].slice(0, kMostTakes);
}

/** |a - b| for each channel times `gain`; as brightness (Rec. 709) where colours do not matter. */
export function differencePixels(a: Pixels, b: Pixels, gain: number, brightness: boolean): Pixels {
  const data = new Uint8ClampedArray(a.data.length);
  for (let i = 0; i < data.length; i += 4) {
    const red = a.data[i]! - b.data[i]!;
    const green = a.data[i + 1]! - b.data[i + 1]!;
    const blue = a.data[i + 2]! - b.data[i + 2]!;
    if (brightness) {
      data[i] = data[i + 1] = data[i + 2] = Math.abs(0.2126 * red + 0.7152 * green + 0.0722 * blue) * gain;
    } else {
      data[i] = Math.abs(red) * gain;
      data[i + 1] = Math.abs(green) * gain;
      data[i + 2] = Math.abs(blue) * gain;
    }
    data[i + 3] = 255;
  }
  return { width: a.width, height: a.height, data };
}

/** Share of pixels that differ at all, and the largest difference of a channel in levels. */
export function differenceFigures(a: Pixels, b: Pixels): { share: number; largest: number } {
  let changed = 0;
  let largest = 0;
  for (let i = 0; i < a.data.length; i += 4) {
    let most = 0;
    for (let c = 0; c < 3; c += 1) most = Math.max(most, Math.abs(a.data[i + c]! - b.data[i + c]!));
    if (most > 0) changed += 1;
    largest = Math.max(largest, most);
  }
  return { share: changed / (a.data.length / 4), largest };
}

/** Columns that show `count` pictures largest in the room there is. */
export function columnsFor(count: number, picture: Size, room: Size): number {
  let best = 1;
  let largest = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const scale = Math.min(room.width / columns / picture.width, room.height / rows / picture.height);
    if (scale > largest * 1.0001) {
      largest = scale;
      best = columns;
    }
  }
  return best;
}

export interface SettingRow {
  name: string;
  values: string[];
  differs: boolean;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null || value === "") return "–";
  if (typeof value === "number") return String(Math.round(value * 1e6) / 1e6);
  if (typeof value === "string") return value;
  // A file: its name, or the beginning of its hash.
  const file = value as { path?: unknown; sha256?: unknown };
  if (typeof file.path === "string") return file.path.replace(/^(sha256:.{8}).*/, "$1…");
  return JSON.stringify(value);
}

const kFirst = ["model", "prompt", "negative", "seed", "width", "height", "steps", "cfg", "sampler", "schedule", "init", "strength", "mask", "loras", "controls", "regions", "tile"];
const kHidden = new Set(["schema", "version"]);

/** Every field that any of the recipes has, in the order in which people set them. */
export function settingRows(recipes: readonly (Recipe | null)[]): SettingRow[] {
  const names = new Set(recipes.flatMap((recipe) => Object.keys(recipe ?? {})));
  const order = [...kFirst.filter((name) => names.has(name)), ...[...names].filter((name) => !kFirst.includes(name)).sort()];
  return order
    .filter((name) => !kHidden.has(name))
    .map((name) => {
      const values = recipes.map((recipe) => textOf(recipe?.[name]));
      return { name, values, differs: new Set(values).size > 1 };
    });
}

/** Words that are only in one of two texts, for marking them: runs of equal and differing words of `text`. */
export function markedWords(text: string, other: string): { text: string; differs: boolean }[] {
  const words = (from: string): string[] => from.split(/(\s+|,)/).filter((part) => part !== "");
  const known = new Set(words(other).map((word) => word.toLowerCase()));
  const runs: { text: string; differs: boolean }[] = [];
  for (const word of words(text)) {
    const differs = !/^(\s+|,)$/.test(word) && !known.has(word.toLowerCase());
    const last = runs[runs.length - 1];
    if (last && last.differs === differs) last.text += word;
    else runs.push({ text: word, differs });
  }
  return runs;
}
