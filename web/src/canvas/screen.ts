// What the canvas looks like: the take, its layers, masks and regions as tints, the selection's border, the brush.
//
// Layers are kept as surfaces in the picture's own size and only their changed boxes are copied there; zooming draws
// those surfaces, above 100 % with whole pixels and a grid.
import { outline, type Area } from "./area";
import { rgbOf } from "./color";
import { isPicture, type Layer } from "./document";
import type { Editor } from "./editor";
import { kGridScale, toScreen, type Size, type Spot, type Viewport } from "./geometry";

interface Surface {
  canvas: OffscreenCanvas;
  context: OffscreenCanvasRenderingContext2D;
  image: ImageData | null;
}

interface Tint extends Surface {
  key: string;
}

const kTint = 0.55;

function newSurface(size: Size): Surface {
  const canvas = new OffscreenCanvas(size.width, size.height);
  return { canvas, context: canvas.getContext("2d")!, image: null };
}

/** Above 100 % pixels stay pixels; below, they are averaged. */
export function prepare(context: CanvasRenderingContext2D, view: Viewport): void {
  context.imageSmoothingEnabled = view.scale < 1;
  context.imageSmoothingQuality = "high";
}

/** Grey squares where the picture is transparent. */
export function drawPaper(context: CanvasRenderingContext2D, view: Viewport, size: Size): void {
  const corner = toScreen(view, { x: 0, y: 0 });
  const width = size.width * view.scale;
  const height = size.height * view.scale;
  context.save();
  context.beginPath();
  context.rect(corner.x, corner.y, width, height);
  context.clip();
  context.fillStyle = "#5a5a5a";
  context.fillRect(corner.x, corner.y, width, height);
  context.fillStyle = "#666666";
  const square = 8;
  const seen = context.canvas.getBoundingClientRect();
  const fromX = Math.max(0, Math.floor(-corner.x / square));
  const fromY = Math.max(0, Math.floor(-corner.y / square));
  const toX = Math.min(width, seen.width - corner.x) / square;
  const toY = Math.min(height, seen.height - corner.y) / square;
  for (let y = fromY; y < toY; y += 1) {
    for (let x = fromX + ((fromX + y) % 2); x < toX; x += 2) context.fillRect(corner.x + x * square, corner.y + y * square, square, square);
  }
  context.restore();
}

/** Lines between pixels, when these are large enough. */
export function drawGrid(context: CanvasRenderingContext2D, view: Viewport, size: Size): void {
  if (view.scale < kGridScale) return;
  const seen = context.canvas.getBoundingClientRect();
  const left = Math.max(0, Math.floor(-view.x / view.scale));
  const top = Math.max(0, Math.floor(-view.y / view.scale));
  const right = Math.min(size.width, Math.ceil((seen.width - view.x) / view.scale));
  const bottom = Math.min(size.height, Math.ceil((seen.height - view.y) / view.scale));
  context.beginPath();
  for (let x = left; x <= right; x += 1) {
    const at = Math.round(x * view.scale + view.x) + 0.5;
    context.moveTo(at, top * view.scale + view.y);
    context.lineTo(at, bottom * view.scale + view.y);
  }
  for (let y = top; y <= bottom; y += 1) {
    const at = Math.round(y * view.scale + view.y) + 0.5;
    context.moveTo(left * view.scale + view.x, at);
    context.lineTo(right * view.scale + view.x, at);
  }
  context.lineWidth = 1;
  context.strokeStyle = "rgba(128, 128, 128, 0.45)";
  context.stroke();
}

/** A thin frame, so that dark pictures end somewhere. */
export function drawFrame(context: CanvasRenderingContext2D, view: Viewport, size: Size): void {
  context.strokeStyle = "#000000";
  context.lineWidth = 1;
  context.strokeRect(Math.round(view.x) - 0.5, Math.round(view.y) - 0.5, Math.round(size.width * view.scale) + 1, Math.round(size.height * view.scale) + 1);
}

export class Screen {
  base: ImageBitmap | null = null;
  pointer: Spot | null = null;
  /** The line of a lasso or the box that is being drawn, in pixels of the picture. */
  draft: Spot[] | null = null;
  private readonly surfaces = new Map<string, Surface>();
  private readonly tints = new Map<string, Tint>();
  private striped: CanvasPattern | null = null;
  private border: { area: Area; path: Path2D } | null = null;

  constructor(private readonly editor: Editor) {}

  /** The layer's pixels as a surface; only what changed is copied. */
  private surface(layer: Layer): OffscreenCanvas {
    const raster = this.editor.rasterOf(layer);
    let surface = this.surfaces.get(layer.id);
    if (!surface) {
      surface = newSurface(raster.size);
      surface.image = new ImageData(raster.pixels.data as Uint8ClampedArray<ArrayBuffer>, raster.size.width, raster.size.height);
      raster.dirty = { left: 0, top: 0, right: raster.size.width, bottom: raster.size.height };
      this.surfaces.set(layer.id, surface);
    }
    const box = raster.dirty;
    if (box) surface.context.putImageData(surface.image!, 0, 0, box.left, box.top, box.right - box.left, box.bottom - box.top);
    raster.dirty = null;
    return surface.canvas;
  }

  /** A mask as it will be used; while it is painted, as it is painted. */
  private maskTint(layer: Layer): OffscreenCanvas {
    if (this.editor.isPainting && this.editor.state.peek().active === layer.id) return this.surface(layer);
    const key = `${this.editor.rasterOf(layer).version} ${layer.grow} ${layer.feather}`;
    let tint = this.tints.get(layer.id);
    if (tint?.key === key) return tint.canvas;
    const size = this.editor.state.peek();
    tint = { ...(tint ?? newSurface(size)), key };
    tint.context.clearRect(0, 0, size.width, size.height);
    const { area, strength } = this.editor.maskShape(layer);
    if (area.width > 0) {
      const color = rgbOf(layer.color);
      const image = new ImageData(area.width, area.height);
      for (let i = 0; i < strength.length; i += 1) {
        image.data[i * 4] = color.r;
        image.data[i * 4 + 1] = color.g;
        image.data[i * 4 + 2] = color.b;
        image.data[i * 4 + 3] = strength[i]!;
      }
      tint.context.putImageData(image, area.left, area.top);
    }
    this.tints.set(layer.id, tint);
    return tint.canvas;
  }

  paint(context: CanvasRenderingContext2D, view: Viewport, stage: Size): void {
    const state = this.editor.state.peek();
    drawPaper(context, view, state);
    context.save();
    context.translate(view.x, view.y);
    context.scale(view.scale, view.scale);
    prepare(context, view);
    if (this.base) context.drawImage(this.base, 0, 0, state.width, state.height);
    const layers = state.layers.filter((layer) => layer.visible);
    for (const layer of layers.filter(isPicture)) {
      context.globalAlpha = layer.opacity;
      context.drawImage(this.surface(layer), 0, 0);
    }
    // Masks and regions lie over everything: they are words about the picture, not part of it.
    for (const layer of layers.filter((other) => !isPicture(other))) {
      context.globalAlpha = kTint * layer.opacity;
      context.drawImage(layer.kind === "mask" ? this.maskTint(layer) : this.surface(layer), 0, 0);
    }
    context.restore();
    drawGrid(context, view, state);
    drawFrame(context, view, state);
    this.drawSelection(context, view);
    this.drawDraft(context, view);
    this.drawBrush(context, view, stage);
  }

  private drawSelection(context: CanvasRenderingContext2D, view: Viewport): void {
    const area = this.editor.selection.peek();
    if (!area) return;
    if (this.border?.area !== area) {
      const path = new Path2D();
      for (const [x1, y1, x2, y2] of outline(area)) {
        path.moveTo(x1!, y1!);
        path.lineTo(x2!, y2!);
      }
      this.border = { area, path };
    }
    context.save();
    context.translate(view.x, view.y);
    context.scale(view.scale, view.scale);
    context.lineWidth = 1.5 / view.scale;
    context.strokeStyle = this.stripes(context, view.scale);
    context.stroke(this.border.path);
    context.restore();
  }

  /** Black and white stripes: dashes would begin anew with every piece of a slanted border. */
  private stripes(context: CanvasRenderingContext2D, scale: number): CanvasPattern {
    if (!this.striped) {
      const side = 8;
      const tile = new OffscreenCanvas(side, side);
      const inner = tile.getContext("2d")!;
      for (let y = 0; y < side; y += 1) {
        for (let x = 0; x < side; x += 1) {
          inner.fillStyle = (x + y) % side < side / 2 ? "#ffffff" : "#000000";
          inner.fillRect(x, y, 1, 1);
        }
      }
      this.striped = context.createPattern(tile, "repeat")!;
    }
    this.striped.setTransform(new DOMMatrix().scale(1 / scale));
    return this.striped;
  }

  /** Black and white dashes are seen on every picture. */
  private twoTone(context: CanvasRenderingContext2D, path: Path2D, unit: number): void {
    context.lineWidth = 1.5 * unit;
    context.setLineDash([]);
    context.strokeStyle = "#000000";
    context.stroke(path);
    context.setLineDash([5 * unit, 5 * unit]);
    context.strokeStyle = "#ffffff";
    context.stroke(path);
    context.setLineDash([]);
  }

  private drawDraft(context: CanvasRenderingContext2D, view: Viewport): void {
    if (!this.draft || this.draft.length < 2) return;
    const path = new Path2D();
    for (const [index, spot] of this.draft.entries()) {
      const at = toScreen(view, spot);
      if (index === 0) path.moveTo(at.x, at.y);
      else path.lineTo(at.x, at.y);
    }
    path.closePath();
    this.twoTone(context, path, 1);
  }

  /** The brush's size under the pointer: a dark and a light circle. */
  private drawBrush(context: CanvasRenderingContext2D, view: Viewport, stage: Size): void {
    const tool = this.editor.tool.peek();
    if (!this.pointer || (tool !== "brush" && tool !== "eraser")) return;
    const at = toScreen(view, this.pointer);
    if (at.x < 0 || at.y < 0 || at.x > stage.width || at.y > stage.height) return;
    const radius = Math.max(2, (this.editor.currentBrush.peek().size * this.editor.state.peek().width * view.scale) / 2);
    context.lineWidth = 1;
    for (const [grow, color] of [[0.5, "#000000"], [-0.5, "#ffffff"]] as const) {
      context.beginPath();
      context.arc(at.x, at.y, radius + grow, 0, 2 * Math.PI);
      context.strokeStyle = color;
      context.stroke();
    }
  }
}
