import { describe, expect, it } from "vitest";
import { bakeHeavyLayers, isHeavy } from "./baking";
import { newState } from "./document";
import { Editor } from "./editor";
import { History, kMostWeight } from "./history";
import { maskGround } from "./pictures";
import { readPng } from "./png_reader";

const kSize = { width: 40, height: 30 };

/** The show's files, by a name that stands for their hash. */
class Files {
  readonly held = new Map<string, Blob>();
  store = async (file: Blob): Promise<string> => {
    const name = String(this.held.size + 1).padStart(64, "0");
    this.held.set(name, file);
    return name;
  };
}

function scrawl(editor: Editor, strokes: number, points: number): void {
  for (let n = 0; n < strokes; n += 1) {
    editor.beginStroke({ x: n % 40, y: 2 }, 0.5, 0);
    for (let i = 0; i < points; i += 1) editor.addPoint({ x: (i * 7 + n) % 40, y: (i * 3 + n * 5) % 30 }, (i % 10) / 10, i);
    editor.endStroke();
  }
}

const seen = (editor: Editor): string => Buffer.from(editor.flatten().data).toString("base64");

async function reopened(editor: Editor, files: Files): Promise<Editor> {
  const { history, desk } = History.fromDocument(JSON.parse(JSON.stringify(editor.toDocument())))!;
  const again = new Editor(history, desk);
  for (const layer of again.layersWithPictures()) {
    const pixels = (await readPng(new Uint8Array(await files.held.get(layer.picture!)!.arrayBuffer())))!;
    again.setGround(layer, layer.kind === "mask" ? maskGround(pixels, { r: 255, g: 45, b: 45 }) : pixels);
  }
  return again;
}

// Hundreds of long strokes take their time.
const kPatience = { timeout: 30_000 };

describe("a canvas that was painted on for long", kPatience, () => {
  it("stays below what the server takes, and looks the same when it is opened again", async () => {
    const editor = new Editor(new History(newState(kSize, null)));
    const files = new Files();
    editor.brush.value = { ...editor.brush.value, size: 0.1, hardness: 0.2, opacity: 0.4, pressure_opacity: true };
    editor.addLayer("paint");
    scrawl(editor, 320, 400);
    editor.addLayer("mask");
    scrawl(editor, 40, 40);
    expect(editor.oldestLayers().some(isHeavy)).toBe(true);
    const before = seen(editor);
    await bakeHeavyLayers(editor, files.store);
    expect(editor.oldestLayers().some(isHeavy)).toBe(false);
    expect(seen(editor)).toBe(before);
    expect(JSON.stringify(editor.toDocument()).length).toBeLessThan(2 * kMostWeight);
    const again = await reopened(editor, files);
    expect(seen(again)).toBe(before);
    // What can be undone can be undone, over the pixels of the file.
    for (let n = 0; n < 60; n += 1) {
      editor.undo();
      again.undo();
    }
    expect(seen(again)).toBe(seen(editor));
    expect(seen(again)).not.toBe(before);
    // No stroke is lost: the old ones are in their file.
    const strokes = JSON.parse(await files.held.get(editor.oldestLayers()[0]!.strokes[0]!)!.text()) as { marks: unknown[] };
    expect(strokes.marks.length).toBeGreaterThan(20);
  });

  it("keeps what is painted while a file is on its way", async () => {
    const editor = new Editor(new History(newState(kSize, null)));
    const files = new Files();
    editor.addLayer("paint");
    scrawl(editor, 320, 400);
    await bakeHeavyLayers(editor, async (file) => {
      scrawl(editor, 2, 20);
      return files.store(file);
    });
    const plain = seen(editor);
    expect(seen(await reopened(editor, files))).toBe(plain);
  });
});
