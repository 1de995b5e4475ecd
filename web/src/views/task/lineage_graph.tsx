// The family of a take: from which takes it was made, and what was made from it.
import type { JSX } from "preact";
import type { Lineage } from "../../model/documents";
import { layoutLineage, type LineageNode } from "../../model/lineage";
import { thumbnailUrl } from "../../parts/picture";
import { t, tOr } from "../../words";

const kWidth = 92;
const kHeight = 74;
const kGapX = 44;
const kGapY = 12;

const left = (node: LineageNode): number => node.column * (kWidth + kGapX);
const top = (node: LineageNode): number => node.row * (kHeight + kGapY);

export function LineageGraph({ lineage, current, select }: { lineage: Lineage; current: string; select(id: string): void }): JSX.Element {
  const layout = layoutLineage(lineage);
  const width = layout.columns * (kWidth + kGapX) - kGapX;
  const height = layout.rows * (kHeight + kGapY) - kGapY;
  return (
    <div class="lineage" role="group" aria-label={t("take.lineage")}>
      <div class="lineage-space" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {layout.edges.map((edge) => {
            const x1 = left(edge.from) + kWidth;
            const x2 = left(edge.to);
            const y1 = top(edge.from) + kHeight / 2 - 8;
            const y2 = top(edge.to) + kHeight / 2 - 8;
            const middle = (x1 + x2) / 2;
            return (
              <g key={`${edge.from.take.id}${edge.to.take.id}${edge.relation}`}>
                <path d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`} class="lineage-edge" />
                <text x={middle} y={(y1 + y2) / 2 - 5} class="lineage-relation">
                  {tOr(`relation.${edge.relation}`, edge.relation)}
                </text>
              </g>
            );
          })}
        </svg>
        {layout.nodes.map((node) => (
          <button
            key={node.take.id}
            type="button"
            class={node.take.id === current ? "lineage-take lineage-current" : "lineage-take"}
            style={{ left: `${left(node)}px`, top: `${top(node)}px`, width: `${kWidth}px`, height: `${kHeight}px` }}
            aria-current={node.take.id === current}
            onClick={() => select(node.take.id)}
          >
            <img src={thumbnailUrl(node.take)} alt="" />
            <span class="clip">{node.take.label}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
