// What can be done on the page of a task, most of it to the take that is looked at.
import type { Take, Task, Verdict } from "../../model/documents";
import type { Wall } from "../../model/wall";
import type { Action, ActionTable } from "../../parts/actions";

export type SideTab = "take" | "brief" | "comments" | "history";

export interface TaskContext {
  task: Task;
  selected: Take | null;
  /** Ids of takes that are to be compared. */
  marked: string[];
  wall: Wall;
  /** Takes beside each other on the wall, for moving up and down. */
  columns(): number;
  may(action: string): boolean;
  select(take: Take | null): void;
  toggleMarked(take: Take): void;
  mark(take: Take, change: { stars?: number; verdict?: Verdict }): Promise<void>;
  recall(take: Take, what: "all" | "prompt" | "seed"): Promise<void>;
  useAsInit(take: Take): void;
  decide(kind: "approve" | "unapprove" | "withdraw" | "restore" | "purge", take: Take): void;
  setTab(tab: SideTab): void;
  toggleWithdrawn(): void;
  generateShown: boolean;
  toggleGenerate(): void;
  generate(): void;
  go(address: string): void;
}

type A = Action<TaskContext>;

const hasTake = (c: TaskContext): boolean => c.selected !== null;
const isAlive = (c: TaskContext): boolean => c.selected?.state === "proposed" || c.selected?.state === "approved";
const mayMark = (c: TaskContext): boolean => isAlive(c) && c.may("take.mark");

function step(c: TaskContext, by: number): void {
  const order = c.wall.order;
  const at = order.findIndex((take) => take.id === c.selected?.id);
  const goal = at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + by));
  const take = order[goal];
  if (!take) return;
  c.select(take);
  document.getElementById(`take-${take.id}`)?.scrollIntoView({ block: "nearest" });
}

function comparedWith(c: TaskContext): string[] {
  const ids = c.marked.length > 0 ? [...c.marked] : [];
  if (c.selected && !ids.includes(c.selected.id)) ids.unshift(c.selected.id);
  if (ids.length === 1 && c.task.approved_take_id && ids[0] !== c.task.approved_take_id) ids.push(c.task.approved_take_id);
  return ids;
}

const kStarLabels = ["action.stars0", "action.stars1", "action.stars2", "action.stars3", "action.stars4", "action.stars5"] as const;
const stars: A[] = kStarLabels.map((label, n) => ({
  id: `task.stars${n}`,
  label,
  keys: [String(n)],
  when: mayMark,
  perform: (c) => c.mark(c.selected!, { stars: n }),
}));

function verdict(id: Verdict, label: A["label"], key: string): A {
  return {
    id: `task.${id}`,
    label,
    keys: [key],
    when: mayMark,
    perform: (c) => c.mark(c.selected!, { verdict: c.selected!.marks.mine?.verdict === id ? "neutral" : id }),
  };
}

export const kTaskActions: ActionTable<TaskContext> = {
  group: "actions.task",
  actions: [
    { id: "task.next", label: "action.next_take", keys: ["ArrowRight", "j"], perform: (c) => step(c, 1) },
    { id: "task.previous", label: "action.previous_take", keys: ["ArrowLeft", "k"], perform: (c) => step(c, -1) },
    { id: "task.below", label: "action.take_below", keys: ["ArrowDown"], perform: (c) => step(c, c.columns()) },
    { id: "task.above", label: "action.take_above", keys: ["ArrowUp"], perform: (c) => step(c, -c.columns()) },
    ...stars,
    verdict("validated", "action.validate", "v"),
    verdict("rejected", "action.reject", "x"),
    {
      id: "task.approve",
      label: "action.approve",
      keys: ["a"],
      when: (c) => c.selected?.state === "proposed" && c.may("take.approve"),
      perform: (c) => c.decide("approve", c.selected!),
    },
    {
      id: "task.unapprove",
      label: "action.unapprove",
      keys: ["Shift+A"],
      when: (c) => c.selected?.state === "approved" && c.may("take.approve"),
      perform: (c) => c.decide("unapprove", c.selected!),
    },
    {
      id: "task.withdraw",
      label: "action.withdraw",
      keys: ["Delete"],
      when: (c) => c.selected?.state === "proposed" && (c.may("take.withdraw") || c.may("take.file")),
      perform: (c) => c.decide("withdraw", c.selected!),
    },
    {
      id: "task.restore",
      label: "action.restore",
      keys: ["Shift+Delete"],
      when: (c) => c.selected?.state === "withdrawn" && (c.may("take.withdraw") || c.may("take.file")),
      perform: (c) => c.decide("restore", c.selected!),
    },
    {
      id: "task.purge",
      label: "action.purge",
      keys: [],
      when: (c) => c.selected?.state === "withdrawn" && c.may("take.purge"),
      perform: (c) => c.decide("purge", c.selected!),
    },
    { id: "task.recall", label: "action.recall", keys: ["r"], when: (c) => c.selected?.origin === "generated", perform: (c) => c.recall(c.selected!, "all") },
    { id: "task.recall_prompt", label: "action.recall_prompt", keys: ["Shift+R"], when: (c) => c.selected?.origin === "generated", perform: (c) => c.recall(c.selected!, "prompt") },
    { id: "task.recall_seed", label: "action.recall_seed", keys: ["s"], when: (c) => c.selected?.origin === "generated", perform: (c) => c.recall(c.selected!, "seed") },
    { id: "task.init", label: "action.use_as_init", keys: ["i"], when: isAlive, perform: (c) => c.useAsInit(c.selected!) },
    { id: "task.mark", label: "action.mark_for_compare", keys: ["m"], when: hasTake, perform: (c) => c.toggleMarked(c.selected!) },
    {
      id: "task.compare",
      label: "action.compare",
      keys: ["d"],
      when: (c) => comparedWith(c).length > 1,
      perform: (c) => c.go(`/tasks/${c.task.id}/compare?takes=${comparedWith(c).join(",")}`),
    },
    {
      id: "task.canvas",
      label: "action.open_canvas",
      keys: ["e"],
      when: (c) => c.may("take.file"),
      perform: (c) => c.go(`/tasks/${c.task.id}/canvas${c.selected ? `?take=${c.selected.id}` : ""}`),
    },
    { id: "task.texture", label: "action.open_texture", keys: ["Shift+T"], when: isAlive, perform: (c) => c.go(`/takes/${c.selected!.id}/texture`) },
    { id: "task.generate", label: "action.generate", keys: ["Mod+Enter"], when: (c) => c.may("take.generate"), whileTyping: true, perform: (c) => c.generate() },
    { id: "task.panel", label: "action.generate_panel", keys: ["g"], perform: (c) => c.toggleGenerate() },
    { id: "task.brief", label: "task.brief", keys: ["b"], perform: (c) => c.setTab("brief") },
    { id: "task.comments", label: "task.comments", keys: ["c"], perform: (c) => c.setTab("comments") },
    { id: "task.history", label: "task.history", keys: ["h"], perform: (c) => c.setTab("history") },
    { id: "task.withdrawn", label: "action.show_withdrawn", keys: ["w"], perform: (c) => c.toggleWithdrawn() },
    { id: "task.leave", label: "action.nothing_selected", keys: ["Escape"], when: hasTake, perform: (c) => c.select(null) },
  ],
};

export function taskAction(id: string): A {
  const found = kTaskActions.actions.find((action) => action.id === `task.${id}`);
  if (!found) throw new Error(`there is no action task.${id}`);
  return found;
}
