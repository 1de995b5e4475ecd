// Sets of pixels: selections, fills, masks. Made from rectangles, lassos and floods; joined, grown and feathered;
// written as run lengths, so that a rectangle costs a few bytes.
import { clipped, type Box, type Size, type Spot } from "./geometry";
import { squaredDistances } from "./distance";

/** bits[(y - top) * width + (x - left)] is 1 where the pixel belongs to the area; outside the box nothing does. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
  bits: Uint8Array;
}

/** As it is kept in documents: run lengths (off first, row by row) as base-128 numbers in base64. */
export interface EncodedArea {
  left: number;
  top: number;
  width: number;
  height: number;
  runs: string;
}

export type AreaOperation = "replace" | "add" | "subtract" | "intersect";

export const kNothing: Area = { left: 0, top: 0, width: 0, height: 0, bits: new Uint8Array(0) };

export function isEmpty(area: Area): boolean {
  return area.width === 0 || area.height === 0 || !area.bits.includes(1);
}

export function boxOfArea(area: Area): Box {
  return { left: area.left, top: area.top, right: area.left + area.width, bottom: area.top + area.height };
}

export function contains(area: Area, x: number, y: number): boolean {
  const column = x - area.left;
  const row = y - area.top;
  if (column < 0 || row < 0 || column >= area.width || row >= area.height) return false;
  return area.bits[row * area.width + column] === 1;
}

export function countOf(area: Area): number {
  let count = 0;
  for (const bit of area.bits) count += bit;
  return count;
}

function blank(box: Box): Area {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  return { left: box.left, top: box.top, width, height, bits: new Uint8Array(width * height) };
}

export function rectangleArea(box: Box, size: Size): Area {
  const whole = { left: Math.round(box.left), top: Math.round(box.top), right: Math.round(box.right), bottom: Math.round(box.bottom) };
  const inside = clipped(whole, size);
  if (!inside) return kNothing;
  const area = blank(inside);
  area.bits.fill(1);
  return area;
}

/** The inside of a closed line (even-odd rule): pixels whose centre lies in it. */
export function polygonArea(points: readonly Spot[], size: Size): Area {
  if (points.length < 3) return kNothing;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const extent = { left: min(xs), top: min(ys), right: max(xs), bottom: max(ys) };
  const inside = clipped(extent, size);
  if (!inside) return kNothing;
  const area = blank(inside);
  for (let row = 0; row < area.height; row += 1) {
    // Where the line crosses the middle of this row, from left to right.
    const y = area.top + row + 0.5;
    const crossings: number[] = [];
    for (let i = 0; i < points.length; i += 1) {
      const a = points[i]!;
      const b = points[(i + 1) % points.length]!;
      if (a.y <= y === b.y <= y) continue;
      crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
    }
    crossings.sort((a, b) => a - b);
    // Between an odd and an even crossing lies the inside.
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]! - 0.5) - area.left);
      const to = Math.min(area.width, Math.ceil(crossings[i + 1]! - 0.5) - area.left);
      if (to > from) area.bits.fill(1, row * area.width + from, row * area.width + to);
    }
  }
  return tightened(area);
}

function min(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function max(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

/** The same pixels in the smallest box. */
export function tightened(area: Area): Area {
  let left = area.width;
  let right = 0;
  let top = area.height;
  let bottom = 0;
  for (let y = 0; y < area.height; y += 1) {
    for (let x = 0; x < area.width; x += 1) {
      if (area.bits[y * area.width + x] === 0) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      bottom = y + 1;
    }
  }
  if (right === 0) return kNothing;
  if (left === 0 && top === 0 && right === area.width && bottom === area.height) return area;
  return moved(area, { left: area.left + left, top: area.top + top, right: area.left + right, bottom: area.top + bottom });
}

/** The area's pixels inside another box. */
function moved(area: Area, box: Box): Area {
  const result = blank(box);
  for (let row = 0; row < result.height; row += 1) {
    for (let column = 0; column < result.width; column += 1) {
      if (contains(area, box.left + column, box.top + row)) result.bits[row * result.width + column] = 1;
    }
  }
  return result;
}

export function combined(a: Area, b: Area, operation: AreaOperation): Area {
  if (operation === "replace") return b;
  if (operation === "subtract" || operation === "intersect") {
    if (isEmpty(a)) return kNothing;
    const result: Area = { ...a, bits: new Uint8Array(a.bits) };
    const kept = operation === "intersect";
    for (let i = 0; i < result.bits.length; i += 1) {
      const x = a.left + (i % a.width);
      const y = a.top + Math.floor(i / a.width);
      if (contains(b, x, y) !== kept) result.bits[i] = 0;
    }
    return tightened(result);
  }
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const box = {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.left + a.width, b.left + b.width),
    bottom: Math.max(a.top + a.height, b.top + b.height),
  };
  const result = moved(a, box);
  const other = moved(b, box);
  for (let i = 0; i < result.bits.length; i += 1) if (other.bits[i]) result.bits[i] = 1;
  return result;
}

export function inverted(area: Area, size: Size): Area {
  return combined(rectangleArea({ left: 0, top: 0, right: size.width, bottom: size.height }, size), area, "subtract");
}

/** Pixels within `radius` of the area (a disc), as the engine grows masks; below 0 it shrinks. */
export function grown(area: Area, radius: number, size: Size): Area {
  if (radius === 0 || isEmpty(area)) return area;
  const out = Math.max(0, Math.ceil(radius)) + 1;
  const box = clipped(
    { left: area.left - out, top: area.top - out, right: area.left + area.width + out, bottom: area.top + area.height + out },
    size,
  );
  if (!box) return kNothing;
  const wide = moved(area, box);
  const limit = radius * radius;
  if (radius > 0) {
    const distances = squaredDistances(wide.bits, wide.width, wide.height, 1);
    for (let i = 0; i < wide.bits.length; i += 1) wide.bits[i] = distances[i]! <= limit ? 1 : 0;
  } else {
    const distances = squaredDistances(wide.bits, wide.width, wide.height, 0);
    for (let i = 0; i < wide.bits.length; i += 1) wide.bits[i] = distances[i]! > limit ? 1 : 0;
  }
  return tightened(wide);
}

/** How strongly each pixel of the box is repainted, 0..255: a ramp of `radius` pixels on the inner side of the edge,
    so that nothing outside the area is ever touched. */
export function feathered(area: Area, radius: number, size: Size): Uint8Array {
  const result = new Uint8Array(area.bits.length);
  if (radius <= 0) {
    for (let i = 0; i < result.length; i += 1) result[i] = area.bits[i] ? 255 : 0;
    return result;
  }
  // One row of outside around the box, except where the canvas ends: there is no edge to soften.
  const box = clipped({ left: area.left - 1, top: area.top - 1, right: area.left + area.width + 1, bottom: area.top + area.height + 1 }, size);
  if (!box) return result;
  const wide = moved(area, box);
  const distances = squaredDistances(wide.bits, wide.width, wide.height, 0);
  for (let y = 0; y < area.height; y += 1) {
    for (let x = 0; x < area.width; x += 1) {
      const inWide = (y + area.top - box.top) * wide.width + (x + area.left - box.left);
      const t = Math.min(1, Math.sqrt(distances[inWide]!) / (radius + 1));
      result[y * area.width + x] = Math.round(255 * t * t * (3 - 2 * t));
    }
  }
  return result;
}

/** The border between inside and outside as straight pieces [x1, y1, x2, y2] along the edges of pixels. */
export function outline(area: Area): number[][] {
  const lines: number[][] = [];
  const at = (x: number, y: number): boolean => contains(area, x, y);
  const { left, top } = area;
  const right = left + area.width;
  const bottom = top + area.height;
  for (let y = top; y <= bottom; y += 1) {
    let from = -1;
    for (let x = left; x <= right; x += 1) {
      const edge = x < right && at(x, y - 1) !== at(x, y);
      if (edge && from < 0) from = x;
      if (!edge && from >= 0) {
        lines.push([from, y, x, y]);
        from = -1;
      }
    }
  }
  for (let x = left; x <= right; x += 1) {
    let from = -1;
    for (let y = top; y <= bottom; y += 1) {
      const edge = y < bottom && at(x - 1, y) !== at(x, y);
      if (edge && from < 0) from = y;
      if (!edge && from >= 0) {
        lines.push([x, from, x, y]);
        from = -1;
      }
    }
  }
  return lines;
}

export function encodeArea(area: Area): EncodedArea {
  const bytes: number[] = [];
  const write = (length: number): void => {
    let rest = length;
    while (rest >= 128) {
      bytes.push((rest & 127) | 128);
      rest >>>= 7;
    }
    bytes.push(rest);
  };
  let value = 0;
  let length = 0;
  for (const bit of area.bits) {
    if (bit === value) {
      length += 1;
      continue;
    }
    write(length);
    value = bit;
    length = 1;
  }
  write(length);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { left: area.left, top: area.top, width: area.width, height: area.height, runs: btoa(text) };
}

/** Run lengths from a document are not trusted: what leaves the box is cut off. */
export function decodeArea(code: EncodedArea): Area {
  const area: Area = { left: code.left, top: code.top, width: code.width, height: code.height, bits: new Uint8Array(code.width * code.height) };
  const text = atob(code.runs);
  let at = 0;
  let value = 0;
  let length = 0;
  let shift = 0;
  for (let i = 0; i < text.length; i += 1) {
    const byte = text.charCodeAt(i);
    length += (byte & 127) * 2 ** shift;
    if (byte & 128) {
      shift += 7;
      continue;
    }
    if (value === 1) area.bits.fill(1, at, Math.min(area.bits.length, at + length));
    at += length;
    if (at >= area.bits.length) break;
    value = 1 - value;
    length = 0;
    shift = 0;
  }
  return area;
}
