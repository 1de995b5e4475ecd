// Undo and redo of everything, also tomorrow: the state a document began with, every edit since, and how many of them
// count now. The document that the server keeps is exactly this.
import { applyEdit, kSchema, kVersion, pruned, type CanvasState, type Edit } from "./document";
import { repairedEdits, repairedState } from "./repair";

/** More edits than this are folded into the start, the oldest first. */
export const kMostEdits = 500;

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

export interface Desk {
  color: string;
  recent: string[];
  prompt: string;
  strength: number;
}

export const kEmptyDesk: Desk = { color: "#3a6ea5", recent: [], prompt: "", strength: 0.6 };

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
    if (this.edits.length > kMostEdits) this.fold(this.edits.length - kMostEdits);
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

  private fold(count: number): void {
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
    return { history, desk: { ...kEmptyDesk, ...given.desk } };
  }
}
