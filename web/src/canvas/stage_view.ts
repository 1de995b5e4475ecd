// Zoom and pan of a stage as signals; views that are locked together share one.
import { signal, type Signal } from "@preact/signals";
import { centred, fitted, keptVisible, nextZoom, zoomedTo, type Size, type Spot, type Viewport } from "./geometry";

export class StageView {
  readonly view: Signal<Viewport | null> = signal<Viewport | null>(null);
  /** Size of the stage in CSS pixels. */
  readonly size: Signal<Size> = signal<Size>({ width: 0, height: 0 });
  readonly picture: Signal<Size | null> = signal<Size | null>(null);
  private isFitted = true;

  constructor(private readonly largestFit = 4) {}

  setPicture(picture: Size): void {
    const before = this.picture.peek();
    if (before?.width === picture.width && before.height === picture.height) return;
    this.picture.value = picture;
    this.fit();
  }

  setSize(size: Size): void {
    const before = this.size.peek();
    if (before.width === size.width && before.height === size.height) return;
    this.size.value = size;
    const view = this.view.peek();
    if (this.isFitted || !view) return this.fit();
    // What was in the middle stays there.
    this.show({ ...view, x: view.x + (size.width - before.width) / 2, y: view.y + (size.height - before.height) / 2 });
  }

  private get ready(): { picture: Size; size: Size } | null {
    const picture = this.picture.peek();
    const size = this.size.peek();
    return picture && size.width > 0 && size.height > 0 ? { picture, size } : null;
  }

  private show(view: Viewport): void {
    const ready = this.ready;
    if (ready) this.view.value = keptVisible(view, ready.picture, ready.size);
  }

  fit(): void {
    this.isFitted = true;
    const ready = this.ready;
    if (ready) this.view.value = fitted(ready.picture, ready.size, Math.min(24, ready.size.width / 40), this.largestFit);
  }

  actual(): void {
    const ready = this.ready;
    if (!ready) return;
    this.isFitted = false;
    this.show(centred(ready.picture, ready.size, 1));
  }

  zoomTo(scale: number, at?: Spot): void {
    const view = this.view.peek();
    const { width, height } = this.size.peek();
    if (!view) return;
    this.isFitted = false;
    this.show(zoomedTo(view, at ?? { x: width / 2, y: height / 2 }, scale));
  }

  zoom(direction: 1 | -1, at?: Spot): void {
    const view = this.view.peek();
    if (view) this.zoomTo(nextZoom(view.scale, direction), at);
  }

  pan(dx: number, dy: number): void {
    const view = this.view.peek();
    if (!view) return;
    this.isFitted = false;
    this.show({ ...view, x: view.x + dx, y: view.y + dy });
  }
}
