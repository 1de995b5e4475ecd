// Flood fill: the pixels of nearly one colour around a point, or everywhere.
//
// Rows are filled at once and their neighbours above and below put on a stack (span filling, as in Heckbert, "A seed
// fill algorithm", Graphics Gems, 1990).
import { tightened, type Area } from "./area";
import type { Size } from "./geometry";

export interface FillOptions {
  /** Largest difference of a channel, in levels 0..255. */
  tolerance: number;
  contiguous: boolean;
}

/** `data` is RGBA [height * width * 4]; two fully transparent pixels are alike whatever their colour. */
export function floodArea(data: Uint8ClampedArray, size: Size, x: number, y: number, options: FillOptions): Area {
  const { width, height } = size;
  const area: Area = { left: 0, top: 0, width, height, bits: new Uint8Array(width * height) };
  if (x < 0 || y < 0 || x >= width || y >= height) return tightened(area);
  const seed = (y * width + x) * 4;
  const wanted = [data[seed]!, data[seed + 1]!, data[seed + 2]!, data[seed + 3]!] as const;
  const tolerance = options.tolerance;
  const alike = (pixel: number): boolean => {
    const i = pixel * 4;
    const alpha = data[i + 3]!;
    if (Math.abs(alpha - wanted[3]) > tolerance) return false;
    if (alpha === 0 && wanted[3] === 0) return true;
    return (
      Math.abs(data[i]! - wanted[0]) <= tolerance &&
      Math.abs(data[i + 1]! - wanted[1]) <= tolerance &&
      Math.abs(data[i + 2]! - wanted[2]) <= tolerance
    );
  };
  if (!options.contiguous) {
    for (let i = 0; i < area.bits.length; i += 1) if (alike(i)) area.bits[i] = 1;
    return tightened(area);
  }
  const stack: number[] = [y * width + x];
  while (stack.length > 0) {
    const start = stack.pop()!;
    if (area.bits[start]) continue;
    const row = Math.floor(start / width) * width;
    // The whole run of alike pixels around the start.
    let from = start;
    while (from > row && !area.bits[from - 1] && alike(from - 1)) from -= 1;
    let to = start;
    while (to + 1 < row + width && !area.bits[to + 1] && alike(to + 1)) to += 1;
    area.bits.fill(1, from, to + 1);
    // One seed for each run of the rows above and below.
    for (const next of [-width, width]) {
      if (from + next < 0 || from + next >= area.bits.length) continue;
      let inRun = false;
      for (let i = from + next; i <= to + next; i += 1) {
        const open = !area.bits[i] && alike(i);
        if (open && !inRun) stack.push(i);
        inRun = open;
      }
    }
  }
  return tightened(area);
}
