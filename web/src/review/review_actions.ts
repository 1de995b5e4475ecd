// Reviewing by keys.
import { may } from "../api/session";
import type { Action, ActionTable } from "../parts/actions";
import { navigate } from "../parts/router";
import { kPenKeys, type ShapeKind } from "./drawing";
import type { ReviewDesk, Verdict } from "./review_desk";

type ReviewAction = Action<ReviewDesk>;

const shown = (desk: ReviewDesk): boolean => desk.take.value !== null;

function verdict(which: Verdict, keys: string[], action: string, typing = false): ReviewAction {
  return {
    id: `review.${which}`,
    label: `review.do.${which}`,
    keys,
    when: (desk) => shown(desk) && !desk.busy.value && may(action, desk.playlist.value?.show_id),
    perform: (desk) => desk.say(which),
    ...(typing ? { whileTyping: true } : {}),
  };
}

export const kApprove = verdict("approve", ["a"], "take.approve");
export const kRetake = verdict("retake", ["r"], "comment.write");
export const kReject = verdict("reject", ["x"], "take.mark");
export const kNote = verdict("note", ["Mod+Enter"], "comment.write", true);
export const kToMask: ReviewAction = {
  id: "review.mask",
  label: "review.to_mask",
  keys: ["m"],
  when: (desk) => shown(desk) && (desk.draft.sketch.value.shapes.length > 0 || desk.annotations.value.some((one) => one.drawing.length > 0)),
  perform: (desk) => desk.toMask(),
};
export const kPrevious: ReviewAction = { id: "review.previous", label: "review.previous", keys: ["ArrowLeft"], when: (desk) => desk.index.value > 0, perform: (desk) => desk.show(desk.index.peek() - 1) };
export const kNext: ReviewAction = {
  id: "review.next",
  label: "review.next",
  keys: ["ArrowRight"],
  when: (desk) => desk.index.value < (desk.playlist.value?.items.length ?? 0) - 1,
  perform: (desk) => desk.show(desk.index.peek() + 1),
};
export const kCompare: ReviewAction = {
  id: "review.compare",
  label: "review.compare",
  keys: ["c"],
  when: shown,
  perform: (desk) => {
    const take = desk.take.peek()!;
    const other = take.parents[0]?.id;
    navigate(`/compare?takes=${[other, take.id].filter(Boolean).join(",")}`);
  },
};

function pen(kind: ShapeKind): ReviewAction {
  return { id: `review.pen.${kind}`, label: `review.shape.${kind}`, keys: [kPenKeys[kind]], when: shown, perform: (desk) => desk.draft.choose(kind) };
}

export const kReviewActions: ActionTable<ReviewDesk> = {
  group: "review.group",
  actions: [
    kPrevious,
    kNext,
    kApprove,
    kRetake,
    kReject,
    kNote,
    kToMask,
    kCompare,
    ...(["path", "arrow", "rect", "ellipse", "text"] as const).map(pen),
    { id: "review.look", label: "review.look", keys: ["h", "Escape"], when: (desk) => desk.draft.kind.value !== null, perform: (desk) => desk.draft.choose(null) },
    { id: "review.undo", label: "review.undo", keys: ["Mod+Z"], when: (desk) => desk.draft.sketch.value.shapes.length > 0, perform: (desk) => desk.draft.undo() },
    { id: "review.redo", label: "review.redo", keys: ["Mod+Shift+Z", "Mod+Y"], when: (desk) => desk.draft.sketch.value.undone.length > 0, perform: (desk) => desk.draft.redo() },
    { id: "review.notes", label: "review.toggle_notes", keys: ["n"], perform: (desk) => void (desk.draft.showsNotes.value = !desk.draft.showsNotes.peek()) },
    { id: "review.earlier", label: "review.earlier", keys: ["Alt+ArrowLeft"], when: (desk) => may("playlist.edit", desk.playlist.value?.show_id), perform: (desk) => desk.move(desk.index.peek(), desk.index.peek() - 1) },
    { id: "review.later", label: "review.later", keys: ["Alt+ArrowRight"], when: (desk) => may("playlist.edit", desk.playlist.value?.show_id), perform: (desk) => desk.move(desk.index.peek(), desk.index.peek() + 1) },
  ],
};
