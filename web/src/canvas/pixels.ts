// Pictures in memory and how one lies over another, level by level the same on every machine.
//
// Colours are not premultiplied, 8 bits a channel. Over (Porter and Duff, 1984):
//   alpha = a + b (1 - a)        colour = (a ca + b (1 - a) cb) / alpha
import type { Box, Size } from "./geometry";

/** RGBA [height * width * 4]. */
export interface Pixels extends Size {
  data: Uint8ClampedArray;
}

export function newPixels(size: Size): Pixels {
  return { width: size.width, height: size.height, data: new Uint8ClampedArray(size.width * size.height * 4) };
}

/** Lays a colour with `alpha` (0..1) over the pixel at `i` of `below`, into `out`. */
export function over(out: Uint8ClampedArray, o: number, below: Uint8ClampedArray, i: number, r: number, g: number, b: number, alpha: number): void {
  const under = (below[i + 3]! / 255) * (1 - alpha);
  const sum = alpha + under;
  if (sum <= 0) {
    out[o] = out[o + 1] = out[o + 2] = out[o + 3] = 0;
    return;
  }
  out[o] = Math.round((r * alpha + below[i]! * under) / sum);
  out[o + 1] = Math.round((g * alpha + below[i + 1]! * under) / sum);
  out[o + 2] = Math.round((b * alpha + below[i + 2]! * under) / sum);
  out[o + 3] = Math.round(sum * 255);
}

/** A copy of the box's pixels. */
export function cropped(pixels: Pixels, box: Box): Pixels {
  const result = newPixels({ width: box.right - box.left, height: box.bottom - box.top });
  for (let y = 0; y < result.height; y += 1) {
    const from = ((box.top + y) * pixels.width + box.left) * 4;
    result.data.set(pixels.data.subarray(from, from + result.width * 4), y * result.width * 4);
  }
  return result;
}

/** Puts pixels back where they were cropped. */
export function pasted(pixels: Pixels, part: Pixels, left: number, top: number): void {
  for (let y = 0; y < part.height; y += 1) {
    const row = part.data.subarray(y * part.width * 4, (y + 1) * part.width * 4);
    pixels.data.set(row, ((top + y) * pixels.width + left) * 4);
  }
}

export interface Sheet {
  pixels: Pixels;
  opacity: number;
}

/** Layers over each other, the lowest first; what lies below all of them is transparent, or `paper`. */
export function flattened(size: Size, sheets: readonly Sheet[], paper: Pixels | null = null): Pixels {
  const result = newPixels(size);
  if (paper) result.data.set(paper.data);
  for (const { pixels, opacity } of sheets) {
    for (let i = 0; i < result.data.length; i += 4) {
      const alpha = (pixels.data[i + 3]! / 255) * opacity;
      if (alpha > 0) over(result.data, i, result.data, i, pixels.data[i]!, pixels.data[i + 1]!, pixels.data[i + 2]!, alpha);
    }
  }
  return result;
}
