// The canvas while somebody paints on it: document and history, tools, colours, and the layers' pixels. It draws
// nothing on the screen (screen.ts) and asks nothing of the server (canvas_desk.ts).
import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { combined, decodeArea, encodeArea, feathered, grown, inverted, isEmpty, kNothing, polygonArea, rectangleArea, tightened, type Area, type AreaOperation } from "./area";
import { Coverage, roundedPoint } from "./brush";
import { toHex, withRecent } from "./color";
import {
  activeLayer, freeRegionColor, isPicture, kMaskColor, layerOf, newId, newLayer,
  type Brush, type CanvasState, type Edit, type Layer, type LayerChange, type LayerKind, type Mark, type StrokePoint,
} from "./document";
import { floodArea } from "./fill";
import { clamp, type Box, type Spot } from "./geometry";
import { kEmptyDesk, type Desk } from "./desk";
import { History, type CanvasDocument } from "./history";
import { flattened, type Pixels, type Sheet } from "./pixels";
import { LayerRaster } from "./raster";

export type Tool = "brush" | "eraser" | "fill" | "lasso" | "rectangle" | "pick" | "hand";

/** Why nothing was painted; the keys of texts follow. */
export type Refusal = "no-layer" | "locked" | "hidden" | "nothing-selected";

export interface FillSettings {
  tolerance: number;
  contiguous: boolean;
  /** Look at the whole picture, not only at the layer. */
  whole: boolean;
}

export interface MaskShape {
  area: Area;
  /** 0..255 for each pixel of the area's box. */
  strength: Uint8Array;
}

export type LayerName = (kind: LayerKind, number: number) => string;

const kBrush: Brush = { size: 0.03, hardness: 0.85, opacity: 1, pressure_size: true, pressure_opacity: false };
const kEraser: Brush = { size: 0.04, hardness: 0.7, opacity: 1, pressure_size: true, pressure_opacity: false };

export class Editor {
  readonly state: Signal<CanvasState>;
  readonly tool: Signal<Tool> = signal<Tool>("brush");
  readonly brush: Signal<Brush> = signal(kBrush);
  readonly eraser: Signal<Brush> = signal(kEraser);
  readonly fill: Signal<FillSettings> = signal<FillSettings>({ tolerance: 24, contiguous: true, whole: true });
  readonly desk: Signal<Desk>;
  readonly canUndo: Signal<boolean>;
  readonly canRedo: Signal<boolean>;
  /** Counts changes that belong into the stored document. */
  readonly unsaved: Signal<number> = signal(0);
  /** Counts changes of pixels, for the screen. */
  readonly drawn: Signal<number> = signal(0);
  readonly selection: ReadonlySignal<Area | null>;
  readonly base: Signal<Pixels | null> = signal<Pixels | null>(null);

  private readonly history: History;
  private readonly rasters = new Map<string, LayerRaster>();
  private readonly areas = new Map<string, Area>();
  private readonly masks = new Map<string, { key: string; shape: MaskShape }>();
  private readonly coverage: Coverage;
  private stroke: { layer: Layer; points: StrokePoint[]; began: number; erase: boolean } | null = null;

  constructor(
    history: History,
    desk: Desk = kEmptyDesk,
    private readonly nameOf: LayerName = (kind, number) => `${kind} ${number}`,
  ) {
    this.history = history;
    this.desk = signal(desk);
    this.state = signal(history.state);
    this.canUndo = signal(history.canUndo);
    this.canRedo = signal(history.canRedo);
    this.coverage = new Coverage(history.state);
    this.selection = computed(() => {
      const key = this.state.value.selection;
      return key === null ? null : this.areaOf(key);
    });
    this.sync();
  }

  // Beyond the pixels: edits and history.

  /** Edits that share a gesture (one drag of a slider) are undone together. */
  edit(edit: Edit, gesture: string | null = null): void {
    this.history.push(edit, gesture);
    this.moved();
  }

  undo(): void {
    this.cancelStroke();
    if (this.history.undo()) this.moved();
  }

  redo(): void {
    this.cancelStroke();
    if (this.history.redo()) this.moved();
  }

  private moved(): void {
    this.state.value = this.history.state;
    this.canUndo.value = this.history.canUndo;
    this.canRedo.value = this.history.canRedo;
    this.unsaved.value += 1;
    this.sync();
  }

  setDesk(change: Partial<Desk>): void {
    this.desk.value = { ...this.desk.peek(), ...change };
    this.unsaved.value += 1;
  }

  toDocument(): CanvasDocument {
    return this.history.toDocument(this.desk.peek());
  }

  /** Brings every layer's pixels in step with the state. */
  private sync(): void {
    const state = this.state.peek();
    for (const layer of state.layers) this.rasterOf(layer).sync(layer.marks);
    this.drawn.value += 1;
  }

  rasterOf(layer: Layer): LayerRaster {
    let raster = this.rasters.get(layer.id);
    if (!raster) {
      raster = new LayerRaster(this.state.peek(), (key) => this.areaOf(key), this.coverage);
      this.rasters.set(layer.id, raster);
    }
    return raster;
  }

  /** Pixels of a file below a layer's marks, once they are loaded. */
  setGround(layer: Layer, ground: Pixels): void {
    this.rasterOf(layer).setGround(ground);
    this.drawn.value += 1;
  }

  /** Layers with a file below their marks, also those that undoing brings back. */
  layersWithPictures(): Layer[] {
    return this.history.withPictures;
  }

  oldestLayers(): readonly Layer[] {
    return this.history.oldest;
  }

  /** The pixels of a layer as it was, with the marks it had then. */
  pixelsAfter(layer: Layer): Pixels {
    return this.rasterOf(layer).after(layer.marks);
  }

  /** The layer's oldest marks have become these pixels, kept as files. */
  bake(layer: Layer, pixels: Pixels, files: { picture: string; strokes: string }): void {
    this.rasterOf(layer).rebase(pixels, layer.marks);
    this.history.bake(layer, files);
    this.state.value = this.history.state;
  }

  private areaOf(key: string): Area | null {
    const known = this.areas.get(key);
    if (known) return known;
    const code = this.history.state.areas[key];
    if (!code) return null;
    const area = decodeArea(code);
    this.areas.set(key, area);
    return area;
  }

  // Colours.

  setColor(color: string): void {
    this.desk.value = { ...this.desk.peek(), color };
  }

  private useColor(): string {
    const desk = this.desk.peek();
    if (desk.recent[0] !== desk.color) this.desk.value = { ...desk, recent: withRecent(desk.recent, desk.color) };
    return desk.color;
  }

  /** The colour that is seen at a pixel; false outside. */
  pick(at: Spot): boolean {
    const { width, height } = this.state.peek();
    const x = Math.floor(at.x);
    const y = Math.floor(at.y);
    if (x < 0 || y < 0 || x >= width || y >= height) return false;
    const seen = this.flatten({ left: x, top: y, right: x + 1, bottom: y + 1 });
    if (seen.data[3] === 0) return false;
    this.setColor(toHex({ r: seen.data[0]!, g: seen.data[1]!, b: seen.data[2]! }));
    return true;
  }

  // Painting.

  get currentBrush(): Signal<Brush> {
    return this.tool.peek() === "eraser" ? this.eraser : this.brush;
  }

  /** The layer that can be painted on now; an empty canvas gets its first. */
  private target(): Layer | Refusal {
    const state = this.state.peek();
    let layer = activeLayer(state);
    if (!layer && state.layers.length === 0) {
      this.addLayer("paint");
      layer = activeLayer(this.state.peek());
    }
    if (!layer) return "no-layer";
    if (layer.locked) return "locked";
    if (!layer.visible) return "hidden";
    return layer;
  }

  private colorFor(layer: Layer): string {
    if (layer.kind === "mask") return kMaskColor;
    if (layer.kind === "region") return layer.color;
    return this.useColor();
  }

  beginStroke(at: Spot, pressure: number, time: number): Refusal | null {
    const layer = this.target();
    if (typeof layer === "string") return layer;
    const erase = this.tool.peek() === "eraser";
    this.stroke = { layer, points: [], began: time, erase };
    this.rasterOf(layer).beginLive(this.currentBrush.peek(), this.colorFor(layer), erase, this.state.peek().selection);
    this.addPoint(at, pressure, time);
    return null;
  }

  addPoint(at: Spot, pressure: number, time: number): void {
    if (!this.stroke) return;
    const { width, height } = this.state.peek();
    const point = roundedPoint(at.x / width, at.y / height, pressure, time - this.stroke.began);
    const last = this.stroke.points[this.stroke.points.length - 1];
    if (last && last[0] === point[0] && last[1] === point[1] && last[2] >= point[2]) return;
    this.stroke.points.push(point);
    this.rasterOf(this.stroke.layer).addLive(point);
    this.drawn.value += 1;
  }

  endStroke(): void {
    const stroke = this.stroke;
    if (!stroke) return;
    this.cancelStroke();
    const brush = this.currentBrush.peek();
    this.mark(stroke.layer, {
      id: newId(), kind: "stroke", brush, points: stroke.points, color: this.colorFor(stroke.layer),
      erase: stroke.erase, clip: this.state.peek().selection,
    });
  }

  cancelStroke(): void {
    if (!this.stroke) return;
    this.rasterOf(this.stroke.layer).endLive();
    this.stroke = null;
    this.drawn.value += 1;
  }

  get isPainting(): boolean {
    return this.stroke !== null;
  }

  private mark(layer: Layer, mark: Mark): void {
    this.edit({ kind: "mark", layer: layer.id, mark });
  }

  private markArea(area: Area, erase: boolean, clip: string | null): Refusal | null {
    const layer = this.target();
    if (typeof layer === "string") return layer;
    if (isEmpty(area)) return null;
    const opacity = erase ? 1 : this.brush.peek().opacity;
    this.mark(layer, { id: newId(), kind: "area", area: encodeArea(area), color: this.colorFor(layer), erase, opacity, clip });
    return null;
  }

  /** Fills around a point. Which pixels, is decided now and kept: later changes of other layers do not move it. */
  fillAt(at: Spot): Refusal | null {
    const layer = this.target();
    if (typeof layer === "string") return layer;
    const settings = this.fill.peek();
    const size = this.state.peek();
    const seen = settings.whole && isPicture(layer) ? this.flatten() : this.rasterOf(layer).pixels;
    const area = floodArea(seen.data, size, Math.floor(at.x), Math.floor(at.y), settings);
    return this.markArea(area, false, this.state.peek().selection);
  }

  fillSelection(): Refusal | null {
    return this.markArea(this.selectionOrAll(), false, null);
  }

  clearSelection(): Refusal | null {
    return this.markArea(this.selectionOrAll(), true, null);
  }

  private selectionOrAll(): Area {
    const { width, height } = this.state.peek();
    return this.selection.peek() ?? rectangleArea({ left: 0, top: 0, right: width, bottom: height }, { width, height });
  }

  // Selecting.

  select(area: Area | null): void {
    const wanted = area && !isEmpty(area) ? area : null;
    if (!wanted && this.state.peek().selection === null) return;
    const key = newId();
    if (wanted) this.areas.set(key, wanted);
    this.edit({ kind: "select", key, area: wanted && encodeArea(wanted) });
  }

  selectWith(area: Area, operation: AreaOperation): void {
    this.select(combined(this.selection.peek() ?? kNothing, area, operation));
  }

  selectLasso(points: readonly Spot[], operation: AreaOperation): void {
    this.selectWith(polygonArea(points, this.state.peek()), operation);
  }

  selectBox(box: Box, operation: AreaOperation): void {
    this.selectWith(rectangleArea(box, this.state.peek()), operation);
  }

  selectAll(): void {
    const { width, height } = this.state.peek();
    this.select(rectangleArea({ left: 0, top: 0, right: width, bottom: height }, { width, height }));
  }

  invertSelection(): void {
    this.select(inverted(this.selection.peek() ?? kNothing, this.state.peek()));
  }

  // Layers.

  addLayer(kind: LayerKind, given: Partial<Layer> = {}): Layer {
    const state = this.state.peek();
    const number = state.layers.filter((layer) => layer.kind === kind).length + 1;
    const color = kind === "region" ? { color: freeRegionColor(state) } : {};
    const layer = newLayer(kind, this.nameOf(kind, number), { ...color, ...given });
    const above = state.layers.findIndex((other) => other.id === state.active) + 1;
    this.edit({ kind: "add-layer", layer, index: above > 0 ? above : state.layers.length });
    return layer;
  }

  removeActive(): void {
    const layer = activeLayer(this.state.peek());
    if (layer) this.edit({ kind: "remove-layer", layer: layer.id });
  }

  /** Up is towards the viewer. */
  shiftActive(direction: 1 | -1): void {
    const { layers, active } = this.state.peek();
    const index = layers.findIndex((layer) => layer.id === active);
    if (index >= 0) this.moveLayer(active!, index + direction);
  }

  moveLayer(id: string, index: number): void {
    const { layers } = this.state.peek();
    if (index < 0 || index >= layers.length || layers[index]?.id === id) return;
    this.edit({ kind: "move-layer", layer: id, index });
  }

  change(id: string, change: LayerChange, gesture: string | null = null): void {
    this.edit({ kind: "change-layer", layer: id, change }, gesture);
  }

  /** Choosing a layer is no edit: it is not undone. */
  activate(id: string): void {
    if (!layerOf(this.state.peek(), id)) return;
    this.history.activate(id);
    this.state.value = this.history.state;
  }

  activateNext(direction: 1 | -1): void {
    const { layers, active } = this.state.peek();
    const next = layers[layers.findIndex((layer) => layer.id === active) + direction];
    if (next) this.activate(next.id);
  }

  /** The selection becomes a mask layer (or is added to the one that is active). */
  selectionToMask(): Refusal | null {
    const area = this.selection.peek();
    if (!area) return "nothing-selected";
    const active = activeLayer(this.state.peek());
    if (active?.kind !== "mask") this.addLayer("mask");
    const refusal = this.markArea(area, false, null);
    this.select(null);
    return refusal;
  }

  // What the layers mean.

  /** The pixels a mask or region layer covers at least half. */
  coveredBy(layer: Layer): Area {
    const { data, width, height } = this.rasterOf(layer).pixels;
    const area: Area = { left: 0, top: 0, width, height, bits: new Uint8Array(width * height) };
    for (let i = 0; i < area.bits.length; i += 1) if (data[i * 4 + 3]! >= 128) area.bits[i] = 1;
    return tightened(area);
  }

  /** A mask as the engine will use it: grown outwards, with a ramp inwards. */
  maskShape(layer: Layer): MaskShape {
    const key = `${this.rasterOf(layer).version} ${layer.grow} ${layer.feather}`;
    const known = this.masks.get(layer.id);
    if (known?.key === key) return known.shape;
    const size = this.state.peek();
    const area = grown(this.coveredBy(layer), layer.grow, size);
    const shape = { area, strength: feathered(area, layer.feather, size) };
    this.masks.set(layer.id, { key, shape });
    return shape;
  }

  /** What R repaints: the selection, else the active mask, else the topmost visible mask. */
  repaintTarget(): { area: Area; feather: number; from: "selection" | "mask"; layer: Layer | null } | null {
    const selection = this.selection.peek();
    const state = this.state.peek();
    const masks = state.layers.filter((layer) => layer.kind === "mask" && layer.visible);
    const mask = masks.find((layer) => layer.id === state.active) ?? masks[masks.length - 1] ?? null;
    if (selection) {
      const width = Math.min(selection.width, selection.height);
      return { area: selection, feather: Math.round(clamp(width / 24, 2, 12)), from: "selection", layer: null };
    }
    if (!mask) return null;
    const { area } = this.maskShape(mask);
    return isEmpty(area) ? null : { area, feather: mask.feather, from: "mask", layer: mask };
  }

  private sheets(wanted: (layer: Layer) => boolean): Sheet[] {
    const layers = this.state.peek().layers.filter((layer) => layer.visible && isPicture(layer) && wanted(layer));
    return layers.map((layer) => ({ pixels: this.rasterOf(layer).pixels, opacity: layer.opacity }));
  }

  /** The picture as it is seen: the take with paint and blockouts over it; of a box, or whole. */
  flatten(box: Box | null = null): Pixels {
    const state = this.state.peek();
    const sheets = this.sheets(() => true);
    if (!box) return flattened(state, sheets, this.base.peek());
    const size = { width: box.right - box.left, height: box.bottom - box.top };
    const cut = (pixels: Pixels): Pixels => {
      const part = { ...size, data: new Uint8ClampedArray(size.width * size.height * 4) };
      for (let y = 0; y < size.height; y += 1) {
        const from = ((box.top + y) * pixels.width + box.left) * 4;
        part.data.set(pixels.data.subarray(from, from + size.width * 4), y * size.width * 4);
      }
      return part;
    };
    const base = this.base.peek();
    return flattened(size, sheets.map((sheet) => ({ ...sheet, pixels: cut(sheet.pixels) })), base && cut(base));
  }

  /** Blockouts of one use over white paper (scribble) or over the take (init). */
  blockout(use: "init" | "scribble"): Pixels | null {
    const state = this.state.peek();
    const layers = state.layers.filter((layer) => layer.kind === "blockout" && layer.visible && layer.use === use);
    if (layers.length === 0) return null;
    const sheets = layers.map((layer) => ({ pixels: this.rasterOf(layer).pixels, opacity: layer.opacity }));
    if (use === "init") return flattened(state, this.sheets((layer) => layer.kind === "paint" || layer.use === "init"), this.base.peek());
    return flattened(state, sheets);
  }
}
