// The canvas as a plain document: layers of vector marks over a take, and the changes that made it.
//
// Everything a person does is an Edit; applyEdit gives the next state and leaves the last one as it was. Undoing is
// going back to an older state, so that no edit needs an inverse, and the list of edits is the history that the
// server keeps (history.ts).
import type { EncodedArea } from "./area";
import type { Size } from "./geometry";

/** x and y as shares of the canvas, pressure 0..1, time in ms since the stroke began. */
export type StrokePoint = readonly [x: number, y: number, pressure: number, time: number];

export interface Brush {
  /** Diameter as a share of the canvas's width. */
  size: number;
  /** 1: a sharp edge; 0: soft from the middle on. */
  hardness: number;
  opacity: number;
  pressure_size: boolean;
  pressure_opacity: boolean;
}

interface MarkBase {
  id: string;
  color: string;
  erase: boolean;
  /** Key of the selection it was painted in; null: everywhere. */
  clip: string | null;
}

export interface StrokeMark extends MarkBase {
  kind: "stroke";
  brush: Brush;
  points: readonly StrokePoint[];
}

/** A fill, or a selection that was filled or cleared. */
export interface AreaMark extends MarkBase {
  kind: "area";
  area: EncodedArea;
  opacity: number;
}

export type Mark = StrokeMark | AreaMark;

export type LayerKind = "paint" | "blockout" | "mask" | "region";
export type BlockoutUse = "init" | "scribble";

export interface Layer {
  id: string;
  kind: LayerKind;
  name: string;
  opacity: number;
  visible: boolean;
  locked: boolean;
  /** Pixels below the marks: a file of the show ("<sha256>"), or nothing. */
  picture: string | null;
  /** Files with the strokes that became these pixels, the oldest first (baking.ts). */
  strokes: readonly string[];
  marks: readonly Mark[];
  /** Masks: pixels grown outwards, then a ramp inwards. */
  grow: number;
  feather: number;
  /** Regions: their colour, words and weight. */
  color: string;
  prompt: string;
  weight: number;
  /** Blockouts: what the engine is given them as. */
  use: BlockoutUse;
  strength: number;
}

export interface CanvasState extends Size {
  /** The take below the layers; null: an empty canvas. */
  parent: string | null;
  /** The lowest first. */
  layers: readonly Layer[];
  active: string | null;
  /** Key of the selection in `areas`; null: nothing is selected. */
  selection: string | null;
  areas: Readonly<Record<string, EncodedArea>>;
}

export type LayerChange = Partial<Omit<Layer, "id" | "kind" | "marks">>;

export type Edit =
  | { kind: "add-layer"; layer: Layer; index: number }
  | { kind: "remove-layer"; layer: string }
  | { kind: "move-layer"; layer: string; index: number }
  | { kind: "change-layer"; layer: string; change: LayerChange }
  | { kind: "clear-layer"; layer: string }
  | { kind: "mark"; layer: string; mark: Mark }
  | { kind: "parent"; take: string | null }
  | { kind: "select"; key: string; area: EncodedArea | null };

export const kSchema = "maquette.canvas";
export const kVersion = 1;
export const kMaskColor = "#ff2d2d";
export const kRegionColors: readonly string[] = ["#4da3ff", "#ffb43d", "#5fd07a", "#d77bff", "#ff7b9c", "#3fd6d0", "#d6d03f", "#a08cff"];

let lastId = 0;
/** Ids are unique within a document: time, a count and chance. */
export function newId(): string {
  lastId += 1;
  return `${Date.now().toString(36)}${lastId.toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
}

export function newLayer(kind: LayerKind, name: string, given: Partial<Layer> = {}): Layer {
  return {
    id: newId(),
    kind,
    name,
    opacity: 1,
    visible: true,
    locked: false,
    picture: null,
    strokes: [],
    marks: [],
    grow: kind === "mask" ? 8 : 0,
    feather: kind === "mask" ? 12 : 0,
    color: kind === "mask" ? kMaskColor : "#808080",
    prompt: "",
    weight: 1,
    use: "init",
    strength: kind === "blockout" ? 0.7 : 1,
    ...given,
  };
}

export function newState(size: Size, parent: string | null): CanvasState {
  return { width: size.width, height: size.height, parent, layers: [], active: null, selection: null, areas: {} };
}

export function layerOf(state: CanvasState, id: string | null): Layer | null {
  return state.layers.find((layer) => layer.id === id) ?? null;
}

export function activeLayer(state: CanvasState): Layer | null {
  return layerOf(state, state.active);
}

/** Layers whose pixels are part of the picture; the others are said to the engine. */
export function isPicture(layer: Layer): boolean {
  return layer.kind === "paint" || layer.kind === "blockout";
}

/** A colour that no region has yet, as far as there are any. */
export function freeRegionColor(state: CanvasState): string {
  const used = new Set(state.layers.map((layer) => layer.color));
  return kRegionColors.find((color) => !used.has(color)) ?? kRegionColors[state.layers.length % kRegionColors.length]!;
}

function withLayer(state: CanvasState, id: string, change: (layer: Layer) => Layer): CanvasState {
  if (!layerOf(state, id)) return state;
  return { ...state, layers: state.layers.map((layer) => (layer.id === id ? change(layer) : layer)) };
}

/** The next state. An edit whose layer is not there changes nothing. */
export function applyEdit(state: CanvasState, edit: Edit): CanvasState {
  switch (edit.kind) {
    case "add-layer": {
      const layers = [...state.layers];
      layers.splice(edit.index, 0, edit.layer);
      return { ...state, layers, active: edit.layer.id };
    }
    case "remove-layer": {
      const index = state.layers.findIndex((layer) => layer.id === edit.layer);
      if (index < 0) return state;
      const layers = state.layers.filter((layer) => layer.id !== edit.layer);
      const neighbour = layers[Math.max(0, index - 1)]?.id ?? null;
      return { ...state, layers, active: state.active === edit.layer ? neighbour : state.active };
    }
    case "move-layer": {
      const layer = layerOf(state, edit.layer);
      if (!layer) return state;
      const layers = state.layers.filter((other) => other !== layer);
      layers.splice(edit.index, 0, layer);
      return { ...state, layers };
    }
    case "change-layer":
      return withLayer(state, edit.layer, (layer) => ({ ...layer, ...edit.change }));
    case "clear-layer":
      return withLayer(state, edit.layer, (layer) => ({ ...layer, marks: [], picture: null, strokes: [] }));
    case "mark":
      return withLayer(state, edit.layer, (layer) => ({ ...layer, marks: [...layer.marks, edit.mark] }));
    case "parent":
      return { ...state, parent: edit.take };
    case "select":
      if (!edit.area) return { ...state, selection: null };
      return { ...state, selection: edit.key, areas: { ...state.areas, [edit.key]: edit.area } };
  }
}

/** Without the areas that neither the selection nor a mark uses. */
export function pruned(state: CanvasState): CanvasState {
  const used = new Set<string>();
  if (state.selection) used.add(state.selection);
  for (const layer of state.layers) for (const mark of layer.marks) if (mark.clip) used.add(mark.clip);
  const areas = Object.fromEntries(Object.entries(state.areas).filter(([key]) => used.has(key)));
  return { ...state, areas };
}
