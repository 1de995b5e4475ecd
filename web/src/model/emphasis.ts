// Weights in prompts, "(paper lanterns:1.2)": changing the weight of what is selected.

export interface Selected {
  text: string;
  start: number;
  end: number;
}

const kStep = 0.1;
const kLeast = 0.1;
const kMost = 2;

/** The word at the caret, or the selection without the blanks around it. */
function grown({ text, start, end }: Selected): [number, number] {
  let from = start;
  let to = end;
  if (from === to) {
    while (from > 0 && !/[\s,():]/.test(text[from - 1]!)) from -= 1;
    while (to < text.length && !/[\s,():]/.test(text[to]!)) to += 1;
  }
  while (from < to && /\s/.test(text[from]!)) from += 1;
  while (to > from && /\s/.test(text[to - 1]!)) to -= 1;
  return [from, to];
}

function written(weight: number): string {
  return String(Math.round(weight * 100) / 100);
}

/** One step up or down; a weight of 1 needs no brackets and loses them. Null where there is nothing to weigh. */
export function changeWeight(selected: Selected, direction: 1 | -1): Selected | null {
  const [from, to] = grown(selected);
  if (from === to) return null;
  let before = selected.text.slice(0, from);
  let inner = selected.text.slice(from, to);
  let after = selected.text.slice(to);
  let weight = 1;

  // The selection may be the whole "(words:1.2)" or only the words in it.
  const whole = /^\(([^():]*):([\d.]+)\)$/.exec(inner);
  const closing = /^:([\d.]+)\)/.exec(after);
  if (whole) {
    inner = whole[1]!;
    weight = Number(whole[2]);
  } else if (before.endsWith("(") && closing) {
    before = before.slice(0, -1);
    after = after.slice(closing[0].length);
    weight = Number(closing[1]);
  }

  const wanted = Math.round(Math.max(kLeast, Math.min(kMost, weight + direction * kStep)) * 100) / 100;
  const isPlain = wanted === 1;
  const text = isPlain ? before + inner + after : `${before}(${inner}:${written(wanted)})${after}`;
  const start = before.length + (isPlain ? 0 : 1);
  return { text, start, end: start + inner.length };
}

/** The weighted parts of a prompt, for showing which words count more. */
export function weightedParts(text: string): { text: string; weight: number }[] {
  return [...text.matchAll(/\(([^():]*):([\d.]+)\)/g)].map((found) => ({ text: found[1]!, weight: Number(found[2]) }));
}
