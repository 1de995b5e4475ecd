// Which takes are compared and how; the address keeps it, so that a comparison can be sent to somebody.
import { effect, signal, type Signal } from "@preact/signals";
import { segment } from "../api/client";
import { asErrorDocument } from "../api/errors";
import { api } from "../api/session";
import { bitmapPixels, loadBitmap, takePicture } from "../canvas/pictures";
import type { Pixels } from "../canvas/pixels";
import { StageView } from "../canvas/stage_view";
import type { ErrorDocument, Page, Recipe, Take } from "../model/documents";
import { reportError } from "../parts/notices";
import { place, setQuery } from "../parts/router";
import { differencePixels, idsOf, kModes, modeOf, type CompareMode } from "./model";

export interface Compared {
  take: Take;
  recipe: Recipe | null;
  bitmap: ImageBitmap | null;
}

export class CompareDesk {
  readonly stage = new StageView(2);
  readonly mode: Signal<CompareMode>;
  readonly items: Signal<readonly Compared[]> = signal<readonly Compared[]>([]);
  readonly others: Signal<readonly Take[]> = signal<readonly Take[]>([]);
  readonly a = signal(0);
  readonly b = signal(1);
  /** Where the wipe's line stands, as a share of the picture. */
  readonly wipe = signal(0.5);
  readonly upright = signal(true);
  readonly gain = signal(4);
  readonly brightness = signal(false);
  readonly opacity = signal(0.5);
  readonly blinkMs = signal(600);
  readonly blinking = signal(true);
  readonly showsB = signal(false);
  readonly settings = signal(true);
  readonly onlyDiffering = signal(true);
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  readonly difference: Signal<OffscreenCanvas | null> = signal<OffscreenCanvas | null>(null);
  private timer: ReturnType<typeof setInterval> | undefined;
  private stops: (() => void)[] = [];
  private readonly pixels = new WeakMap<ImageBitmap, Pixels>();

  constructor(query: URLSearchParams) {
    this.mode = signal(modeOf(query.get("mode")));
    const ids = idsOf(query.get("takes"));
    this.load(ids, query.get("task")).catch((thrown: unknown) => (this.error.value = asErrorDocument(thrown)));
    this.stops.push(effect(() => this.blink()), effect(() => this.computeDifference()));
  }

  get pair(): [Compared | null, Compared | null] {
    const items = this.items.value;
    return [items[this.a.value] ?? null, items[this.b.value] ?? null];
  }

  private async load(ids: string[], taskKey: string | null): Promise<void> {
    const takes = await Promise.all(ids.map((id) => api.get<Take>(`/takes/${segment(id)}`)));
    const task = takes[0]?.task_id ?? taskKey;
    this.items.value = takes.map((take) => ({ take, recipe: null, bitmap: null }));
    for (const take of takes) this.fill(take.id).catch(reportError);
    if (!task) return;
    const all = await api.get<Page<Take>>(`/tasks/${segment(task)}/takes`, { limit: 200 });
    this.others.value = all.items;
    // One take alone is compared with its parent, or with the one before it.
    if (takes.length === 1) {
      const parent = takes[0]!.parents[0]?.id;
      const partner = all.items.find((take) => take.id === parent) ?? all.items.find((take) => take.id !== takes[0]!.id);
      if (partner) await this.add(partner.id);
    }
  }

  private async fill(id: string): Promise<void> {
    const set = (change: Partial<Compared>): void => {
      this.items.value = this.items.peek().map((item) => (item.take.id === id ? { ...item, ...change } : item));
    };
    const bitmap = await loadBitmap(takePicture(id));
    set({ bitmap });
    if (!this.stage.picture.peek()) this.stage.setPicture(bitmap);
    set({ recipe: await api.get<Recipe>(`/takes/${segment(id)}/recipe`).catch(() => null) });
  }

  async add(id: string): Promise<void> {
    if (this.items.peek().some((item) => item.take.id === id)) return;
    const take = await api.get<Take>(`/takes/${segment(id)}`);
    this.items.value = [...this.items.peek(), { take, recipe: null, bitmap: null }];
    if (this.items.peek().length > 1) this.b.value = this.items.peek().length - 1;
    this.keepAddress();
    await this.fill(id);
  }

  remove(index: number): void {
    this.items.value = this.items.peek().filter((_, at) => at !== index);
    const last = Math.max(0, this.items.peek().length - 1);
    if (this.a.peek() > last || this.a.peek() === index) this.a.value = 0;
    if (this.b.peek() >= index) this.b.value = Math.min(last, Math.max(1, this.b.peek() - 1));
    this.keepAddress();
  }

  setMode(mode: CompareMode): void {
    this.mode.value = mode;
    this.keepAddress();
  }

  nextMode(direction: 1 | -1): void {
    const at = kModes.indexOf(this.mode.peek());
    this.setMode(kModes[(at + direction + kModes.length) % kModes.length]!);
  }

  private keepAddress(): void {
    if (!place.peek().path.endsWith("/compare")) return;
    setQuery({ takes: this.items.peek().map((item) => item.take.id).join(","), mode: this.mode.peek() });
  }

  swap(): void {
    const before = this.a.peek();
    this.a.value = this.b.peek();
    this.b.value = before;
  }

  /** The next take on one side; the other side's is passed over. */
  step(side: "a" | "b", direction: 1 | -1): void {
    const count = this.items.peek().length;
    if (count < 2) return;
    const other = side === "a" ? this.b.peek() : this.a.peek();
    let at = this[side].peek();
    do at = (at + direction + count) % count;
    while (at === other && count > 2);
    this[side].value = at;
  }

  private blink(): void {
    clearInterval(this.timer);
    if (this.mode.value !== "blink" || !this.blinking.value) return;
    this.timer = setInterval(() => (this.showsB.value = !this.showsB.peek()), this.blinkMs.value);
  }

  private pixelsOf(bitmap: ImageBitmap, like: ImageBitmap): Pixels {
    const known = this.pixels.get(bitmap);
    if (known && bitmap.width === like.width && bitmap.height === like.height) return known;
    if (bitmap.width === like.width && bitmap.height === like.height) {
      const pixels = bitmapPixels(bitmap);
      this.pixels.set(bitmap, pixels);
      return pixels;
    }
    // Of another size: laid over the first at its size.
    const surface = new OffscreenCanvas(like.width, like.height);
    const context = surface.getContext("2d")!;
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, like.width, like.height);
    return { width: like.width, height: like.height, data: context.getImageData(0, 0, like.width, like.height).data };
  }

  private computeDifference(): void {
    const [a, b] = this.pair;
    const gain = this.gain.value;
    const brightness = this.brightness.value;
    if (this.mode.value !== "difference" || !a?.bitmap || !b?.bitmap) return;
    const result = differencePixels(this.pixelsOf(a.bitmap, a.bitmap), this.pixelsOf(b.bitmap, a.bitmap), gain, brightness);
    const surface = new OffscreenCanvas(result.width, result.height);
    surface.getContext("2d")!.putImageData(new ImageData(result.data as Uint8ClampedArray<ArrayBuffer>, result.width, result.height), 0, 0);
    this.difference.value = surface;
  }

  close(): void {
    clearInterval(this.timer);
    for (const stop of this.stops) stop();
  }
}
