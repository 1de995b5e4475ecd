// PNG files of this page (png.ts) read level by level. The browser's own decoder multiplies colours with alpha on the
// way, and so loses levels where a layer is nearly transparent.
import type { Pixels } from "./pixels";

/** Colour type -> channels. */
const kChannels: Record<number, number> = { 0: 1, 2: 3, 6: 4 };

async function inflate(data: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([data as BlobPart]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Null where it is no PNG of this kind (8 bits, grey, RGB or RGBA, filters none, sub and up): others decode it. */
export async function readPng(file: Uint8Array): Promise<Pixels | null> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let width = 0;
  let height = 0;
  let channels = 0;
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (at + 12 + length > file.length) return null;
    if (name === "IHDR") {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
      const [depth, type, , , interlaced] = file.subarray(at + 16, at + 21);
      if (depth !== 8 || interlaced !== 0) return null;
      channels = kChannels[type!] ?? 0;
    } else if (name === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    else if (name === "tRNS" || name === "PLTE") return null;
    at += 12 + length;
  }
  if (channels === 0 || width === 0 || height === 0) return null;
  const rows = await inflate(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
  const stride = width * channels;
  if (rows.length !== (stride + 1) * height) return null;
  return unfiltered(rows, width, height, channels);
}

function unfiltered(rows: Uint8Array, width: number, height: number, channels: number): Pixels | null {
  const stride = width * channels;
  const data = new Uint8ClampedArray(width * height * 4);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    const filter = rows[start]!;
    if (filter > 2) return null;
    const row = rows.slice(start + 1, start + 1 + stride);
    if (filter === 1) for (let i = channels; i < stride; i += 1) row[i] = (row[i]! + row[i - channels]!) & 255;
    if (filter === 2) for (let i = 0; i < stride; i += 1) row[i] = (row[i]! + above[i]!) & 255;
    for (let x = 0; x < width; x += 1) {
      const from = x * channels;
      const to = (y * width + x) * 4;
      data[to] = row[from]!;
      data[to + 1] = row[channels === 1 ? from : from + 1]!;
      data[to + 2] = row[channels === 1 ? from : from + 2]!;
      data[to + 3] = channels === 4 ? row[from + 3]! : 255;
    }
    above = row;
  }
  return { width, height, data };
}
