// What the pointer does on the canvas with each tool.
import type { AreaOperation } from "./area";
import type { Editor, Refusal } from "./editor";
import { boxOf, type Spot } from "./geometry";
import type { Screen } from "./screen";
import type { PointerSample, StageTool } from "./stage";

/** Shift adds to the selection, Alt takes away, both together keep what is in both. */
export function operationOf(event: Pick<PointerEvent, "shiftKey" | "altKey">): AreaOperation {
  if (event.shiftKey && event.altKey) return "intersect";
  if (event.shiftKey) return "add";
  return event.altKey ? "subtract" : "replace";
}

function corners(from: Spot, to: Spot): Spot[] {
  return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
}

export class CanvasTools implements StageTool {
  private picks = false;
  private operation: AreaOperation = "replace";

  constructor(
    private readonly editor: Editor,
    private readonly screen: Screen,
    private readonly refused: (why: Refusal) => void,
  ) {}

  private redraw(): void {
    this.editor.drawn.value += 1;
  }

  private answer(refusal: Refusal | null): void {
    if (refusal) this.refused(refusal);
  }

  down(at: PointerSample, event: PointerEvent): void {
    const tool = this.editor.tool.peek();
    // Alt picks a colour while painting, as everywhere.
    this.picks = tool === "pick" || (event.altKey && (tool === "brush" || tool === "eraser" || tool === "fill"));
    this.operation = operationOf(event);
    if (this.picks) this.editor.pick(at);
    else if (tool === "brush" || tool === "eraser") this.answer(this.editor.beginStroke(at, at.pressure, at.time));
    else if (tool === "fill") this.answer(this.editor.fillAt(at));
    else if (tool === "lasso") this.screen.draft = [at];
    else if (tool === "rectangle") this.screen.draft = corners(at, at);
    this.redraw();
  }

  move(samples: PointerSample[]): void {
    const tool = this.editor.tool.peek();
    const last = samples[samples.length - 1]!;
    if (this.picks) this.editor.pick(last);
    else if (tool === "brush" || tool === "eraser") for (const one of samples) this.editor.addPoint(one, one.pressure, one.time);
    else if (tool === "lasso") this.screen.draft?.push(...samples);
    else if (tool === "rectangle" && this.screen.draft) this.screen.draft = corners(this.screen.draft[0]!, last);
    this.redraw();
  }

  up(): void {
    const draft = this.screen.draft;
    this.screen.draft = null;
    if (this.editor.isPainting) this.editor.endStroke();
    else if (draft && this.editor.tool.peek() === "lasso") this.finish(draft.length < 3, () => this.editor.selectLasso(draft, this.operation));
    else if (draft) {
      const box = boxOf(draft[0]!, draft[2]!);
      const small = box.right - box.left < 1 && box.bottom - box.top < 1;
      this.finish(small, () => this.editor.selectBox(box, this.operation));
    }
    this.picks = false;
    this.redraw();
  }

  /** A click without a way selects nothing: it lets go of the selection. */
  private finish(isClick: boolean, select: () => void): void {
    if (!isClick) select();
    else if (this.operation === "replace") this.editor.select(null);
  }

  cancel(): void {
    this.screen.draft = null;
    this.editor.cancelStroke();
    this.redraw();
  }

  hover(at: Spot | null): void {
    this.screen.pointer = at;
    this.redraw();
  }
}
