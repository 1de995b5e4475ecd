// The palette: neutral surfaces, and WCAG AA contrast for every pair of colours that is used together.
import { describe, expect, it } from "vitest";
import { contrast, parseColor, type Rgb } from "../src/model/colors";
import { sourceFiles } from "./sources";

const styles = sourceFiles(/\.css$/);
const theme = styles.find(({ name }) => name === "app/theme.css")!.text;
const palette = Object.fromEntries([...theme.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map((found) => [found[1]!, parseColor(found[2]!)!])) as Record<string, Rgb>;
const surfaces = Object.keys(palette).filter((name) => name.startsWith("surface-"));

describe("the palette", () => {
  it("surrounds pictures with grey that has no hue", () => {
    const neutral = Object.keys(palette).filter((name) => /^(surface|text|line|primary)/.test(name));
    expect(neutral.length).toBeGreaterThan(9);
    for (const name of neutral) expect(new Set(palette[name]!).size, name).toBe(1);
  });
  it.each(["text-1", "text-2", "approved", "danger", "warning", "star"])("reads %s on every surface (4.5:1)", (name) => {
    for (const surface of surfaces) expect(contrast(palette[name]!, palette[surface]!), `${name} on ${surface}`).toBeGreaterThanOrEqual(4.5);
  });
  it("reads the faintest text on the surfaces it stands on (4.5:1)", () => {
    for (const surface of ["surface-0", "surface-1", "surface-2", "surface-3"]) expect(contrast(palette["text-3"]!, palette[surface]!), surface).toBeGreaterThanOrEqual(4.5);
  });
  it("reads dark text on light buttons and signs (4.5:1)", () => {
    for (const name of ["primary", "approved"]) expect(contrast(palette["text-dark"]!, palette[name]!), name).toBeGreaterThanOrEqual(4.5);
  });
  it("shows the edges of controls and the focus (3:1)", () => {
    for (const name of ["line-control", "focus"]) {
      for (const surface of ["surface-0", "surface-1", "surface-2", "surface-3"]) expect(contrast(palette[name]!, palette[surface]!), `${name} on ${surface}`).toBeGreaterThanOrEqual(3);
    }
  });
  it("has no colour outside of it but neutral ones", () => {
    for (const { name, text } of styles) {
      for (const [, color] of text.replace(/:root \{[\s\S]*?\n\}/, "").matchAll(/(#[0-9a-f]{6})\b/gi)) {
        expect(new Set(parseColor(color!)!).size, `${color} in ${name}`).toBe(1);
      }
    }
  });
  it("asks for nothing from other places", () => {
    for (const { name, text } of styles) expect(text, name).not.toMatch(/url\(|@import|https?:/);
  });
});
