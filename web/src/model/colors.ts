// Colours that people chose for statuses and types, kept readable: text on them is black or white, whichever
// contrasts more (WCAG 2.1, relative luminance).

export type Rgb = [number, number, number];

export function parseColor(text: string): Rgb | null {
  const found = /^#([0-9a-f]{6})$/i.exec(text.trim());
  if (!found) return null;
  const value = parseInt(found[1]!, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function luminance(color: Rgb): number {
  const [r, g, b] = color.map((part) => {
    const s = part / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const kBlack: Rgb = [0, 0, 0];
const kWhite: Rgb = [255, 255, 255];

/** At least 4.58:1 on any colour: one of black and white always is. */
export function textOn(color: string): "#000000" | "#ffffff" {
  const rgb = parseColor(color);
  if (!rgb) return "#ffffff";
  return contrast(rgb, kBlack) >= contrast(rgb, kWhite) ? "#000000" : "#ffffff";
}
