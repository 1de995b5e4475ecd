// Where a take comes from, as a drawing: parents left of their children, each take in the first column that is right
// of all its parents.
import type { Lineage, Take } from "./documents";

export interface LineageNode {
  take: Take;
  column: number;
  row: number;
}

export interface LineageLayout {
  nodes: LineageNode[];
  edges: { from: LineageNode; to: LineageNode; relation: string }[];
  columns: number;
  rows: number;
}

export function layoutLineage(lineage: Lineage): LineageLayout {
  const parents = new Map<string, string[]>();
  for (const edge of lineage.edges) parents.set(edge.take, [...(parents.get(edge.take) ?? []), edge.parent]);

  // A take is drawn once its parents are; a ring, which no server should send, ends at the take that closes it.
  const columns = new Map<string, number>();
  const column = (id: string, above: Set<string>): number => {
    const known = columns.get(id);
    if (known !== undefined) return known;
    if (above.has(id)) return 0;
    const own = (parents.get(id) ?? []).map((parent) => column(parent, new Set([...above, id])) + 1);
    const result = Math.max(0, ...own);
    columns.set(id, result);
    return result;
  };

  const used: number[] = [];
  const nodes = [...lineage.takes]
    .sort((a, b) => a.created_at.localeCompare(b.created_at))
    .map((take) => {
      const place = column(take.id, new Set());
      const row = used[place] ?? 0;
      used[place] = row + 1;
      return { take, column: place, row };
    });
  const byId = new Map(nodes.map((node) => [node.take.id, node]));
  const edges = lineage.edges.flatMap((edge) => {
    const from = byId.get(edge.parent);
    const to = byId.get(edge.take);
    return from && to ? [{ from, to, relation: edge.relation }] : [];
  });
  return { nodes, edges, columns: used.length, rows: Math.max(0, ...used.map((count) => count ?? 0)) };
}
