// Small painted landscapes for the fake studio: sky, sun or moon, hills, lanterns; the same seed, the same picture.
import { deflateSync } from "node:zlib";

type Rgb = [number, number, number];

function random(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}

const kSkies: [Rgb, Rgb, Rgb][] = [
  [[28, 34, 78], [196, 96, 92], [46, 30, 54]],
  [[12, 24, 48], [52, 88, 120], [10, 18, 34]],
  [[92, 146, 196], [226, 222, 200], [70, 96, 92]],
  [[74, 40, 96], [232, 142, 96], [58, 34, 60]],
  [[176, 188, 196], [236, 216, 196], [110, 116, 112]],
  [[22, 52, 66], [120, 168, 150], [20, 40, 44]],
];

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function png(width: number, height: number, rgb: Uint8Array): Buffer {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let y = 0; y < height; y += 1) {
    rows.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * (width * 3 + 1) + 1);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows, { level: 4 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

function ridge(next: () => number): (x: number) => number {
  const waves = [1, 2, 3, 5, 8].map((f) => [f * (0.7 + 0.6 * next()), next() * 6.3, (0.5 + next()) / f] as const);
  return (x) => waves.reduce((sum, [f, phase, size]) => sum + Math.sin(x * f * 3 + phase) * size, 0) / 3;
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

/** scene decides the palette and the hills, variation the details: takes of one task look related. */
export function landscape(scene: number, variation: number, width: number, height: number): Buffer {
  const next = random(scene * 977 + 13);
  const vary = random(variation * 7919 + scene);
  const [top, low, ground] = kSkies[Math.floor(next() * kSkies.length) % kSkies.length]!;
  const hills = [0, 1, 2, 3].map(() => ridge(next));
  const sun = [0.15 + 0.7 * vary(), 0.12 + 0.25 * vary(), 0.03 + 0.04 * vary()] as const;
  const lights = Array.from({ length: 5 + Math.floor(vary() * 6) }, () => [vary(), 0.45 + 0.45 * vary(), 0.004 + 0.01 * vary()] as const);
  const shift = (vary() - 0.5) * 0.12;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const v = y / height;
    for (let x = 0; x < width; x += 1) {
      const u = x / width;
      const pixel: Rgb = [0, 0, 0];
      const toHorizon = Math.min(1, v / 0.62);
      for (let c = 0; c < 3; c += 1) pixel[c] = mix(top[c]!, low[c]!, toHorizon ** 1.4);
      const far = Math.hypot((u - sun[0]) * (width / height), v - sun[1]);
      const glow = far < sun[2] ? 1 : 0.35 * Math.exp(-(far - sun[2]) * 9);
      for (let c = 0; c < 3; c += 1) pixel[c] = mix(pixel[c]!, c === 2 ? 214 : 246, glow);
      hills.forEach((hill, depth) => {
        const line = 0.46 + depth * 0.13 + shift + hill(u + variation * 0.013) * (0.05 + depth * 0.012);
        if (v < line) return;
        const near = (depth + 1) / hills.length;
        const shade = 0.86 + 0.14 * Math.sin(u * 90 * near + Math.sin(v * 60) * 2);
        for (let c = 0; c < 3; c += 1) pixel[c] = mix(low[c]! * 0.8, ground[c]!, near) * shade;
      });
      for (const [lx, ly, size] of lights) {
        const d = Math.hypot((u - lx) * (width / height), v - ly);
        if (d > size * 7) continue;
        const light = Math.exp(-((d / size) ** 2) * 0.35);
        pixel[0] = mix(pixel[0], 255, light);
        pixel[1] = mix(pixel[1], 206, light);
        pixel[2] = mix(pixel[2], 120, light);
      }
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c += 1) rgb[at + c] = Math.max(0, Math.min(255, pixel[c]!));
    }
  }
  return png(width, height, rgb);
}
