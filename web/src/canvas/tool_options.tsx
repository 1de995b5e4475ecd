// The strip above the picture: what the chosen tool can be set to.
import type { JSX } from "preact";
import { ActionButton } from "../parts/actions";
import { t } from "../words";
import { kDeselect, kInvert, kSelectAll, kToMask, type CanvasContext } from "./canvas_actions";
import type { Brush } from "./document";
import type { Editor } from "./editor";
import { Slider } from "./fields";

function Check({ label, on, change }: { label: string; on: boolean; change(on: boolean): void }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onChange={(event) => change(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

function BrushOptions({ editor }: { editor: Editor }): JSX.Element {
  const held = editor.currentBrush;
  const brush = held.value;
  const { width } = editor.state.value;
  const set = (change: Partial<Brush>): void => void (held.value = { ...held.peek(), ...change });
  const pixels = Math.max(1, Math.round(brush.size * width));
  return (
    <>
      <Slider curved label={t("canvas.size")} value={pixels} min={1} max={Math.round(width * 0.5)} text={`${pixels} px`} change={(size) => set({ size: Math.max(1, size) / width })} />
      <Slider label={t("canvas.hardness")} value={Math.round(brush.hardness * 100)} min={0} max={100} text={`${Math.round(brush.hardness * 100)} %`} change={(value) => set({ hardness: value / 100 })} />
      <Slider label={t("canvas.opacity")} value={Math.round(brush.opacity * 100)} min={1} max={100} text={`${Math.round(brush.opacity * 100)} %`} change={(value) => set({ opacity: value / 100 })} />
      <Check label={t("canvas.pressure_size")} on={brush.pressure_size} change={(on) => set({ pressure_size: on })} />
      <Check label={t("canvas.pressure_opacity")} on={brush.pressure_opacity} change={(on) => set({ pressure_opacity: on })} />
    </>
  );
}

function FillOptions({ editor }: { editor: Editor }): JSX.Element {
  const fill = editor.fill.value;
  return (
    <>
      <Slider label={t("canvas.tolerance")} value={fill.tolerance} min={0} max={255} text={String(fill.tolerance)} change={(tolerance) => (editor.fill.value = { ...fill, tolerance })} />
      <Check label={t("canvas.contiguous")} on={fill.contiguous} change={(contiguous) => (editor.fill.value = { ...fill, contiguous })} />
      <Check label={t("canvas.whole")} on={fill.whole} change={(whole) => (editor.fill.value = { ...fill, whole })} />
    </>
  );
}

export function ToolOptions({ editor, context }: { editor: Editor; context: CanvasContext }): JSX.Element {
  const tool = editor.tool.value;
  return (
    <div class="tool-options" role="toolbar" aria-label={t("canvas.tool_options")}>
      {(tool === "brush" || tool === "eraser") && <BrushOptions editor={editor} />}
      {tool === "fill" && <FillOptions editor={editor} />}
      {(tool === "lasso" || tool === "rectangle") && (
        <>
          {[kSelectAll, kDeselect, kInvert, kToMask].map((action) => (
            <ActionButton key={action.id} action={action} context={context} class="button button-small" />
          ))}
          <span class="faint clip">{t("canvas.select_hint")}</span>
        </>
      )}
      {(tool === "pick" || tool === "hand") && <span class="faint">{t(`canvas.hint.${tool}`)}</span>}
    </div>
  );
}
