import { describe, expect, it } from "vitest";
import { boxOfArea, combined, contains, countOf, decodeArea, encodeArea, feathered, grown, inverted, isEmpty, outline, polygonArea, rectangleArea } from "./area";
import { squaredDistances } from "./distance";
import { floodArea } from "./fill";

const kSize = { width: 20, height: 16 };
const box = (left: number, top: number, right: number, bottom: number) => rectangleArea({ left, top, right, bottom }, kSize);

describe("areas", () => {
  it("end at the canvas", () => {
    expect(boxOfArea(box(-5, 10, 8, 99))).toEqual({ left: 0, top: 10, right: 8, bottom: 16 });
    expect(isEmpty(box(30, 0, 40, 5))).toBe(true);
  });

  it("of a polygon hold the pixels whose centre lies inside, even-odd", () => {
    const square = polygonArea([{ x: 2, y: 2 }, { x: 6, y: 2 }, { x: 6, y: 6 }, { x: 2, y: 6 }], kSize);
    expect(countOf(square)).toBe(16);
    // A line that goes round twice leaves its middle out.
    const twice = [{ x: 2, y: 2 }, { x: 12, y: 2 }, { x: 12, y: 12 }, { x: 2, y: 12 }, { x: 2, y: 2 }, { x: 5, y: 5 }, { x: 9, y: 5 }, { x: 9, y: 9 }, { x: 5, y: 9 }, { x: 5, y: 5 }];
    expect(contains(polygonArea(twice, kSize), 7, 7)).toBe(false);
    expect(contains(polygonArea(twice, kSize), 3, 3)).toBe(true);
  });

  it("are joined, cut and inverted like sets", () => {
    const a = box(0, 0, 10, 10);
    const b = box(5, 5, 15, 15);
    expect(countOf(combined(a, b, "add"))).toBe(175);
    expect(countOf(combined(a, b, "subtract"))).toBe(75);
    expect(countOf(combined(a, b, "intersect"))).toBe(25);
    expect(countOf(inverted(a, kSize))).toBe(320 - 100);
    expect(combined(a, a, "subtract").width).toBe(0);
  });

  it("come back from their run lengths, whatever their shape", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 50; round += 1) {
      const points = Array.from({ length: 7 }, () => ({ x: random() * 24 - 2, y: random() * 20 - 2 }));
      const area = polygonArea(points, kSize);
      expect(decodeArea(encodeArea(area))).toEqual(area);
    }
    // 300 x 200 of one kind takes three bytes of runs and not 60,000.
    expect(encodeArea(rectangleArea({ left: 0, top: 0, right: 300, bottom: 200 }, { width: 400, height: 400 })).runs.length).toBeLessThan(9);
  });

  it("ignore run lengths that leave their box", () => {
    const runs = btoa(String.fromCharCode(0, 255, 255, 127));
    expect(countOf(decodeArea({ left: 0, top: 0, width: 3, height: 3, runs }))).toBe(9);
  });

  it("grow by a disc and shrink again", () => {
    const dot = box(8, 8, 9, 9);
    const disc = grown(dot, 3, kSize);
    expect(countOf(disc)).toBe(29); // pixels of x² + y² <= 9
    expect(contains(disc, 11, 8)).toBe(true);
    expect(contains(disc, 11, 9)).toBe(false);
    expect(countOf(grown(box(2, 2, 12, 12), -2, kSize))).toBe(36);
  });

  it("are feathered on the inner side only, and not where the canvas ends", () => {
    const area = box(0, 4, 12, 12);
    const strength = feathered(area, 3, kSize);
    const at = (x: number, y: number): number => strength[(y - area.top) * area.width + x - area.left]!;
    expect(at(11, 8)).toBeGreaterThan(0);
    expect(at(11, 8)).toBeLessThan(at(10, 8));
    expect(at(6, 8)).toBe(255);
    expect(at(0, 8)).toBe(255);
  });

  it("have an outline along the edges of pixels", () => {
    const lines = outline(box(3, 4, 7, 6));
    expect(lines).toHaveLength(4);
    expect(lines).toContainEqual([3, 4, 7, 4]);
    expect(lines).toContainEqual([7, 4, 7, 6]);
  });
});

describe("distances", () => {
  it("are those of a search over all pixels", () => {
    const bits = new Uint8Array(9 * 7);
    for (const i of [3, 17, 44, 60]) bits[i] = 1;
    const found = squaredDistances(bits, 9, 7, 1);
    for (let i = 0; i < bits.length; i += 1) {
      let nearest = Infinity;
      for (let j = 0; j < bits.length; j += 1) {
        if (bits[j]) nearest = Math.min(nearest, ((i % 9) - (j % 9)) ** 2 + (Math.floor(i / 9) - Math.floor(j / 9)) ** 2);
      }
      expect(found[i]).toBe(nearest);
    }
  });
});

describe("fill", () => {
  const size = { width: 8, height: 6 };
  const picture = (): Uint8ClampedArray => {
    const data = new Uint8ClampedArray(size.width * size.height * 4).fill(255);
    // A dark wall down the column 3 with a slightly lighter gap.
    for (let y = 0; y < 6; y += 1) data.fill(y === 5 ? 40 : 0, (y * 8 + 3) * 4, (y * 8 + 3) * 4 + 3);
    return data;
  };

  it("stops at walls", () => {
    expect(countOf(floodArea(picture(), size, 0, 0, { tolerance: 10, contiguous: true }))).toBe(18);
  });
  it("reaches beyond them when pixels need not touch", () => {
    expect(countOf(floodArea(picture(), size, 0, 0, { tolerance: 10, contiguous: false }))).toBe(42);
  });
  it("takes what is within the tolerance", () => {
    expect(countOf(floodArea(picture(), size, 3, 0, { tolerance: 30, contiguous: true }))).toBe(5);
    expect(countOf(floodArea(picture(), size, 3, 0, { tolerance: 40, contiguous: true }))).toBe(6);
  });
  it("outside the canvas fills nothing", () => {
    expect(isEmpty(floodArea(picture(), size, -1, 2, { tolerance: 0, contiguous: true }))).toBe(true);
  });
});
