// From a stroke's points to how much of its colour each pixel gets.
//
// The points are joined by quadratic curves through the middles of their neighbours (Chaikin's limit), round dabs are
// set along them at a fixed share of their size, and a pixel keeps the strongest dab that touched it. Which dabs there
// are depends only on the points before, so that a stroke that is being drawn and the same stroke read from a document
// end as the same pixels.
import type { Brush, StrokePoint } from "./document";
import { clamp, united, type Box, type Size } from "./geometry";

/** Coverage of the canvas by one stroke, 0..255; cleared and used again. */
export class Coverage {
  readonly values: Uint8Array;
  box: Box | null = null;

  constructor(readonly size: Size) {
    this.values = new Uint8Array(size.width * size.height);
  }

  clear(): void {
    if (!this.box) return;
    for (let y = this.box.top; y < this.box.bottom; y += 1) {
      this.values.fill(0, y * this.size.width + this.box.left, y * this.size.width + this.box.right);
    }
    this.box = null;
  }

  /** A round dab: full inside, a smooth ramp to the edge, at least one pixel of it. */
  dab(x: number, y: number, radius: number, hardness: number, strength: number): Box | null {
    const reach = radius + 0.5;
    const left = Math.max(0, Math.floor(x - reach));
    const right = Math.min(this.size.width, Math.ceil(x + reach));
    const top = Math.max(0, Math.floor(y - reach));
    const bottom = Math.min(this.size.height, Math.ceil(y + reach));
    if (right <= left || bottom <= top) return null;
    const ramp = Math.max(1, radius * (1 - hardness));
    const smooth = ramp > 1;
    for (let row = top; row < bottom; row += 1) {
      const dy = row + 0.5 - y;
      for (let column = left; column < right; column += 1) {
        const dx = column + 0.5 - x;
        let t = (reach - Math.sqrt(dx * dx + dy * dy)) / ramp;
        if (t <= 0) continue;
        if (t > 1) t = 1;
        const value = Math.round(255 * strength * (smooth ? t * t * (3 - 2 * t) : t));
        const i = row * this.size.width + column;
        if (value > this.values[i]!) this.values[i] = value;
      }
    }
    const box = { left, top, right, bottom };
    this.box = united(this.box, box);
    return box;
  }
}

interface Pen {
  x: number;
  y: number;
  pressure: number;
}

/** Dabs between dabs: this share of the diameter. */
const kSpacing = 0.08;
const kThinnest = 0.08;

/** Walks along a stroke as its points arrive. */
export class StrokeWalker {
  private last: Pen | null = null;
  private middle: Pen | null = null;
  /** Way until the next dab, in pixels. */
  private rest = 0;

  constructor(
    private readonly coverage: Coverage,
    private readonly brush: Brush,
  ) {}

  private pen(point: StrokePoint): Pen {
    const { width, height } = this.coverage.size;
    return { x: point[0] * width, y: point[1] * height, pressure: point[2] };
  }

  private radius(pressure: number): number {
    const diameter = this.brush.size * this.coverage.size.width;
    const share = this.brush.pressure_size ? kThinnest + (1 - kThinnest) * pressure : 1;
    return Math.max(0.5, (diameter * share) / 2);
  }

  private set(pen: Pen): Box | null {
    const strength = this.brush.pressure_opacity ? pen.pressure : 1;
    return this.coverage.dab(pen.x, pen.y, this.radius(pen.pressure), this.brush.hardness, strength);
  }

  private line(from: Pen, to: Pen): Box | null {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    let box: Box | null = null;
    let at = this.rest;
    while (at <= length) {
      const t = length === 0 ? 0 : at / length;
      const pen = {
        x: from.x + (to.x - from.x) * t,
        y: from.y + (to.y - from.y) * t,
        pressure: from.pressure + (to.pressure - from.pressure) * t,
      };
      box = united(box, this.set(pen));
      at += Math.max(0.5, 2 * this.radius(pen.pressure) * kSpacing);
    }
    this.rest = at - length;
    return box;
  }

  private curve(from: Pen, bend: Pen, to: Pen): Box | null {
    const pieces = clamp(Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 3), 1, 64);
    let box: Box | null = null;
    let before = from;
    for (let i = 1; i <= pieces; i += 1) {
      const t = i / pieces;
      const mix = (a: number, b: number, c: number): number => (1 - t) * (1 - t) * a + 2 * t * (1 - t) * b + t * t * c;
      const next = {
        x: mix(from.x, bend.x, to.x),
        y: mix(from.y, bend.y, to.y),
        pressure: mix(from.pressure, bend.pressure, to.pressure),
      };
      box = united(box, this.line(before, next));
      before = next;
    }
    return box;
  }

  /** Returns the box of the pixels that changed. */
  add(point: StrokePoint): Box | null {
    const pen = this.pen(point);
    const last = this.last;
    this.last = pen;
    if (!last) {
      this.middle = pen;
      const box = this.set(pen);
      this.rest = Math.max(0.5, 2 * this.radius(pen.pressure) * kSpacing);
      return box;
    }
    const middle = { x: (last.x + pen.x) / 2, y: (last.y + pen.y) / 2, pressure: (last.pressure + pen.pressure) / 2 };
    const from = this.middle!;
    this.middle = middle;
    return this.curve(from, last, middle);
  }

  /** The last half piece, up to where the pen was lifted. */
  end(): Box | null {
    return this.last && this.middle && this.last !== this.middle ? this.line(this.middle, this.last) : null;
  }
}

export function coverStroke(coverage: Coverage, brush: Brush, points: readonly StrokePoint[]): void {
  coverage.clear();
  const walker = new StrokeWalker(coverage, brush);
  for (const point of points) walker.add(point);
  walker.end();
}

/** Rounded as documents keep it: a fiftieth of a pixel on 2048. Done before drawing, so that both are equal. */
export function roundedPoint(x: number, y: number, pressure: number, time: number): StrokePoint {
  const round = (value: number, steps: number): number => Math.round(value * steps) / steps;
  return [round(x, 1e5), round(y, 1e5), round(pressure, 1e3), Math.round(time)];
}
