// The picture under review with what was drawn on it, and the pen.
import { signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Icon, type IconName } from "../canvas/fields";
import type { Size } from "../canvas/geometry";
import { loadBitmap } from "../canvas/pictures";
import { drawFrame, drawGrid, drawPaper, prepare } from "../canvas/screen";
import { Stage, type PointerSample, type StageTool } from "../canvas/stage";
import { StageView } from "../canvas/stage_view";
import { reportError } from "../parts/notices";
import { t } from "../words";
import { beginShape, extendShape, kNoSketch, kPenColors, kPenKeys, kPenWidths, redoShape, undoShape, withShape, type Shape, type ShapeKind, type Sketch } from "./drawing";
import { DrawingLayer } from "./drawing_layer";

/** The pen and the drawing that is not sent yet. */
export class Drafting {
  readonly stage = new StageView(3);
  readonly kind: Signal<ShapeKind | null> = signal<ShapeKind | null>(null);
  readonly color = signal(kPenColors[0]!);
  readonly width = signal(kPenWidths[1]!);
  readonly sketch: Signal<Sketch> = signal<Sketch>(kNoSketch);
  readonly current: Signal<Shape | null> = signal<Shape | null>(null);
  readonly showsNotes = signal(true);

  choose(kind: ShapeKind | null): void {
    this.kind.value = this.kind.peek() === kind ? null : kind;
  }
  undo(): void {
    this.sketch.value = undoShape(this.sketch.peek());
  }
  redo(): void {
    this.sketch.value = redoShape(this.sketch.peek());
  }
  clear(): void {
    this.sketch.value = kNoSketch;
    this.current.value = null;
  }
  keepText(text: string): void {
    const shape = this.current.peek();
    if (shape?.kind === "text") this.sketch.value = withShape(this.sketch.peek(), { ...shape, text });
    this.current.value = null;
  }
}

class DrawTool implements StageTool {
  constructor(private readonly draft: Drafting) {}

  private get size(): Size {
    return this.draft.stage.picture.peek()!;
  }
  down(at: PointerSample): void {
    const kind = this.draft.kind.peek();
    if (!kind) return;
    // A text that is still being written is kept by its field.
    if (this.draft.current.peek()?.kind === "text") return;
    this.draft.current.value = beginShape({ kind, color: this.draft.color.peek(), width: this.draft.width.peek() }, at, at.pressure, this.size);
  }
  move(samples: PointerSample[]): void {
    let shape = this.draft.current.peek();
    if (!shape) return;
    for (const one of samples) shape = extendShape(shape, one, one.pressure, this.size);
    this.draft.current.value = shape;
  }
  up(): void {
    const shape = this.draft.current.peek();
    if (!shape || shape.kind === "text") return;
    this.draft.sketch.value = withShape(this.draft.sketch.peek(), shape);
    this.draft.current.value = null;
  }
  cancel(): void {
    this.draft.current.value = null;
  }
}

const kPens: [ShapeKind, IconName][] = [["path", "path"], ["arrow", "arrow"], ["rect", "rect"], ["ellipse", "ellipse"], ["text", "text"]];

export function PenBar({ draft }: { draft: Drafting }): JSX.Element {
  const kind = draft.kind.value;
  return (
    <div class="pen-bar" role="toolbar" aria-orientation="vertical" aria-label={t("review.pen")}>
      <button type="button" class="icon-button" aria-pressed={kind === null} title={t("review.look")} aria-label={t("review.look")} onClick={() => draft.choose(null)}>
        <Icon name="hand" />
      </button>
      {kPens.map(([one, icon]) => (
        <button key={one} type="button" class="icon-button" aria-pressed={kind === one} title={`${t(`review.shape.${one}`)} (${kPenKeys[one].toUpperCase()})`} aria-label={t(`review.shape.${one}`)} onClick={() => draft.choose(one)}>
          <Icon name={icon} />
        </button>
      ))}
      <span class="pen-gap" />
      {kPenColors.map((color) => (
        <button key={color} type="button" class="swatch" aria-label={t("review.color", { color })} aria-pressed={draft.color.value === color} style={{ backgroundColor: color }} onClick={() => (draft.color.value = color)} />
      ))}
      <span class="pen-gap" />
      {kPenWidths.map((width, index) => (
        <button key={width} type="button" class="icon-button pen-width" aria-label={t("review.width", { n: index + 1 })} aria-pressed={draft.width.value === width} onClick={() => (draft.width.value = width)}>
          <i style={{ width: `${4 + 4 * index}px`, height: `${4 + 4 * index}px` }} />
        </button>
      ))}
      <span class="pen-gap" />
      <button type="button" class="icon-button" disabled={draft.sketch.value.shapes.length === 0} title={t("review.undo")} aria-label={t("review.undo")} onClick={() => draft.undo()}>
        <Icon name="undo" />
      </button>
      <button type="button" class="icon-button" disabled={draft.sketch.value.undone.length === 0} title={t("review.redo")} aria-label={t("review.redo")} onClick={() => draft.redo()}>
        <Icon name="redo" />
      </button>
    </div>
  );
}

/** Where the pen stands with a text. */
function TextField({ draft }: { draft: Drafting }): JSX.Element | null {
  const shape = draft.current.value;
  const view = draft.stage.view.value;
  const size = draft.stage.picture.value;
  if (shape?.kind !== "text" || !view || !size) return null;
  const [x, y] = shape.points[0]!;
  return (
    <input
      class="input text-field"
      aria-label={t("review.shape.text")}
      ref={(field) => field?.focus()}
      style={{ left: `${x * size.width * view.scale + view.x}px`, top: `${y * size.height * view.scale + view.y - 24}px`, color: shape.color }}
      onBlur={(event) => draft.keepText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          event.currentTarget.value = "";
          event.currentTarget.blur();
        }
        event.stopPropagation();
      }}
    />
  );
}

interface BoardProps {
  draft: Drafting;
  url: string;
  label: string;
  /** What others drew. */
  shapes: readonly Shape[];
}

export function Board({ draft, url, label, shapes }: BoardProps): JSX.Element {
  const [bitmap, setBitmap] = useState<ImageBitmap | null>(null);
  useEffect(() => {
    let current = true;
    setBitmap(null);
    loadBitmap(url)
      .then((loaded) => {
        if (!current) return;
        draft.stage.setPicture(loaded);
        setBitmap(loaded);
      })
      .catch(reportError);
    return () => {
      current = false;
    };
  }, [url]);
  const tool = useMemo(() => new DrawTool(draft), [draft]);
  const paint = useMemo(
    () => (context: CanvasRenderingContext2D) => {
      const view = draft.stage.view.peek()!;
      const size = draft.stage.picture.peek();
      if (!bitmap || !size) return;
      drawPaper(context, view, size);
      context.save();
      context.translate(view.x, view.y);
      context.scale(view.scale, view.scale);
      prepare(context, view);
      context.drawImage(bitmap, 0, 0);
      context.restore();
      drawGrid(context, view, size);
      drawFrame(context, view, size);
    },
    [bitmap],
  );
  const view = draft.stage.view.value;
  const size = draft.stage.picture.value;
  const mine = draft.current.value ? [...draft.sketch.value.shapes, draft.current.value] : draft.sketch.value.shapes;
  const shown = draft.showsNotes.value ? [...shapes, ...mine] : mine;
  return (
    <Stage stage={draft.stage} paint={paint} label={label} tool={draft.kind.value ? tool : null}>
      {view && size && <DrawingLayer shapes={shown} size={size} view={view} label={t("review.drawings", { n: shown.length })} />}
      <TextField draft={draft} />
    </Stage>
  );
}
