// Drawings on a picture: what was drawn as shapes with points in shares of the picture, so that they fit it at every
// size. They may leave the picture. Kept as plain data with undo; drawn as SVG (drawing_layer.tsx).
import type { Size, Spot } from "../canvas/geometry";

export type ShapeKind = "path" | "arrow" | "rect" | "ellipse" | "text";

/** As the server keeps it; width is a share of the picture's height. */
export interface Shape {
  kind: ShapeKind;
  points: [x: number, y: number, pressure: number][];
  color: string;
  width: number;
  text?: string;
  filled?: boolean;
}

export interface Annotation {
  id: string;
  take_id: string;
  canvas_width: number;
  canvas_height: number;
  drawing: Shape[];
  note: string;
  person?: { id: string; name: string } | null;
  created_by?: { id: string; name: string } | null;
  guest?: string | null;
  created_at?: string;
}

export const kPenKeys: Record<ShapeKind, string> = { path: "d", arrow: "w", rect: "q", ellipse: "e", text: "t" };
export const kPenColors: readonly string[] = ["#ff4f4f", "#ffd23f", "#4fd68b", "#4fb4ff", "#ffffff", "#111111"];
export const kPenWidths: readonly number[] = [0.004, 0.008, 0.018];
/** Further outside than this nothing is kept. */
const kOutside = 0.5;
const kDigits = 1e5;

function share(at: Spot, size: Size): [number, number] {
  const round = (value: number): number => Math.round(Math.min(1 + kOutside, Math.max(-kOutside, value)) * kDigits) / kDigits;
  return [round(at.x / size.width), round(at.y / size.height)];
}

export interface Pen {
  kind: ShapeKind;
  color: string;
  width: number;
}

export function beginShape(pen: Pen, at: Spot, pressure: number, size: Size): Shape {
  const [x, y] = share(at, size);
  const points: Shape["points"] = pen.kind === "path" || pen.kind === "text" ? [[x, y, pressure]] : [[x, y, pressure], [x, y, pressure]];
  return { kind: pen.kind, points, color: pen.color, width: pen.width };
}

/** Lines get longer; the other kinds have two corners, the second of which follows the pointer. */
export function extendShape(shape: Shape, at: Spot, pressure: number, size: Size): Shape {
  const [x, y] = share(at, size);
  if (shape.kind === "text") return shape;
  if (shape.kind !== "path") return { ...shape, points: [shape.points[0]!, [x, y, pressure]] };
  const last = shape.points[shape.points.length - 1]!;
  // Points closer than a pixel of a large screen say nothing.
  if (Math.hypot(last[0] - x, last[1] - y) < 1 / 2500) return shape;
  return { ...shape, points: [...shape.points, [x, y, pressure]] };
}

/** Nothing was drawn: a click with a shape that needs a way, a text without words. */
export function isNothing(shape: Shape): boolean {
  if (shape.kind === "text") return !shape.text?.trim();
  if (shape.kind === "path") return shape.points.length === 0;
  const [a, b] = [shape.points[0]!, shape.points[1]!];
  return Math.hypot(a[0] - b[0], a[1] - b[1]) < 0.004;
}

/** A line through the middles of its points, as the path of an SVG in pixels of the picture. */
export function pathData(points: Shape["points"], size: Size): string {
  const at = points.map(([x, y]) => [x * size.width, y * size.height] as const);
  const say = (value: number): string => String(Math.round(value * 100) / 100);
  const first = at[0];
  if (!first) return "";
  // A dot is a line of no length with round ends.
  if (at.length === 1) return `M${say(first[0])} ${say(first[1])}h0.01`;
  let data = `M${say(first[0])} ${say(first[1])}`;
  for (let i = 1; i < at.length - 1; i += 1) {
    const [x, y] = at[i]!;
    const next = at[i + 1]!;
    data += `Q${say(x)} ${say(y)} ${say((x + next[0]) / 2)} ${say((y + next[1]) / 2)}`;
  }
  const last = at[at.length - 1]!;
  return `${data}L${say(last[0])} ${say(last[1])}`;
}

/** The two sides of an arrow's head, at its second point. */
export function arrowHead(shape: Shape, size: Size): string {
  const [from, to] = [shape.points[0]!, shape.points[1]!];
  const x1 = from[0] * size.width;
  const y1 = from[1] * size.height;
  const x2 = to[0] * size.width;
  const y2 = to[1] * size.height;
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const length = Math.min(Math.hypot(x2 - x1, y2 - y1) * 0.6, shape.width * size.height * 5);
  const side = (turn: number): string =>
    `${Math.round((x2 - length * Math.cos(angle + turn)) * 100) / 100} ${Math.round((y2 - length * Math.sin(angle + turn)) * 100) / 100}`;
  return `M${side(0.5)}L${Math.round(x2 * 100) / 100} ${Math.round(y2 * 100) / 100}L${side(-0.5)}`;
}

/** A drawing that is being made: shapes, and those taken back. */
export interface Sketch {
  shapes: readonly Shape[];
  undone: readonly Shape[];
}

export const kNoSketch: Sketch = { shapes: [], undone: [] };

export function withShape(sketch: Sketch, shape: Shape): Sketch {
  return isNothing(shape) ? sketch : { shapes: [...sketch.shapes, shape], undone: [] };
}

export function undoShape(sketch: Sketch): Sketch {
  const last = sketch.shapes[sketch.shapes.length - 1];
  return last ? { shapes: sketch.shapes.slice(0, -1), undone: [...sketch.undone, last] } : sketch;
}

export function redoShape(sketch: Sketch): Sketch {
  const last = sketch.undone[sketch.undone.length - 1];
  return last ? { shapes: [...sketch.shapes, last], undone: sketch.undone.slice(0, -1) } : sketch;
}

/** One of the list moved to another place. */
export function movedItem<T>(list: readonly T[], from: number, to: number): T[] {
  const result = [...list];
  const target = Math.max(0, Math.min(list.length - 1, to));
  const [item] = result.splice(from, 1);
  if (item !== undefined) result.splice(target, 0, item);
  return result;
}
