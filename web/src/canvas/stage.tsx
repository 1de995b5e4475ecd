// The surface a picture is shown on: one canvas as large as its place, sharp on every screen, moved and zoomed by
// wheel, space and drag, two fingers and keys. The canvas, comparing, reviewing and textures all stand on it.
import { effect, signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import "./stage.css";
import { toPicture, type Size, type Spot } from "./geometry";
import type { StageView } from "./stage_view";

export interface PointerSample extends Spot {
  pressure: number;
  time: number;
}

/** What the pointer does where it does not move the picture. Spots are in pixels of the picture. */
export interface StageTool {
  down(at: PointerSample, event: PointerEvent): void;
  /** All samples since the last call, also those between frames. */
  move(samples: PointerSample[], event: PointerEvent): void;
  up(event: PointerEvent): void;
  /** Two fingers took over: what was begun is dropped. */
  cancel(): void;
  hover?(at: Spot | null): void;
}

interface StageProps {
  stage: StageView;
  /** Draws in CSS pixels of the stage. */
  paint(context: CanvasRenderingContext2D, size: Size): void;
  /** Reads the signals on which the drawing depends, besides zoom and pan. */
  follow?(): void;
  /** Name for screen readers. */
  label: string;
  tool?: StageTool | null;
  cursor?: string;
  /** Dragging moves the picture. */
  drags?: boolean;
  class?: string;
  children?: ComponentChildren;
}

function sample(stage: StageView, canvas: HTMLElement, event: PointerEvent): PointerSample {
  const place = canvas.getBoundingClientRect();
  const spot = toPicture(stage.view.peek()!, { x: event.clientX - place.left, y: event.clientY - place.top });
  // A mouse has no pressure (it says 0.5 while pressed).
  const pressure = event.pointerType === "pen" ? event.pressure : 1;
  return { ...spot, pressure, time: event.timeStamp };
}

function samples(stage: StageView, canvas: HTMLElement, event: PointerEvent): PointerSample[] {
  const between = event.getCoalescedEvents?.() ?? [];
  return (between.length > 0 ? between : [event]).map((one) => sample(stage, canvas, one));
}

/** Fingers and buttons on the stage; kept apart from the component so that it holds no state of the page. */
class PointerDesk {
  private readonly fingers = new Map<number, Spot>();
  private mode: "none" | "pan" | "tool" | "pinch" = "none";
  space = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly stage: StageView,
    private readonly props: () => StageProps,
  ) {}

  private spot(event: PointerEvent | WheelEvent): Spot {
    const place = this.canvas.getBoundingClientRect();
    return { x: event.clientX - place.left, y: event.clientY - place.top };
  }

  down(event: PointerEvent): void {
    if (!this.stage.view.peek()) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.spot(event));
    const { tool, drags } = this.props();
    if (this.fingers.size === 2) {
      if (this.mode === "tool") tool?.cancel();
      this.mode = "pinch";
    } else if (this.fingers.size === 1) {
      const moves = event.button === 1 || this.space || !tool || drags;
      if (event.button > 1) return;
      this.mode = moves ? "pan" : "tool";
      if (!moves) tool.down(sample(this.stage, this.canvas, event), event);
    }
    this.canvas.dataset.mode = this.mode;
  }

  move(event: PointerEvent): void {
    const { tool } = this.props();
    const before = this.fingers.get(event.pointerId);
    const now = this.spot(event);
    if (this.stage.view.peek()) tool?.hover?.(toPicture(this.stage.view.peek()!, now));
    if (!before) return;
    if (this.mode === "pinch") this.pinch(event.pointerId, before, now);
    else if (this.mode === "pan") this.stage.pan(now.x - before.x, now.y - before.y);
    else if (this.mode === "tool") tool?.move(samples(this.stage, this.canvas, event), event);
    this.fingers.set(event.pointerId, now);
  }

  /** The point between two fingers moves the picture, their distance zooms it. */
  private pinch(id: number, before: Spot, now: Spot): void {
    const other = [...this.fingers].find(([finger]) => finger !== id)?.[1];
    const view = this.stage.view.peek();
    if (!other || !view) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    this.stage.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (was > 0) this.stage.zoomTo((view.scale * is) / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  up(event: PointerEvent, cancelled: boolean): void {
    this.fingers.delete(event.pointerId);
    if (this.mode === "tool") {
      if (cancelled) this.props().tool?.cancel();
      else this.props().tool?.up(event);
    }
    if (this.fingers.size === 0 || this.mode !== "pinch") this.mode = "none";
    this.canvas.dataset.mode = this.mode;
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const view = this.stage.view.peek();
    if (!view) return;
    if (event.shiftKey) this.stage.pan(-event.deltaY, -event.deltaX);
    else if (event.ctrlKey) this.stage.zoomTo(view.scale * Math.exp(-event.deltaY * 0.01), this.spot(event));
    else this.stage.zoomTo(view.scale * Math.exp(-Math.sign(event.deltaY) * Math.min(0.3, Math.abs(event.deltaY) * 0.002)), this.spot(event));
  }
}

/** Space moves the picture while it is held, wherever the focus is but in a field or on a button. */
function watchSpace(desk: PointerDesk, canvas: HTMLCanvasElement): () => void {
  const set = (on: boolean): void => {
    desk.space = on;
    canvas.toggleAttribute("data-space", on);
  };
  const down = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement | null;
    if (event.key !== " " || target?.closest?.("input, textarea, select, button, a, dialog")) return;
    event.preventDefault();
    set(true);
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key === " ") set(false);
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
  };
}

function drawLoop(canvas: HTMLCanvasElement, props: () => StageProps): () => void {
  let frame = 0;
  const stop = effect(() => {
    const { stage, paint } = props();
    const size = stage.size.value;
    void stage.view.value;
    const ratio = globalThis.devicePixelRatio || 1;
    const context = canvas.getContext("2d");
    if (!context || size.width === 0) return;
    cancelAnimationFrame(frame);
    const draw = (): void => {
      const width = Math.round(size.width * ratio);
      const height = Math.round(size.height * ratio);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, size.width, size.height);
      if (stage.view.peek()) paint(context, size);
    };
    props().follow?.();
    frame = requestAnimationFrame(draw);
  });
  return () => {
    cancelAnimationFrame(frame);
    stop();
  };
}

export function Stage(props: StageProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const redraw = useMemo(() => signal(0), []);

  useEffect(() => {
    const surface = canvas.current!;
    const { stage } = latest.current;
    const measure = (): void => {
      const { width, height } = place.current!.getBoundingClientRect();
      stage.setSize({ width: Math.floor(width), height: Math.floor(height) });
    };
    const observer = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(measure);
    observer?.observe(place.current!);
    measure();
    const desk = new PointerDesk(surface, stage, () => latest.current);
    const listen: [string, (event: never) => void][] = [
      ["pointerdown", (event: PointerEvent) => desk.down(event)],
      ["pointermove", (event: PointerEvent) => desk.move(event)],
      ["pointerup", (event: PointerEvent) => desk.up(event, false)],
      ["pointercancel", (event: PointerEvent) => desk.up(event, true)],
      ["pointerleave", () => latest.current.tool?.hover?.(null)],
      ["wheel", (event: WheelEvent) => desk.wheel(event)],
    ];
    for (const [name, listener] of listen) surface.addEventListener(name, listener as EventListener, { passive: false });
    const stopSpace = watchSpace(desk, surface);
    const stopDrawing = drawLoop(surface, () => {
      void redraw.value;
      return latest.current;
    });
    return () => {
      observer?.disconnect();
      stopSpace();
      stopDrawing();
    };
  }, [props.stage]);
  // A new way of painting (another mode, another picture) is shown at once.
  useEffect(() => {
    redraw.value += 1;
  }, [props.paint]);

  return (
    <div ref={place} class={`stage ${props.class ?? ""}`}>
      <canvas ref={canvas} class="stage-canvas" role="img" aria-label={props.label} style={{ cursor: props.cursor ?? (props.tool ? "crosshair" : "grab") }} />
      {props.children}
    </div>
  );
}
