// The tables of actions: no key means two things in one place, every action can be found on the sheet.
import { describe, expect, it } from "vitest";
import { kActionTables } from "../src/app/action_tables";
import { matchesKey } from "../src/parts/keys";
import { en } from "../src/words/en";

// Keys shared on purpose: the "when" of the actions tells them apart.
const kShared: Record<string, string[]> = { n: ["board.new_shot", "board.new_asset", "board.new_episode"] };

const press = (key: string, more: KeyboardEventInit = {}): KeyboardEvent => new KeyboardEvent("keydown", { key, ...more });

describe("the tables of actions", () => {
  it("have one id for each action", () => {
    const ids = kActionTables.flatMap((table) => table.actions.map((action) => action.id));
    expect(new Set(ids).size).toBe(ids.length);
  });
  it("give a key to one action of a table", () => {
    for (const table of kActionTables) {
      const owners = new Map<string, string[]>();
      for (const action of table.actions) for (const key of action.keys) owners.set(key, [...(owners.get(key) ?? []), action.id]);
      for (const [key, ids] of owners) if (ids.length > 1) expect(ids, `${table.group} ${key}`).toEqual(kShared[key]);
    }
  });
  it("leave the keys that work everywhere alone", () => {
    const everywhere = new Set(kActionTables[0]!.actions.flatMap((action) => action.keys));
    for (const table of kActionTables.slice(1)) for (const action of table.actions) for (const key of action.keys) expect(everywhere.has(key), `${action.id} ${key}`).toBe(false);
  });
  it("name every action in the catalogue", () => {
    for (const table of kActionTables) for (const action of table.actions) expect(en, action.id).toHaveProperty([action.label]);
  });
});

describe("matchesKey", () => {
  it("tells modifiers apart", () => {
    expect(matchesKey("a", press("a"))).toBe(true);
    expect(matchesKey("a", press("A", { shiftKey: true }))).toBe(false);
    expect(matchesKey("Shift+A", press("A", { shiftKey: true }))).toBe(true);
    expect(matchesKey("a", press("a", { ctrlKey: true }))).toBe(false);
    expect(matchesKey("Mod+Enter", press("Enter", { metaKey: true }))).toBe(true);
    expect(matchesKey("Alt+1", press("1", { altKey: true, code: "Digit1" }))).toBe(true);
  });
  it("finds signs and digits wherever the keyboard has them", () => {
    expect(matchesKey("?", press("?", { shiftKey: true }))).toBe(true);
    expect(matchesKey("/", press("/"))).toBe(true);
    expect(matchesKey("3", press('"', { code: "Digit3" }))).toBe(true);
    expect(matchesKey("3", press("3", { code: "Numpad3" }))).toBe(true);
    expect(matchesKey("3", press("4", { code: "Digit4" }))).toBe(false);
  });
});
