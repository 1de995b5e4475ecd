import { describe, expect, it } from "vitest";
import { contrast, parseColor, textOn } from "./colors";

describe("textOn", () => {
  it("is readable on every colour that a status can have", () => {
    for (let r = 0; r < 256; r += 17) {
      for (let g = 0; g < 256; g += 17) {
        for (let b = 0; b < 256; b += 17) {
          const color = `#${[r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
          expect(contrast(parseColor(color)!, parseColor(textOn(color))!), color).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });
  it("gives the values of the definition", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 6);
    expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2);
  });
  it("knows no colours but #rrggbb", () => {
    expect(parseColor("red")).toBeNull();
    expect(parseColor("#22d160")).toEqual([34, 209, 96]);
  });
});
