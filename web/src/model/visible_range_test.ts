import { describe, expect, it } from "vitest";
import { visibleRange } from "./visible_range";

describe("visibleRange", () => {
  it("draws a screenful out of 100,000 rows, wherever it is", () => {
    for (const top of [0, 33, 3_300_000, 6_599_000]) {
      const { first, last, from, to } = visibleRange(top, 660, 66, 100_000);
      expect(first * 66).toBeLessThanOrEqual(top);
      expect((last + 1) * 66).toBeGreaterThanOrEqual(Math.min(top + 660, 6_600_000));
      expect(to - from).toBeLessThan(22);
    }
  });
  it("is empty for an empty list and stays inside a list that became shorter", () => {
    expect(visibleRange(0, 660, 66, 0)).toMatchObject({ last: -1, to: -1 });
    expect(visibleRange(5000, 660, 66, 3)).toMatchObject({ first: 2, last: 2, to: 2 });
  });
});
