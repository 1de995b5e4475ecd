// A texture repeated: which copies are seen, and what its seams measure.
import type { Size, Viewport } from "../canvas/geometry";

/** GET /takes/{take}/seam: one number an axis, or everything the program measures. */
export type AxisSeam = number | { ratio: number; wrap?: number; typical?: number; beside?: number; rank?: number };
export interface Seam {
  x: AxisSeam | null;
  y: AxisSeam | null;
}

/** Above this a seam is seen: pictures made to repeat stay below about 1.5, others have 2.5 and more. */
export const kSeamGood = 1.5;
export const kSeamBad = 2.5;

export function ratioOf(seam: AxisSeam | null | undefined): number | null {
  if (seam === null || seam === undefined) return null;
  return typeof seam === "number" ? seam : seam.ratio;
}

export type SeamGrade = "good" | "doubtful" | "bad";

export function gradeOf(ratio: number): SeamGrade {
  if (ratio <= kSeamGood) return "good";
  return ratio < kSeamBad ? "doubtful" : "bad";
}

/** Corners of all copies, in pixels, that touch `copies` x `copies` tiles when each starts at the offset. */
export function tileCorners(tile: Size, copies: number, offset: { x: number; y: number }): { x: number; y: number }[] {
  const corners: { x: number; y: number }[] = [];
  const extraX = offset.x > 0 ? 1 : 0;
  const extraY = offset.y > 0 ? 1 : 0;
  for (let row = -extraY; row < copies; row += 1) {
    for (let column = -extraX; column < copies; column += 1) {
      corners.push({ x: column * tile.width + offset.x, y: row * tile.height + offset.y });
    }
  }
  return corners;
}

/** Where the tiles meet, as lines on the screen [x1, y1, x2, y2]. */
export function seamLines(tile: Size, copies: number, offset: { x: number; y: number }, view: Viewport): number[][] {
  const width = tile.width * copies;
  const height = tile.height * copies;
  const lines: number[][] = [];
  const x = (at: number): number => Math.round(at * view.scale + view.x) + 0.5;
  const y = (at: number): number => Math.round(at * view.scale + view.y) + 0.5;
  for (let at = offset.x; at < width; at += tile.width) if (at > 0) lines.push([x(at), y(0), x(at), y(height)]);
  for (let at = offset.y; at < height; at += tile.height) if (at > 0) lines.push([x(0), y(at), x(width), y(at)]);
  return lines;
}
