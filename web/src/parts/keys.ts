// Keys as they are written in tables of actions, matched against what the keyboard says, and as people read them.
import { t, tOr } from "../words";

interface Combination {
  mod: boolean;
  alt: boolean;
  shift: boolean;
  key: string;
}

function parse(text: string): Combination {
  const parts = text === "+" ? ["+"] : text.split("+");
  const key = parts[parts.length - 1] || "+";
  return {
    mod: parts.includes("Mod"),
    alt: parts.includes("Alt"),
    shift: parts.includes("Shift"),
    key: key === "Space" ? " " : key,
  };
}

/** On keyboards where digits are typed with Shift (French), the key's place counts. */
function digitOf(event: KeyboardEvent): string | null {
  const found = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "");
  return found?.[1] ?? null;
}

export function matchesKey(text: string, event: KeyboardEvent): boolean {
  const wanted = parse(text);
  if (wanted.mod !== (event.ctrlKey || event.metaKey) || wanted.alt !== event.altKey) return false;
  if (/^\d$/.test(wanted.key)) {
    return (digitOf(event) ?? event.key) === wanted.key && (wanted.shift ? event.shiftKey : true);
  }
  if (event.key.toLowerCase() !== wanted.key.toLowerCase()) return false;
  // Signs such as ? already contain their Shift.
  const isSign = wanted.key.length === 1 && wanted.key.toLowerCase() === wanted.key.toUpperCase();
  return (isSign && wanted.key !== " ") || wanted.shift === event.shiftKey;
}

const kSigns: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

const isMac = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.platform ?? "");

/** "Ctrl+Enter", in the person's language. */
export function keysText(text: string): string {
  const { mod, alt, shift, key } = parse(text);
  const parts: string[] = [];
  if (mod) parts.push(isMac ? "⌘" : t("key.Control"));
  if (alt) parts.push("Alt");
  if (shift) parts.push(t("key.Shift"));
  const name = key === " " ? "Space" : key;
  parts.push(kSigns[name] ?? tOr(`key.${name}`, name.length === 1 ? name.toUpperCase() : name));
  return parts.join("+");
}
