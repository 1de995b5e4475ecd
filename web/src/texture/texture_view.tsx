// A take as a texture: repeated 3 x 3, moved by half, with lines where the tiles meet and what the seams measure.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { segment } from "../api/client";
import { useResource } from "../api/store";
import { loadBitmap, takePicture } from "../canvas/pictures";
import { drawFrame, drawGrid, prepare } from "../canvas/screen";
import { Stage } from "../canvas/stage";
import { kStageActions } from "../canvas/stage_actions";
import type { Take } from "../model/documents";
import { ActionButton, useActions } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { Link } from "../parts/router";
import { formatNumber, t } from "../words";
import { gradeOf, ratioOf, seamLines, tileCorners, type Seam } from "./model";
import { kCopies, kLines, kShift, kTextureActions, TextureDesk } from "./texture_actions";
import "./texture.css";

function SeamFigure({ axis, ratio }: { axis: "x" | "y"; ratio: number | null }): JSX.Element {
  const grade = ratio === null ? null : gradeOf(ratio);
  return (
    <div class={`seam ${grade ? `is-${grade}` : ""}`}>
      <dt>{t(`texture.seam_${axis}`)}</dt>
      <dd>
        <b>{ratio === null ? "–" : formatNumber(ratio, 2)}</b>
        {grade && <span> {t(`texture.grade.${grade}`)}</span>}
      </dd>
    </div>
  );
}

export function TextureView({ values }: { values: Record<string, string> }): JSX.Element {
  const id = values.take ?? "";
  const desk = useMemo(() => new TextureDesk(), []);
  const take = useResource<Take>(`/takes/${segment(id)}`);
  const seam = useResource<Seam>(`/takes/${segment(id)}/seam`);
  const [bitmap, setBitmap] = useState<ImageBitmap | null>(null);
  useActions(kStageActions, desk.stage);
  useActions(kTextureActions, desk);
  const copies = desk.copies.value;
  useEffect(() => {
    loadBitmap(takePicture(id)).then(setBitmap).catch(reportError);
  }, [id]);
  useEffect(() => {
    if (bitmap) desk.stage.setPicture({ width: bitmap.width * copies, height: bitmap.height * copies });
  }, [bitmap, copies]);
  const paint = useMemo(
    () => (context: CanvasRenderingContext2D) => {
      const view = desk.stage.view.peek()!;
      if (!bitmap) return;
      const half = desk.shifted.peek() ? { x: Math.floor(bitmap.width / 2), y: Math.floor(bitmap.height / 2) } : { x: 0, y: 0 };
      const whole = { width: bitmap.width * copies, height: bitmap.height * copies };
      context.save();
      context.beginPath();
      context.rect(view.x, view.y, whole.width * view.scale, whole.height * view.scale);
      context.clip();
      prepare(context, view);
      // Copies end on whole pixels of the screen: otherwise the averaging there would draw lines that are not in the picture.
      for (const corner of tileCorners(bitmap, copies, half)) {
        const left = Math.round(corner.x * view.scale + view.x);
        const top = Math.round(corner.y * view.scale + view.y);
        const right = Math.round((corner.x + bitmap.width) * view.scale + view.x);
        const bottom = Math.round((corner.y + bitmap.height) * view.scale + view.y);
        context.drawImage(bitmap, left, top, right - left, bottom - top);
      }
      context.restore();
      drawGrid(context, view, whole);
      drawFrame(context, view, whole);
      if (!desk.lines.peek()) return;
      context.beginPath();
      for (const [x1, y1, x2, y2] of seamLines(bitmap, copies, half, view)) {
        context.moveTo(x1!, y1!);
        context.lineTo(x2!, y2!);
      }
      context.lineWidth = 3;
      context.strokeStyle = "rgba(0, 0, 0, 0.6)";
      context.stroke();
      context.lineWidth = 1;
      context.strokeStyle = "#ffffff";
      context.stroke();
    },
    [bitmap, copies],
  );
  const document = take.data.value;
  const error = take.error.value ?? seam.error.value;
  return (
    <div class="texture-view">
      <header class="compare-head" role="toolbar" aria-label={t("texture.title")}>
        {document && (
          <Link to={`/tasks/${document.task_id}`} class="compare-back">
            ← {t("compare.back")}
          </Link>
        )}
        <b>{document?.label}</b>
        <ActionButton action={kCopies} context={desk} class="button button-small" pressed={copies === 3} />
        <ActionButton action={kShift} context={desk} class="button button-small" pressed={desk.shifted.value} />
        <ActionButton action={kLines} context={desk} class="button button-small" pressed={desk.lines.value} />
        <span class="faint mono">{formatNumber((desk.stage.view.value?.scale ?? 1) * 100, 1)} %</span>
        <dl class="seams" aria-label={t("texture.seams")}>
          <SeamFigure axis="x" ratio={ratioOf(seam.data.value?.x)} />
          <SeamFigure axis="y" ratio={ratioOf(seam.data.value?.y)} />
        </dl>
      </header>
      {error && <ErrorBox error={error} />}
      <Stage stage={desk.stage} paint={paint} follow={() => void [desk.shifted.value, desk.lines.value]} label={t("texture.label", { label: document?.label ?? "", n: copies })} />
      <p class="texture-note faint">{t("texture.note")}</p>
    </div>
  );
}
