import { describe, expect, it } from "vitest";
import { arrowHead, beginShape, extendShape, isNothing, kNoSketch, movedItem, pathData, redoShape, undoShape, withShape, type Pen } from "./drawing";

const kSize = { width: 2000, height: 1000 };
const pen = (kind: Pen["kind"]): Pen => ({ kind, color: "#ff0000", width: 0.005 });

describe("drawings", () => {
  it("are kept as shares of the picture, so that they fit it at every size", () => {
    const shape = extendShape(beginShape(pen("rect"), { x: 500, y: 250 }, 1, kSize), { x: 1000, y: 750 }, 0.5, kSize);
    expect(shape.points).toEqual([[0.25, 0.25, 1], [0.5, 0.75, 0.5]]);
  });
  it("may leave the picture, but not for ever", () => {
    const shape = extendShape(beginShape(pen("arrow"), { x: -400, y: 500 }, 1, kSize), { x: 99999, y: 500 }, 1, kSize);
    expect(shape.points[0]![0]).toBe(-0.2);
    expect(shape.points[1]![0]).toBe(1.5);
  });
  it("leave out points that say nothing", () => {
    let shape = beginShape(pen("path"), { x: 100, y: 100 }, 1, kSize);
    for (let i = 0; i < 50; i += 1) shape = extendShape(shape, { x: 100 + i * 0.1, y: 100 }, 1, kSize);
    expect(shape.points.length).toBeLessThan(8);
    expect(shape.points.length).toBeGreaterThan(2);
  });
  it("of nothing are not kept", () => {
    const click = beginShape(pen("ellipse"), { x: 3, y: 3 }, 1, kSize);
    expect(isNothing(click)).toBe(true);
    expect(isNothing(beginShape(pen("path"), { x: 3, y: 3 }, 1, kSize))).toBe(false);
    expect(isNothing({ ...beginShape(pen("text"), { x: 3, y: 3 }, 1, kSize), text: "  " })).toBe(true);
    expect(withShape(kNoSketch, click)).toBe(kNoSketch);
  });
  it("are undone and redone; a new shape forgets what was undone", () => {
    const [a, b, c] = [0, 1, 2].map((i) => extendShape(beginShape(pen("path"), { x: i * 100, y: 0 }, 1, kSize), { x: 900, y: 900 }, 1, kSize)) as [never, never, never];
    let sketch = withShape(withShape(kNoSketch, a), b);
    sketch = undoShape(sketch);
    expect(sketch.shapes).toEqual([a]);
    expect(redoShape(sketch).shapes).toEqual([a, b]);
    expect(redoShape(withShape(sketch, c)).shapes).toEqual([a, c]);
    expect(undoShape(kNoSketch)).toBe(kNoSketch);
  });
  it("become paths in pixels", () => {
    expect(pathData([[0, 0, 1], [0.5, 0.5, 1]], kSize)).toBe("M0 0L1000 500");
    expect(pathData([[0, 0, 1], [0.5, 0, 1], [1, 0, 1]], kSize)).toBe("M0 0Q1000 0 1500 0L2000 0");
    expect(pathData([[0.5, 0.5, 1]], kSize)).toBe("M1000 500h0.01");
  });
  it("have arrow heads at the end, never longer than the arrow", () => {
    const arrow = { ...beginShape(pen("arrow"), { x: 0, y: 0 }, 1, kSize), points: [[0, 0, 1], [0.01, 0, 1]] as [number, number, number][] };
    const [, x] = /^M([\d.]+)/.exec(arrowHead(arrow, kSize))!;
    expect(Number(x)).toBeGreaterThan(0);
    expect(Number(x)).toBeLessThan(20);
  });
});

describe("the order of a playlist", () => {
  it("moves one and keeps the others in order", () => {
    expect(movedItem(["a", "b", "c", "d"], 0, 2)).toEqual(["b", "c", "a", "d"]);
    expect(movedItem(["a", "b", "c"], 2, -5)).toEqual(["c", "a", "b"]);
  });
});
