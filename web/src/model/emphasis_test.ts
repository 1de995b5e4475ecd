import { describe, expect, it } from "vitest";
import { changeWeight, weightedParts } from "./emphasis";

function select(marked: string): { text: string; start: number; end: number } {
  const start = marked.indexOf("[");
  const text = marked.replace("[", "").replace("]", "");
  return { text, start, end: marked.indexOf("]") - 1 };
}

function shown(result: ReturnType<typeof changeWeight>): string | null {
  if (!result) return null;
  return `${result.text.slice(0, result.start)}[${result.text.slice(result.start, result.end)}]${result.text.slice(result.end)}`;
}

describe("changeWeight", () => {
  it.each([
    ["a [red boat] at sea", 1, "a ([red boat]:1.1) at sea"],
    ["a ([red boat]:1.1) at sea", 1, "a ([red boat]:1.2) at sea"],
    ["a ([red boat]:1.1) at sea", -1, "a [red boat] at sea"],
    ["a [(red boat:1.4)] at sea", 1, "a ([red boat]:1.5) at sea"],
    ["a [red boat ]at sea", -1, "a ([red boat]:0.9) at sea"],
    ["a r[]ed boat", 1, "a ([red]:1.1) boat"],
    ["([mast]:2)", 1, "([mast]:2)"],
    ["([mast]:0.1)", -1, "([mast]:0.1)"],
  ] as const)("%s, %i gives %s", (before, direction, after) => {
    expect(shown(changeWeight(select(before), direction))).toBe(after);
  });
  it("comes back to where it started", () => {
    const start = select("fog, [lanterns], sea");
    let now = changeWeight(start, 1)!;
    for (const step of [1, 1, -1, -1, -1, -1, 1] as const) now = changeWeight(now, step)!;
    expect(now.text).toBe(start.text);
  });
  it("has nothing to weigh between words", () => {
    expect(changeWeight({ text: "fog, sea", start: 4, end: 5 }, 1)).toBeNull();
  });
});

describe("weightedParts", () => {
  it("finds what counts more or less", () => {
    expect(weightedParts("fog, (lanterns:1.3), (people:0.2)")).toEqual([
      { text: "lanterns", weight: 1.3 },
      { text: "people", weight: 0.2 },
    ]);
  });
});
