// Comparing by keys.
import type { Action, ActionTable } from "../parts/actions";
import type { CompareDesk } from "./compare_desk";
import { clamp } from "../canvas/geometry";
import { kModes, type CompareMode } from "./model";

const kModeKeys: Record<CompareMode, string> = { side: "s", wipe: "w", difference: "d", blink: "b", overlay: "o", sheet: "g" };

export const kModeActions: readonly Action<CompareDesk>[] = kModes.map((mode) => ({
  id: `compare.${mode}`,
  label: `compare.mode.${mode}`,
  keys: [kModeKeys[mode]],
  perform: (desk) => desk.setMode(mode),
}));

export const kSwap: Action<CompareDesk> = { id: "compare.swap", label: "compare.swap", keys: ["x"], when: (desk) => desk.items.value.length > 1, perform: (desk) => desk.swap() };
export const kSettings: Action<CompareDesk> = { id: "compare.settings", label: "compare.settings", keys: ["p"], perform: (desk) => void (desk.settings.value = !desk.settings.peek()) };

/** One key for "more" and "less" of what the mode has: the wipe's line, gain, opacity, the blink's pace. */
function adjust(desk: CompareDesk, direction: 1 | -1): void {
  const mode = desk.mode.peek();
  if (mode === "wipe") desk.wipe.value = clamp(desk.wipe.peek() + 0.02 * direction, 0, 1);
  if (mode === "difference") desk.gain.value = clamp(desk.gain.peek() * 2 ** direction, 1, 64);
  if (mode === "overlay") desk.opacity.value = clamp(Math.round((desk.opacity.peek() + 0.05 * direction) * 100) / 100, 0, 1);
  if (mode === "blink") desk.blinkMs.value = clamp(desk.blinkMs.peek() + 50 * direction, 350, 2000);
}

export const kCompareActions: ActionTable<CompareDesk> = {
  group: "compare.group",
  actions: [
    ...kModeActions,
    kSwap,
    { id: "compare.next_b", label: "compare.next_b", keys: ["ArrowRight"], perform: (desk) => desk.step("b", 1) },
    { id: "compare.last_b", label: "compare.last_b", keys: ["ArrowLeft"], perform: (desk) => desk.step("b", -1) },
    { id: "compare.next_a", label: "compare.next_a", keys: ["ArrowDown"], perform: (desk) => desk.step("a", 1) },
    { id: "compare.last_a", label: "compare.last_a", keys: ["ArrowUp"], perform: (desk) => desk.step("a", -1) },
    { id: "compare.more", label: "compare.more", keys: ["]", "."], perform: (desk) => adjust(desk, 1) },
    { id: "compare.less", label: "compare.less", keys: ["[", ","], perform: (desk) => adjust(desk, -1) },
    {
      id: "compare.flip",
      label: "compare.flip",
      keys: ["f"],
      perform: (desk) => {
        desk.blinking.value = false;
        desk.showsB.value = !desk.showsB.peek();
        if (desk.mode.peek() !== "blink") desk.setMode("blink");
      },
    },
    kSettings,
  ],
};
