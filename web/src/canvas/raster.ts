// A layer's pixels, kept in step with its marks.
//
// What a mark covered is kept for a while, so that taking back the last marks puts old pixels back; where that memory
// ends, the layer is drawn again from its first mark. Both ways give the same pixels.
import { decodeArea, type Area } from "./area";
import { coverStroke, Coverage, StrokeWalker } from "./brush";
import { rgbOf, type Rgb } from "./color";
import type { Brush, Mark, StrokePoint } from "./document";
import { clipped, united, type Box, type Size } from "./geometry";
import { cropped, newPixels, over, pasted, type Pixels } from "./pixels";

export type AreaLookup = (key: string) => Area | null;

interface Done {
  mark: Mark;
  /** Null: the memory of this one was given up. */
  before: { part: Pixels; left: number; top: number } | null;
}

/** Bytes of old pixels a layer may keep. */
const kMostMemory = 96 * 1024 * 1024;

interface Ink {
  color: Rgb;
  opacity: number;
  erase: boolean;
  clip: Area | null;
}

function inClip(clip: Area | null, x: number, y: number): boolean {
  if (!clip) return true;
  const column = x - clip.left;
  const row = y - clip.top;
  return column >= 0 && row >= 0 && column < clip.width && row < clip.height && clip.bits[row * clip.width + column] === 1;
}

export class LayerRaster {
  readonly pixels: Pixels;
  private done: Done[] = [];
  private memory = 0;
  private ground: Pixels | null = null;
  private live: LiveStroke | null = null;
  /** What changed since it was last shown. */
  dirty: Box | null = null;
  /** Counts changes of the pixels. */
  version = 0;

  constructor(
    readonly size: Size,
    private readonly lookup: AreaLookup,
    private readonly coverage: Coverage,
  ) {
    this.pixels = newPixels(size);
  }

  private touch(box: Box | null): void {
    if (!box) return;
    this.dirty = united(this.dirty, box);
    this.version += 1;
  }

  /** Pixels below the marks (a file of the layer). */
  setGround(ground: Pixels | null): void {
    if (ground === this.ground) return;
    this.ground = ground;
    const marks = this.done.map((entry) => entry.mark);
    this.reset();
    this.sync(marks);
  }

  /** The first marks are pixels of the ground from now on; nothing that is seen changes. */
  rebase(ground: Pixels, marks: readonly Mark[]): void {
    const count = marks.length;
    if (this.done[count - 1]?.mark.id !== marks[count - 1]?.id) return;
    for (const old of this.done.splice(0, count)) this.memory -= old.before?.part.data.length ?? 0;
    this.ground = ground;
  }

  /** A copy of the ground, with marks over it. */
  after(marks: readonly Mark[]): Pixels {
    const raster = new LayerRaster(this.size, this.lookup, this.coverage);
    raster.setGround(this.ground);
    raster.sync(marks);
    return raster.pixels;
  }

  private reset(): void {
    this.done = [];
    this.memory = 0;
    if (this.ground) this.pixels.data.set(this.ground.data);
    else this.pixels.data.fill(0);
    this.touch({ left: 0, top: 0, right: this.size.width, bottom: this.size.height });
  }

  /** Makes the pixels those of the marks: takes back what is not there any more, then draws what is new. */
  sync(marks: readonly Mark[]): void {
    let common = 0;
    while (common < this.done.length && common < marks.length && this.done[common]!.mark.id === marks[common]!.id) common += 1;
    while (this.done.length > common) {
      const last = this.done[this.done.length - 1]!;
      if (!last.before) {
        this.reset();
        common = 0;
        break;
      }
      this.done.pop();
      const { part, left, top } = last.before;
      this.memory -= part.data.length;
      pasted(this.pixels, part, left, top);
      this.touch({ left, top, right: left + part.width, bottom: top + part.height });
    }
    for (const mark of marks.slice(common)) this.draw(mark);
  }

  private draw(mark: Mark): void {
    const ink: Ink = {
      color: rgbOf(mark.color),
      erase: mark.erase,
      opacity: mark.kind === "stroke" ? mark.brush.opacity : mark.opacity,
      clip: mark.clip === null ? null : this.lookup(mark.clip),
    };
    let box: Box | null;
    let amount: (x: number, y: number) => number;
    if (mark.kind === "stroke") {
      coverStroke(this.coverage, mark.brush, mark.points);
      box = this.coverage.box;
      const { values } = this.coverage;
      amount = (x, y) => values[y * this.size.width + x]! / 255;
    } else {
      const area = decodeArea(mark.area);
      box = clipped({ left: area.left, top: area.top, right: area.left + area.width, bottom: area.top + area.height }, this.size);
      amount = (x, y) => area.bits[(y - area.top) * area.width + x - area.left]!;
    }
    if (!box) {
      this.done.push({ mark, before: null });
      return;
    }
    const part = cropped(this.pixels, box);
    this.remember({ mark, before: { part, left: box.left, top: box.top } });
    this.ink(ink, box, amount, part, box.left, box.top);
    this.touch(box);
  }

  private remember(entry: Done): void {
    this.done.push(entry);
    this.memory += entry.before?.part.data.length ?? 0;
    for (const old of this.done) {
      if (this.memory <= kMostMemory || old === entry) break;
      this.memory -= old.before?.part.data.length ?? 0;
      old.before = null;
    }
  }

  /** Puts ink over the pixels as they were `before` (whose corner is at left, top). */
  private ink(ink: Ink, box: Box, amount: (x: number, y: number) => number, before: Pixels, left: number, top: number): void {
    const { color, opacity, erase, clip } = ink;
    const out = this.pixels.data;
    for (let y = box.top; y < box.bottom; y += 1) {
      for (let x = box.left; x < box.right; x += 1) {
        const alpha = amount(x, y) * opacity;
        if (alpha <= 0 || !inClip(clip, x, y)) continue;
        const o = (y * this.size.width + x) * 4;
        const i = ((y - top) * before.width + x - left) * 4;
        if (erase) out[o + 3] = Math.round(before.data[i + 3]! * (1 - alpha));
        else over(out, o, before.data, i, color.r, color.g, color.b, alpha);
      }
    }
  }

  /** A stroke that is being drawn: shown at once, and taken back by endLive. */
  beginLive(brush: Brush, color: string, erase: boolean, clip: string | null): void {
    this.endLive();
    this.coverage.clear();
    const whole = { left: 0, top: 0, right: this.size.width, bottom: this.size.height };
    this.live = {
      walker: new StrokeWalker(this.coverage, brush),
      before: cropped(this.pixels, whole),
      ink: { color: rgbOf(color), opacity: brush.opacity, erase, clip: clip === null ? null : this.lookup(clip) },
    };
  }

  private showLive(box: Box | null): void {
    if (!box || !this.live) return;
    const { values } = this.coverage;
    this.ink(this.live.ink, box, (x, y) => values[y * this.size.width + x]! / 255, this.live.before, 0, 0);
    this.touch(box);
  }

  addLive(point: StrokePoint): void {
    if (this.live) this.showLive(this.live.walker.add(point));
  }

  endLive(): void {
    if (!this.live) return;
    const { before } = this.live;
    const box = this.coverage.box;
    this.live = null;
    if (!box) return;
    pasted(this.pixels, cropped(before, box), box.left, box.top);
    this.touch(box);
  }
}

interface LiveStroke {
  walker: StrokeWalker;
  before: Pixels;
  ink: Ink;
}
