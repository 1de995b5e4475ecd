import { describe, expect, it } from "vitest";
import { countOf } from "./area";
import { newState } from "./document";
import { Editor } from "./editor";
import { History, kMostEdits } from "./history";

const kSize = { width: 64, height: 48 };

function newEditor(): Editor {
  return new Editor(new History(newState(kSize, "take-1")));
}

function stroke(editor: Editor, points: [number, number, number?][]): void {
  const [first, ...rest] = points;
  editor.beginStroke({ x: first![0], y: first![1] }, first![2] ?? 1, 0);
  rest.forEach(([x, y, pressure], index) => editor.addPoint({ x, y }, pressure ?? 1, 8 * (index + 1)));
  editor.endStroke();
}

const bytes = (editor: Editor): string => Buffer.from(editor.flatten().data).toString("base64");
const reopened = (editor: Editor): Editor => {
  const found = History.fromDocument(JSON.parse(JSON.stringify(editor.toDocument())))!;
  return new Editor(found.history, found.desk);
};

describe("the canvas", () => {
  it("gives a stroke the same pixels while it is drawn, when it is done, and when it is read again", () => {
    const editor = newEditor();
    editor.brush.value = { ...editor.brush.value, size: 0.11, hardness: 0.4, opacity: 0.7, pressure_opacity: true };
    editor.beginStroke({ x: 5, y: 6 }, 0.3, 0);
    for (const [x, y, pressure] of [[20, 30, 0.5], [40, 12, 0.9], [58, 40, 0.4]] as const) editor.addPoint({ x, y }, pressure, 1);
    editor.endStroke();
    const done = bytes(editor);
    expect(done).not.toBe(bytes(newEditor()));
    expect(bytes(reopened(editor))).toBe(done);
  });

  it("undoes and redoes everything, also after it was stored and opened again", () => {
    const editor = newEditor();
    const steps: string[] = [bytes(editor)];
    const act = (work: () => void): void => {
      work();
      steps.push(bytes(editor));
    };
    act(() => editor.addLayer("paint"));
    act(() => stroke(editor, [[4, 4], [30, 30]]));
    act(() => editor.selectBox({ left: 10, top: 10, right: 30, bottom: 30 }, "replace"));
    act(() => void editor.clearSelection());
    act(() => void editor.fillSelection());
    act(() => editor.select(null));
    act(() => editor.addLayer("blockout"));
    act(() => void editor.fillAt({ x: 60, y: 2 }));
    act(() => editor.shiftActive(-1));
    act(() => editor.change(editor.state.value.active!, { opacity: 0.4 }));
    act(() => editor.removeActive());

    const again = reopened(editor);
    expect(bytes(again)).toBe(steps[steps.length - 1]);
    for (let i = steps.length - 2; i >= 0; i -= 1) {
      again.undo();
      expect(bytes(again), `after undoing step ${i + 1}`).toBe(steps[i]);
    }
    expect(again.canUndo.value).toBe(false);
    // Undone steps are stored too.
    const third = reopened(again);
    for (const [i, wanted] of steps.entries()) {
      if (i > 0) third.redo();
      expect(bytes(third), `after redoing step ${i}`).toBe(wanted);
    }
    expect(third.canRedo.value).toBe(false);
  });

  it("counts one drag of a slider as one step", () => {
    const editor = newEditor();
    const layer = editor.addLayer("mask");
    for (let grow = 9; grow < 40; grow += 1) editor.change(layer.id, { grow }, "drag");
    editor.undo();
    expect(editor.state.value.layers[0]!.grow).toBe(8);
  });

  it("folds the oldest steps and keeps the picture", () => {
    const editor = newEditor();
    editor.addLayer("paint");
    for (let i = 0; i < kMostEdits + 20; i += 1) stroke(editor, [[i % 60, (i * 7) % 40], [(i * 3) % 60, 20]]);
    expect(editor.toDocument().edits).toHaveLength(kMostEdits);
    expect(bytes(reopened(editor))).toBe(bytes(editor));
  });

  it("paints only inside the selection, and keeps that when the selection goes", () => {
    const editor = newEditor();
    editor.addLayer("paint");
    editor.selectBox({ left: 0, top: 0, right: 32, bottom: 48 }, "replace");
    editor.brush.value = { ...editor.brush.value, size: 0.2 };
    stroke(editor, [[4, 20], [60, 20]]);
    editor.select(null);
    const alpha = (x: number): number => editor.flatten().data[(20 * 64 + x) * 4 + 3]!;
    expect(alpha(20)).toBe(255);
    expect(alpha(31)).toBe(255);
    expect(alpha(32)).toBe(0);
    expect(bytes(reopened(editor))).toBe(bytes(editor));
  });

  it("refuses locked and hidden layers, and gives an empty canvas its first", () => {
    const editor = newEditor();
    expect(editor.beginStroke({ x: 1, y: 1 }, 1, 0)).toBeNull();
    editor.endStroke();
    const id = editor.state.value.active!;
    editor.change(id, { locked: true });
    expect(editor.beginStroke({ x: 1, y: 1 }, 1, 0)).toBe("locked");
    editor.change(id, { locked: false, visible: false });
    expect(editor.fillSelection()).toBe("hidden");
  });

  it("repaints the selection before the mask, and a mask as it was grown", () => {
    const editor = newEditor();
    expect(editor.repaintTarget()).toBeNull();
    editor.selectBox({ left: 20, top: 20, right: 30, bottom: 30 }, "replace");
    editor.selectionToMask();
    const mask = editor.state.value.layers[0]!;
    expect(mask.kind).toBe("mask");
    editor.change(mask.id, { grow: 3, feather: 2 });
    const target = editor.repaintTarget()!;
    expect(target.from).toBe("mask");
    expect(target.feather).toBe(2);
    expect(target.area.left).toBe(17);
    expect(target.area.width).toBe(16);
    editor.selectBox({ left: 0, top: 0, right: 8, bottom: 8 }, "replace");
    expect(editor.repaintTarget()!.from).toBe("selection");
    expect(countOf(editor.repaintTarget()!.area)).toBe(64);
  });

  it("keeps masks and regions out of the picture", () => {
    const editor = newEditor();
    const empty = bytes(editor);
    editor.addLayer("mask");
    editor.fillSelection();
    editor.addLayer("region");
    editor.fillSelection();
    expect(bytes(editor)).toBe(empty);
  });

  it("erases paint and leaves what is under it", () => {
    const editor = newEditor();
    editor.addLayer("paint");
    editor.fillSelection();
    editor.tool.value = "eraser";
    editor.eraser.value = { ...editor.eraser.value, size: 0.2, hardness: 1 };
    stroke(editor, [[32, 24]]);
    const { data } = editor.flatten();
    expect(data[(24 * 64 + 32) * 4 + 3]).toBe(0);
    expect(data[3]).toBe(255);
  });

  it("picks the colour that is seen", () => {
    const editor = newEditor();
    editor.setColor("#102030");
    editor.addLayer("paint");
    editor.fillSelection();
    editor.setColor("#ffffff");
    expect(editor.pick({ x: 3.2, y: 4.9 })).toBe(true);
    expect(editor.desk.value.color).toBe("#102030");
    expect(editor.pick({ x: -1, y: 3 })).toBe(false);
  });
});

describe("stored canvases", () => {
  it("open with what can be read of them", () => {
    expect(History.fromDocument(null)).toBeNull();
    expect(History.fromDocument({ schema: "maquette.canvas", version: 99, start: newState(kSize, null) })).toBeNull();
    const damaged = {
      schema: "maquette.canvas",
      version: 1,
      start: { ...newState(kSize, null), layers: [{ id: "a", kind: "paint", opacity: 7, marks: [{ kind: "stroke" }, 5] }, { kind: "nonsense" }], selection: "gone" },
      edits: [{ kind: "mark", layer: "a", mark: { id: "m", kind: "stroke", points: [[0.5, 0.5]], color: "red" } }, { kind: "explode" }, null],
      done: 77,
    };
    const { history } = History.fromDocument(damaged)!;
    expect(history.state.layers).toHaveLength(1);
    expect(history.state.layers[0]!.opacity).toBe(1);
    expect(history.state.layers[0]!.marks).toHaveLength(1);
    expect(history.state.selection).toBeNull();
  });
});
