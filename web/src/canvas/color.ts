// Colours as people pick them (hue, saturation, value) and as they are kept ("#rrggbb").
export interface Rgb {
  r: number;
  g: number;
  b: number;
}

/** Hue in degrees 0..360, saturation and value 0..1. */
export interface Hsv {
  h: number;
  s: number;
  v: number;
}

export function parseHex(text: string): Rgb | null {
  const short = /^#?([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text.trim());
  const whole = short ? `${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}` : text.trim().replace(/^#/, "");
  if (!/^[0-9a-f]{6}$/i.test(whole)) return null;
  const value = parseInt(whole, 16);
  return { r: value >> 16, g: (value >> 8) & 255, b: value & 255 };
}

export function toHex({ r, g, b }: Rgb): string {
  return `#${((1 << 24) | (Math.round(r) << 16) | (Math.round(g) << 8) | Math.round(b)).toString(16).slice(1)}`;
}

export function rgbOf(hex: string): Rgb {
  return parseHex(hex) ?? { r: 0, g: 0, b: 0 };
}

export function toHsv({ r, g, b }: Rgb): Hsv {
  const high = Math.max(r, g, b);
  const span = high - Math.min(r, g, b);
  let h = 0;
  if (span > 0) {
    if (high === r) h = ((g - b) / span + 6) % 6;
    else if (high === g) h = (b - r) / span + 2;
    else h = (r - g) / span + 4;
  }
  return { h: h * 60, s: high === 0 ? 0 : span / high, v: high / 255 };
}

export function fromHsv({ h, s, v }: Hsv): Rgb {
  const channel = (n: number): number => {
    const k = (n + h / 60) % 6;
    return 255 * (v - v * s * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return { r: channel(5), g: channel(3), b: channel(1) };
}

export const kRecentColors = 14;

/** The colour goes to the front; the list does not grow beyond kRecentColors. */
export function withRecent(recent: readonly string[], color: string): string[] {
  return [color, ...recent.filter((other) => other !== color)].slice(0, kRecentColors);
}
