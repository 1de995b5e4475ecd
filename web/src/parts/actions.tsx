// One record for each thing a person can do: what it is called, its keys, when it may be done, and the doing.
// Menus, buttons, tooltips, the keyboard and the shortcut sheet all read that record.
//
// A view writes a table (kTaskActions), the page lists all tables once (app/action_tables.ts), and the view makes
// its table live with useActions(table, context). The newest live table is asked first.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t, type WordKey } from "../words";
import { keysText, matchesKey } from "./keys";
import { reportError } from "./notices";

export interface Action<C = void> {
  id: string;
  label: WordKey;
  /** Any of these: "a", "Shift+A", "Mod+Enter" (Mod is Ctrl, or Command on a Mac), "?", "ArrowDown". */
  keys: readonly string[];
  /** Whether it makes sense now; without it, always. */
  when?(context: C): boolean;
  perform(context: C): void | Promise<void>;
  /** Also while typing in a field. Keys without Mod or Alt never fire there otherwise. */
  whileTyping?: boolean;
}

/** A table of actions that belong together, under a heading of the shortcut sheet. */
export interface ActionTable<C = void> {
  group: WordKey;
  actions: readonly Action<C>[];
}

interface Scope {
  // Each scope pairs its own table with its own context type; together they can only be told as unknown.
  table: ActionTable<unknown>;
  context(): unknown;
}

const scopes = signal<readonly Scope[]>([]);

export function run<C>(action: Action<C>, context: C): void {
  if (action.when && !action.when(context)) return;
  try {
    const result = action.perform(context);
    if (result) result.catch(reportError);
  } catch (thrown) {
    reportError(thrown);
  }
}

/** The table's keys work while the component is shown. */
export function useActions<C>(table: ActionTable<C>, context: C): void {
  const latest = useRef(context);
  latest.current = context;
  useEffect(() => {
    const scope: Scope = {
      table: table as unknown as ActionTable<unknown>,
      context: () => latest.current,
    };
    scopes.value = [...scopes.peek(), scope];
    return () => {
      scopes.value = scopes.peek().filter((other) => other !== scope);
    };
  }, [table]);
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !["checkbox", "radio", "button", "submit", "range", "file", "color"].includes(target.type);
}

/** Keys that a focused control needs for itself. */
function ownedByControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Enter" || event.key === " ") {
    return target.matches("button, a[href], summary, input, select, [role=button], [role=tab], [role=menuitem]");
  }
  if (event.key.startsWith("Arrow")) return target.matches("input, select, [role=slider], [role=tab], [role=menuitem]");
  return false;
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const typing = isTyping(event.target);
  // An open dialog keeps the keys of the page behind it asleep.
  if (document.querySelector("dialog[open]")) return;
  for (const scope of [...scopes.peek()].reverse()) {
    for (const action of scope.table.actions) {
      const key = action.keys.find((wanted) => matchesKey(wanted, event));
      if (key === undefined) continue;
      if (typing && !action.whileTyping && !/Mod\+|Alt\+/.test(key)) continue;
      if (ownedByControl(event)) continue;
      if (action.when && !action.when(scope.context())) continue;
      event.preventDefault();
      run(action, scope.context());
      return;
    }
  }
}

export function startKeyboard(): () => void {
  document.addEventListener("keydown", handleKey);
  return () => document.removeEventListener("keydown", handleKey);
}

/** The tables whose keys work right now, the newest first: for the shortcut sheet. */
export function liveTables(): ActionTable<unknown>[] {
  return [...scopes.value].reverse().map((scope) => scope.table);
}

/** "Approve (A)": the label with the first key. */
export function tooltip<C>(action: Action<C>): string {
  const first = action.keys[0];
  return first ? `${t(action.label)} (${keysText(first)})` : t(action.label);
}

interface ActionButtonProps<C> {
  action: Action<C>;
  context: C;
  class?: string;
  /** Shown instead of the label; the label stays as the name for screen readers. */
  children?: ComponentChildren;
  pressed?: boolean;
}

export function ActionButton<C>({ action, context, children, pressed, ...rest }: ActionButtonProps<C>): JSX.Element {
  const possible = !action.when || action.when(context);
  return (
    <button
      type="button"
      class={rest.class ?? "button"}
      title={tooltip(action)}
      aria-label={children ? t(action.label) : undefined}
      aria-pressed={pressed}
      aria-keyshortcuts={action.keys[0]?.replace("Mod", "Control")}
      disabled={!possible}
      onClick={() => run(action, context)}
    >
      {children ?? t(action.label)}
    </button>
  );
}
