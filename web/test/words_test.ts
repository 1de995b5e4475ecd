// The catalogues: complete, used, filled alike; and no text of the page that is in none.
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { en } from "../src/words/en";
import { fr } from "../src/words/fr";
import { sourceFiles } from "./sources";

const catalogues: Record<string, Record<string, string>> = { en, fr };
const files = sourceFiles(/\.tsx?$/).filter(({ name }) => !name.startsWith("words/") && !name.includes("_test."));

function holes(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort();
}

/** Every string of the sources, and every template as its text before the first hole. */
function stringsOfSources(): { whole: Set<string>; starts: string[] } {
  const whole = new Set<string>();
  const starts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) whole.add(node.text);
    if (ts.isTemplateExpression(node) && node.head.text.includes(".")) starts.push(node.head.text);
    ts.forEachChild(node, visit);
  };
  for (const { name, text } of files) visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return { whole, starts };
}

// Attributes that people read or hear.
const kSpoken = new Set(["title", "alt", "placeholder", "aria-label", "aria-description", "label"]);
// Names and signs that are the same in every language.
const kSameEverywhere = new Set(["Maquette", "t", "dB", "SHA-256"]);

function saysSomething(text: string): boolean {
  return /\p{L}/u.test(text) && !kSameEverywhere.has(text.trim());
}

function bareTexts(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && saysSomething(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && kSpoken.has(node.name.getText(source)) && node.initializer && ts.isStringLiteral(node.initializer) && saysSomething(node.initializer.text)) {
      found.push(`${node.name.getText(source)}="${node.initializer.text}"`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.map((each) => `${name}: ${each}`);
}

describe("the catalogues", () => {
  it("have the same keys, none of them empty", () => {
    for (const [language, catalogue] of Object.entries(catalogues)) {
      expect(Object.keys(catalogue).sort(), language).toEqual(Object.keys(en).sort());
      expect(Object.entries(catalogue).filter(([, text]) => text.trim() === ""), language).toEqual([]);
    }
  });
  it("fill the same holes in every language", () => {
    for (const key of Object.keys(en)) expect(holes(catalogues.fr![key]!), key).toEqual(holes(catalogues.en![key]!));
  });
  it("have both forms of every plural", () => {
    for (const key of Object.keys(en)) {
      if (key.endsWith(".one")) expect(en).toHaveProperty([key.replace(/one$/, "other")]);
    }
  });
  it("hold nothing that no source asks for", () => {
    const { whole, starts } = stringsOfSources();
    const asked = (key: string): boolean => whole.has(key) || whole.has(key.replace(/\.(one|other)$/, "")) || starts.some((start) => key.startsWith(start));
    expect(Object.keys(en).filter((key) => !asked(key))).toEqual([]);
  });
  it("are where every text of the page comes from", () => {
    expect(files.flatMap(({ name, text }) => (name.endsWith(".tsx") ? bareTexts(name, text) : []))).toEqual([]);
  });
  it("would notice a text in a component", () => {
    expect(bareTexts("a.tsx", 'const a = <p title="Save">{x}: Wave</p>;')).toEqual(['a.tsx: title="Save"', "a.tsx: : Wave"]);
  });
});
