// Keeps stored canvases small however long somebody paints: where a layer's oldest strokes, which no undo reaches any
// more, weigh much, its pixels go to a file of the show, the strokes to another, and the document holds their hashes.
import type { Layer, Mark } from "./document";
import type { Editor } from "./editor";
import { kMostLayerWeight, weightOf } from "./history";
import type { Pixels } from "./pixels";
import { levelsToPng, pixelsToPng } from "./png";

/** Stores a file and tells its hash. */
export type Store = (file: Blob) => Promise<string>;

function file(layer: Layer, pixels: Pixels): Promise<Blob> {
  if (layer.kind === "paint" || layer.kind === "blockout") return pixelsToPng(pixels);
  // Of masks and regions only how much they cover counts; their colour is the layer's.
  const levels = new Uint8Array(pixels.width * pixels.height);
  for (let i = 0; i < levels.length; i += 1) levels[i] = pixels.data[4 * i + 3]!;
  return levelsToPng(levels, pixels);
}

export function isHeavy(layer: Layer): boolean {
  return layer.marks.reduce((sum: number, mark: Mark) => sum + weightOf(mark), 0) > kMostLayerWeight;
}

/** Nothing that is seen or can be undone changes. */
export async function bakeHeavyLayers(editor: Editor, store: Store): Promise<void> {
  for (const layer of editor.oldestLayers().filter(isHeavy)) {
    // The pen's own memory is in use; the next save comes soon.
    if (editor.isPainting) return;
    const pixels = editor.pixelsAfter(layer);
    const strokes = new Blob([JSON.stringify({ schema: "maquette.strokes", version: 1, layer: layer.name, marks: layer.marks })], { type: "application/json" });
    const picture = await store(await file(layer, pixels));
    editor.bake(layer, pixels, { picture, strokes: await store(strokes) });
  }
}
