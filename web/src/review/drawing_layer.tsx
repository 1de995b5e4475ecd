// Drawings as SVG over a picture, sharp at every zoom.
import type { JSX } from "preact";
import type { Size, Viewport } from "../canvas/geometry";
import { arrowHead, pathData, type Shape } from "./drawing";

function ShapeMark({ shape, size }: { shape: Shape; size: Size }): JSX.Element | null {
  const width = shape.width * size.height;
  const line = { fill: "none", stroke: shape.color, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" } as const;
  const [a, b] = [shape.points[0], shape.points[1]];
  if (!a) return null;
  if (shape.kind === "path") return <path d={pathData(shape.points, size)} {...line} {...(shape.filled ? { fill: shape.color } : {})} />;
  if (shape.kind === "text") {
    return (
      <text x={a[0] * size.width} y={a[1] * size.height} fill={shape.color} font-size={Math.max(12, width * 6)} class="drawn-text">
        {shape.text}
      </text>
    );
  }
  if (!b) return null;
  const [x1, y1, x2, y2] = [a[0] * size.width, a[1] * size.height, b[0] * size.width, b[1] * size.height];
  const fill = shape.filled ? { fill: shape.color } : {};
  if (shape.kind === "arrow") return <path d={`M${x1} ${y1}L${x2} ${y2}${arrowHead(shape, size)}`} {...line} />;
  if (shape.kind === "rect") return <rect x={Math.min(x1, x2)} y={Math.min(y1, y2)} width={Math.abs(x2 - x1)} height={Math.abs(y2 - y1)} {...line} {...fill} />;
  return <ellipse cx={(x1 + x2) / 2} cy={(y1 + y2) / 2} rx={Math.abs(x2 - x1) / 2} ry={Math.abs(y2 - y1) / 2} {...line} {...fill} />;
}

export function Shapes({ shapes, size }: { shapes: readonly Shape[]; size: Size }): JSX.Element {
  return (
    <>
      {shapes.map((shape, index) => (
        <g key={index}>
          <ShapeMark shape={shape} size={size} />
        </g>
      ))}
    </>
  );
}

/** Over a stage: moves and zooms with it. */
export function DrawingLayer({ shapes, size, view, label }: { shapes: readonly Shape[]; size: Size; view: Viewport; label: string }): JSX.Element {
  return (
    <svg class="drawing-layer" role="img" aria-label={label}>
      <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
        <Shapes shapes={shapes} size={size} />
      </g>
    </svg>
  );
}
