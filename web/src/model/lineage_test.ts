import { describe, expect, it } from "vitest";
import type { Lineage, Take } from "./documents";
import { layoutLineage } from "./lineage";

const take = (id: string): Take => ({ id, created_at: id }) as Take;
const lineage = (ids: string, edges: string[]): Lineage => ({
  takes: [...ids].map(take),
  edges: edges.map((edge) => ({ take: edge[1]!, parent: edge[0]!, relation: "source" })),
});

describe("layoutLineage", () => {
  it("puts every take right of all its parents, and no two on one place", () => {
    const layout = layoutLineage(lineage("abcdef", ["ab", "ac", "bd", "cd", "ad", "de"]));
    for (const edge of layout.edges) expect(edge.from.column).toBeLessThan(edge.to.column);
    expect(new Set(layout.nodes.map((node) => `${node.column}/${node.row}`)).size).toBe(6);
    expect(layout.nodes.find((node) => node.take.id === "e")!.column).toBe(3);
    expect(layout).toMatchObject({ columns: 4, rows: 2 });
  });
  it("ends with a ring, and with nothing", () => {
    expect(layoutLineage(lineage("ab", ["ab", "ba"])).nodes).toHaveLength(2);
    expect(layoutLineage(lineage("", []))).toMatchObject({ nodes: [], columns: 0, rows: 0 });
  });
});
