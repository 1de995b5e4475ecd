// The order of a wall of takes: the approved one first, then revision by revision, the newest on top.
import type { Take } from "./documents";

export interface WallGroup {
  revision: number;
  takes: Take[];
}

export interface Wall {
  approved: Take | null;
  groups: WallGroup[];
  /** Every take in reading order, for moving with the keyboard. */
  order: Take[];
}

export function arrangeWall(takes: readonly Take[], approvedId: string | null): Wall {
  const approved = takes.find((take) => take.id === approvedId || (!approvedId && take.state === "approved")) ?? null;
  const byRevision = new Map<number, Take[]>();
  for (const take of takes) byRevision.set(take.revision, [...(byRevision.get(take.revision) ?? []), take]);
  const groups = [...byRevision.entries()]
    .sort(([a], [b]) => b - a)
    .map(([revision, members]) => ({ revision, takes: members.sort((a, b) => b.number - a.number) }));
  return { approved, groups, order: groups.flatMap((group) => group.takes) };
}
