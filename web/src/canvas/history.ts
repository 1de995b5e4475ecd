// Undo and redo of everything, also tomorrow: the state a document began with, every edit since, and how many of them
// count now. The document that the server keeps is exactly this.
import { applyEdit, kSchema, kVersion, pruned, type CanvasState, type Edit, type Layer, type Mark } from "./document";
import { kEmptyDesk, type Desk } from "./desk";
import { repairedDesk, repairedEdits, repairedState } from "./repair";

/** More edits than this are folded into the start, the oldest first; and so are they where they weigh more bytes. The
    server takes documents of up to 8 MiB. */
export const kMostEdits = 500;
export const kMostWeight = 3 << 20;
/** Marks of one layer of the start: more of them become a file (baking.ts). */
export const kMostLayerWeight = 256 << 10;

/** As it is stored by PUT /tasks/{task}/canvas. */
export interface CanvasDocument {
  schema: typeof kSchema;
  version: number;
  start: CanvasState;
  edits: Edit[];
  /** How many edits are done; those after it were undone and can be done again. */
  done: number;
  /** The layer that was chosen. */
  active: string | null;
  /** What the page remembers with the picture: colours, words for repainting. */
  desk: Desk;
}

/** About how many bytes a mark takes in a document. */
export function weightOf(mark: Mark): number {
  return 200 + (mark.kind === "stroke" ? 30 * mark.points.length : mark.area.runs.length);
}

function weightOfEdit(edit: Edit): number {
  if (edit.kind === "mark") return weightOf(edit.mark);
  return 200 + (edit.kind === "select" && edit.area ? edit.area.runs.length : 0);
}

export class History {
  private start: CanvasState;
  private edits: Edit[] = [];
  /** states[i]: after i edits; they share everything that did not change. */
  private states: CanvasState[];
  private done = 0;
  private gesture: string | null = null;

  constructor(start: CanvasState) {
    this.start = start;
    this.states = [start];
  }

  get state(): CanvasState {
    return this.states[this.done]!;
  }
  get canUndo(): boolean {
    return this.done > 0;
  }
  get canRedo(): boolean {
    return this.done < this.edits.length;
  }
  /** What undo would take back, and redo do again. */
  get undoable(): Edit | null {
    return this.edits[this.done - 1] ?? null;
  }
  get redoable(): Edit | null {
    return this.edits[this.done] ?? null;
  }

  /** Edits of one gesture (a slider that is dragged) count as one. */
  push(edit: Edit, gesture: string | null = null): void {
    const last = this.undoable;
    const goesOn =
      gesture !== null && gesture === this.gesture && !this.canRedo &&
      last?.kind === "change-layer" && edit.kind === "change-layer" && last.layer === edit.layer;
    this.gesture = gesture;
    if (goesOn) {
      const joined: Edit = { ...last, change: { ...last.change, ...edit.change } };
      this.edits[this.done - 1] = joined;
      this.states[this.done] = applyEdit(this.states[this.done - 1]!, joined);
      return;
    }
    const next = applyEdit(this.state, edit);
    if (next === this.state) return;
    this.edits.length = this.done;
    this.states.length = this.done + 1;
    this.edits.push(edit);
    this.states.push(next);
    this.done += 1;
    this.fold(this.tooMany());
  }

  undo(): boolean {
    this.gesture = null;
    if (!this.canUndo) return false;
    this.done -= 1;
    return true;
  }

  redo(): boolean {
    this.gesture = null;
    if (!this.canRedo) return false;
    this.done += 1;
    return true;
  }

  /** Choosing a layer belongs to the state that is shown and is no edit of its own. */
  activate(layer: string): void {
    this.states[this.done] = { ...this.state, active: layer };
    if (this.done === 0) this.start = this.states[0]!;
  }

  /** How many of the oldest edits have to go; the newest one stays. */
  private tooMany(): number {
    let weight = 0;
    for (let i = this.edits.length - 1; i >= 0; i -= 1) {
      weight += weightOfEdit(this.edits[i]!);
      if (this.edits.length - i > kMostEdits || (weight > kMostWeight && i < this.edits.length - 1)) return i + 1;
    }
    return 0;
  }

  /** Layers of the state that no undo goes behind. */
  get oldest(): readonly Layer[] {
    return this.start.layers;
  }

  /** Every layer with a file that some state needs, also those that can come back. */
  get withPictures(): Layer[] {
    const found = new Map<string, Layer>();
    for (const state of this.states) for (const layer of state.layers) if (layer.picture) found.set(`${layer.id} ${layer.picture}`, layer);
    return [...found.values()];
  }

  /** In all states the layer's oldest marks are now pixels of a file. */
  bake(baked: Layer, files: { picture: string; strokes: string }): void {
    const count = baked.marks.length;
    const last = baked.marks[count - 1];
    const change = (state: CanvasState): CanvasState => {
      const layer = state.layers.find((one) => one.id === baked.id);
      if (!layer || layer.marks[count - 1] !== last) return state;
      const next = { ...layer, picture: files.picture, strokes: [...layer.strokes, files.strokes], marks: layer.marks.slice(count) };
      return { ...state, layers: state.layers.map((one) => (one === layer ? next : one)) };
    };
    this.start = change(this.start);
    this.states = this.states.map(change);
  }

  private fold(count: number): void {
    if (count === 0) return;
    this.start = this.states[count]!;
    this.states.splice(0, count);
    this.edits.splice(0, count);
    this.done -= count;
  }

  toDocument(desk: Desk): CanvasDocument {
    // Areas that only undone edits need come back with those edits.
    return { schema: kSchema, version: kVersion, start: pruned(this.start), edits: this.edits, done: this.done, active: this.state.active, desk };
  }

  /** Null where it is no canvas of this or an older version. What does not fit is left out, never an error. */
  static fromDocument(document: unknown): { history: History; desk: Desk } | null {
    const given = document as Partial<CanvasDocument> | null;
    if (!given || given.schema !== kSchema || !(Number(given.version) <= kVersion)) return null;
    const start = repairedState(given.start);
    if (!start) return null;
    const history = new History(start);
    const edits = repairedEdits(given.edits);
    const done = Math.max(0, Math.min(edits.length, Number(given.done ?? edits.length) || 0));
    for (const edit of edits.slice(0, done)) history.push(edit);
    if (history.state.layers.some((layer) => layer.id === given.active)) history.activate(String(given.active));
    // Undone edits stand after the done ones, so that they can be done again.
    for (const edit of edits.slice(done)) {
      history.edits.push(edit);
      history.states.push(applyEdit(history.states[history.states.length - 1]!, edit));
    }
    return { history, desk: repairedDesk(given.desk, kEmptyDesk) };
  }
}
