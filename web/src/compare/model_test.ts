import { describe, expect, it } from "vitest";
import { columnsFor, differenceFigures, differencePixels, idsOf, kMostTakes, markedWords, modeOf, settingRows } from "./model";

const pixels = (levels: number[]) => ({ width: levels.length / 4, height: 1, data: new Uint8ClampedArray(levels) });

describe("differences of pictures", () => {
  const a = pixels([10, 20, 30, 255, 100, 100, 100, 255]);
  const b = pixels([13, 20, 20, 255, 100, 100, 100, 255]);

  it("are absolute, a channel at a time, times the gain", () => {
    expect([...differencePixels(a, b, 4, false).data]).toEqual([12, 0, 40, 255, 0, 0, 0, 255]);
    expect([...differencePixels(a, b, 64, false).data.slice(0, 3)]).toEqual([192, 0, 255]);
  });
  it("as brightness are grey", () => {
    const [r, g, bl] = differencePixels(a, b, 10, true).data;
    expect(r).toBe(g);
    expect(g).toBe(bl);
    expect(r).toBe(Math.round(Math.abs(0.2126 * -3 + 0.0722 * 10) * 10));
  });
  it("are counted", () => {
    expect(differenceFigures(a, b)).toEqual({ share: 0.5, largest: 10 });
    expect(differenceFigures(a, a)).toEqual({ share: 0, largest: 0 });
  });
});

describe("comparing", () => {
  it("reads its address", () => {
    expect(idsOf("a,b,,a,c")).toEqual(["a", "b", "c"]);
    expect(idsOf(Array.from({ length: 99 }, (_, i) => i).join())).toHaveLength(kMostTakes);
    expect(modeOf("wipe")).toBe("wipe");
    expect(modeOf("nonsense")).toBe("side");
  });
  it("shows pictures as large as the room allows", () => {
    const room = { width: 1200, height: 600 };
    expect(columnsFor(2, { width: 16, height: 9 }, room)).toBe(2);
    expect(columnsFor(2, { width: 21, height: 3 }, room)).toBe(1);
    expect(columnsFor(9, { width: 16, height: 9 }, { width: 1600, height: 900 })).toBe(3);
  });
  it("lists settings in the order in which people set them, and what differs", () => {
    const rows = settingRows([{ seed: 1, prompt: "a b", model: "m", extra: [1] }, { seed: 2, prompt: "a b", model: "m" }]);
    expect(rows.map((row) => row.name)).toEqual(["model", "prompt", "seed", "extra"]);
    expect(rows.filter((row) => row.differs).map((row) => row.name)).toEqual(["seed", "extra"]);
    expect(settingRows([null, { seed: 3 }])[0]!.values).toEqual(["–", "3"]);
  });
  it("marks the words that the other one has not", () => {
    expect(markedWords("red lantern, fog", "lantern, rain")).toEqual([
      { text: "red", differs: true },
      { text: " lantern, ", differs: false },
      { text: "fog", differs: true },
    ]);
  });
});
