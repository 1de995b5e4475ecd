// PNG files from pixels (PNG specification, third edition): grey for masks, colour with or without alpha for layers.
//
// Each row gets the one of three filters (none, sub, up) with the smallest sum of differences, as the specification
// suggests; zlib is the browser's own.
import type { Area } from "./area";
import type { Size } from "./geometry";
import type { Pixels } from "./pixels";

const kSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const kCrcTable = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = kCrcTable[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(12 + data.length);
  const view = new DataView(result.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i += 1) result[4 + i] = name.charCodeAt(i);
  result.set(data, 8);
  view.setUint32(8 + data.length, crc32(result.subarray(4, 8 + data.length)));
  return result;
}

async function zlib(data: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([data as BlobPart]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Channels a pixel has in the file -> the colour type of its header. */
const kColorTypes: Record<number, number> = { 1: 0, 3: 2, 4: 6 };

function filtered(samples: Uint8Array, size: Size, channels: number): Uint8Array {
  const stride = size.width * channels;
  const result = new Uint8Array((stride + 1) * size.height);
  const zero = new Uint8Array(stride);
  for (let y = 0; y < size.height; y += 1) {
    const row = samples.subarray(y * stride, (y + 1) * stride);
    const above = y > 0 ? samples.subarray((y - 1) * stride, y * stride) : zero;
    let none = 0;
    let sub = 0;
    let up = 0;
    const cost = (value: number): number => (value < 128 ? value : 256 - value);
    for (let i = 0; i < stride; i += 1) {
      none += cost(row[i]!);
      sub += cost((row[i]! - (i >= channels ? row[i - channels]! : 0)) & 255);
      up += cost((row[i]! - above[i]!) & 255);
    }
    const filter = none <= sub && none <= up ? 0 : sub <= up ? 1 : 2;
    const out = y * (stride + 1);
    result[out] = filter;
    for (let i = 0; i < stride; i += 1) {
      const left = i >= channels ? row[i - channels]! : 0;
      result[out + 1 + i] = row[i]! - (filter === 0 ? 0 : filter === 1 ? left : above[i]!);
    }
  }
  return result;
}

async function encode(samples: Uint8Array, size: Size, channels: number): Promise<Blob> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, size.width);
  view.setUint32(4, size.height);
  header[8] = 8;
  header[9] = kColorTypes[channels]!;
  const data = await zlib(filtered(samples, size, channels));
  const parts = [new Uint8Array(kSignature), chunk("IHDR", header), chunk("sRGB", new Uint8Array([0])), chunk("IDAT", data), chunk("IEND", new Uint8Array(0))];
  return new Blob(parts as BlobPart[], { type: "image/png" });
}

/** Without alpha where every pixel is opaque. */
export function pixelsToPng(pixels: Pixels): Promise<Blob> {
  const { data } = pixels;
  let opaque = true;
  for (let i = 3; i < data.length && opaque; i += 4) opaque = data[i] === 255;
  if (!opaque) return encode(new Uint8Array(data), pixels, 4);
  const samples = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, o = 0; i < data.length; i += 4) {
    samples[o++] = data[i]!;
    samples[o++] = data[i + 1]!;
    samples[o++] = data[i + 2]!;
  }
  return encode(samples, pixels, 3);
}

/** Grey, 0..255 for each pixel. */
export function levelsToPng(levels: Uint8Array, size: Size): Promise<Blob> {
  return encode(levels, size, 1);
}

/** White where the picture is to be repainted, black where it is kept. */
export function maskToPng(area: Area, size: Size): Promise<Blob> {
  const samples = new Uint8Array(size.width * size.height);
  for (let y = 0; y < area.height; y += 1) {
    for (let x = 0; x < area.width; x += 1) {
      if (area.bits[y * area.width + x]) samples[(area.top + y) * size.width + area.left + x] = 255;
    }
  }
  return levelsToPng(samples, size);
}
