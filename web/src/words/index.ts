// Every text of the page, by key, in the person's language.
//
// The catalogues are en.ts and fr.ts; English is the list of keys. t("board.shots") gives a text,
// t("queue.position", {n: 3}) fills {n}. A key that ends in ".one"/".other" has plural forms and is asked for
// without the ending: tn("takes", 2).
import { signal } from "@preact/signals";
import { en } from "./en";
import { fr } from "./fr";

export type WordKey = keyof typeof en;
type PluralRoot<K> = K extends `${infer Root}.other` ? Root : never;
export type PluralKey = PluralRoot<WordKey>;
export type Language = "en" | "fr";
export type Fill = Record<string, string | number>;

export const kLanguages: readonly Language[] = ["en", "fr"];
const kCatalogues: Record<Language, Record<WordKey, string>> = { en, fr };

export const language = signal<Language>(preferredLanguage());

function preferredLanguage(): Language {
  const wished = typeof navigator === "undefined" ? "en" : navigator.language;
  return wished.toLowerCase().startsWith("fr") ? "fr" : "en";
}

export function setLanguage(code: string): void {
  if (code !== "en" && code !== "fr") return;
  language.value = code;
  document.documentElement.lang = code;
}

function fillIn(text: string, fill: Fill | undefined): string {
  if (!fill) return text;
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = fill[name];
    if (value === undefined) return hole;
    return typeof value === "number" ? formatNumber(value) : value;
  });
}

export function t(key: WordKey, fill?: Fill): string {
  return fillIn(kCatalogues[language.value][key], fill);
}

/** A text with a number in it: tn("count.takes", 2) is "2 takes". */
export function tn(root: PluralKey, n: number, fill?: Fill): string {
  const form = new Intl.PluralRules(language.value).select(n) === "one" ? "one" : "other";
  const key = `${root}.${form}` as WordKey;
  return fillIn(kCatalogues[language.value][key], { ...fill, n });
}

/** The text of a key that is made of parts, where the catalogue has it; else the fallback. */
export function tOr(key: string, fallback: string): string {
  const catalogue = kCatalogues[language.value] as Record<string, string>;
  return catalogue[key] ?? fallback;
}

export function formatNumber(value: number, digits = 0): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits || 2 }).format(value);
}

export function formatTime(iso: string): string {
  const time = new Date(iso);
  const now = new Date();
  const sameDay = time.toDateString() === now.toDateString();
  const options: Intl.DateTimeFormatOptions = sameDay
    ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (time.getFullYear() !== now.getFullYear()) options.year = "numeric";
  return new Intl.DateTimeFormat(language.value, options).format(time);
}

export function formatDay(iso: string): string {
  return new Intl.DateTimeFormat(language.value, { day: "numeric", month: "short" }).format(new Date(iso));
}

export function formatBytes(bytes: number): string {
  const units = language.value === "fr" ? ["o", "ko", "Mo", "Go"] : ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${new Intl.NumberFormat(language.value, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 }).format(value)} ${units[unit]}`;
}

/** A rest of time: "8 s", "2 min 05 s". */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
