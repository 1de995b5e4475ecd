import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { rectangleArea } from "./area";
import { newPixels } from "./pixels";
import { crc32, levelsToPng, maskToPng, pixelsToPng } from "./png";
import { readPng } from "./png_reader";

/** Reads back what the encoder writes: chunks with right sums, rows with the filters none, sub and up. */
async function decode(file: Blob): Promise<{ width: number; height: number; channels: number; samples: Uint8Array }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const chunks: Record<string, Uint8Array> = {};
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    expect(view.getUint32(at + 8 + length)).toBe(crc32(bytes.subarray(at + 4, at + 8 + length)));
    chunks[name] = bytes.slice(at + 8, at + 8 + length);
    at += 12 + length;
  }
  const head = new DataView(chunks.IHDR!.buffer);
  const [width, height] = [head.getUint32(0), head.getUint32(4)];
  const channels = { 0: 1, 2: 3, 6: 4 }[chunks.IHDR![9]!]!;
  const rows = inflateSync(chunks.IDAT!);
  const stride = width * channels;
  const samples = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = rows[y * (stride + 1)]!;
    for (let i = 0; i < stride; i += 1) {
      const left = i >= channels ? samples[y * stride + i - channels]! : 0;
      const up = y > 0 ? samples[(y - 1) * stride + i]! : 0;
      samples[y * stride + i] = rows[y * (stride + 1) + 1 + i]! + (filter === 1 ? left : filter === 2 ? up : 0);
    }
  }
  return { width, height, channels, samples };
}

describe("PNG files", () => {
  it("have the checksum of the specification", () => {
    expect(crc32(new TextEncoder().encode("IEND"))).toBe(0xae426082);
  });

  it("of a mask are grey: 255 is repainted", async () => {
    const size = { width: 9, height: 5 };
    const { channels, samples, width } = await decode(await maskToPng(rectangleArea({ left: 2, top: 1, right: 6, bottom: 4 }, size), size));
    expect([width, channels]).toEqual([9, 1]);
    expect(samples[1 * 9 + 2]).toBe(255);
    expect(samples.reduce((sum, value) => sum + (value === 255 ? 1 : 0), 0)).toBe(12);
  });

  it("keep every level of a picture, with alpha only where there is any", async () => {
    const pixels = newPixels({ width: 17, height: 11 });
    for (let i = 0; i < pixels.data.length; i += 1) pixels.data[i] = (i * 37 + (i >> 3)) & 255;
    const clear = await decode(await pixelsToPng(pixels));
    expect(clear.channels).toBe(4);
    expect([...clear.samples]).toEqual([...pixels.data]);
    for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
    const opaque = await decode(await pixelsToPng(pixels));
    expect(opaque.channels).toBe(3);
    expect(opaque.samples[3]).toBe(pixels.data[4]);
  });

  it("come back level by level, also where they are nearly transparent", async () => {
    const pixels = newPixels({ width: 33, height: 20 });
    for (let i = 0; i < pixels.data.length; i += 1) pixels.data[i] = (i * 91 + (i >> 4)) & 255;
    const bytes = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
    expect(await readPng(await bytes(await pixelsToPng(pixels)))).toEqual(pixels);
    const levels = Uint8Array.from({ length: 33 * 20 }, (_, i) => i & 255);
    const grey = (await readPng(await bytes(await levelsToPng(levels, pixels))))!;
    expect([...grey.data.slice(0, 12)]).toEqual([0, 0, 0, 255, 1, 1, 1, 255, 2, 2, 2, 255]);
    const cut = await bytes(await pixelsToPng(pixels));
    expect(await readPng(cut.slice(0, 60))).toBeNull();
  });
});
