import { describe, expect, it } from "vitest";
import { gradeOf, ratioOf, seamLines, tileCorners } from "./model";

const kTile = { width: 100, height: 50 };

describe("textures", () => {
  it("are covered by copies, also when these are moved", () => {
    expect(tileCorners(kTile, 3, { x: 0, y: 0 })).toHaveLength(9);
    const moved = tileCorners(kTile, 3, { x: 50, y: 25 });
    for (const at of [{ x: 0, y: 0 }, { x: 299, y: 149 }, { x: 10, y: 140 }]) {
      expect(moved.some((corner) => at.x >= corner.x && at.x < corner.x + 100 && at.y >= corner.y && at.y < corner.y + 50)).toBe(true);
    }
  });
  it("show their seams where copies meet", () => {
    const view = { scale: 1, x: 0, y: 0 };
    expect(seamLines(kTile, 3, { x: 0, y: 0 }, view)).toHaveLength(4);
    expect(seamLines(kTile, 1, { x: 50, y: 25 }, view)).toEqual([[50.5, 0.5, 50.5, 50.5], [0.5, 25.5, 100.5, 25.5]]);
  });
  it("are graded by the server's measure, a number or all it measured", () => {
    expect(gradeOf(ratioOf(1.2)!)).toBe("good");
    expect(gradeOf(ratioOf({ ratio: 2 })!)).toBe("doubtful");
    expect(gradeOf(3)).toBe("bad");
    expect(ratioOf(null)).toBeNull();
  });
});
