// The painting surface of a task: tools at the left, the picture, colour, layers and repainting at the right.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ActionButton, useActions } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { leaveGuard, Link, navigate, place } from "../parts/router";
import { formatNumber, t } from "../words";
import { kCanvasActions, kCompareTakes, kRedo, kSaveTake, kToolActions, kUndo, type CanvasContext } from "./canvas_actions";
import { CanvasDesk, type OpenCanvas } from "./canvas_desk";
import { ChoiceDialog, ConflictDialog, SaveDialog } from "./canvas_dialogs";
import { ColorPanel } from "./color_panel";
import type { Tool } from "./editor";
import { Icon } from "./fields";
import { LayerPanel } from "./layer_panel";
import { RepaintPanel } from "./repaint_panel";
import { Stage } from "./stage";
import { kStageActions } from "./stage_actions";
import { ToolOptions } from "./tool_options";
import "./canvas.css";

const kCursors: Record<Tool, string> = { brush: "none", eraser: "none", fill: "crosshair", lasso: "crosshair", rectangle: "crosshair", pick: "crosshair", hand: "grab" };

function Head({ desk, context }: { desk: CanvasDesk; context: CanvasContext }): JSX.Element {
  const task = desk.task.value!;
  const state = context.editor.state.value;
  const save = desk.autosave.state.value;
  return (
    <header class="canvas-head">
      <Link to={`/tasks/${task.id}`} class="clip canvas-where" title={task.reference}>
        {task.entity.name || task.entity.path} · {task.task_type.name}
      </Link>
      <span class="faint canvas-size">
        {desk.parent.value?.label ?? t("canvas.base_empty")} · {state.width} × {state.height}
      </span>
      <span class="grow" />
      <span class={`save-state ${save === "failed" || save === "conflict" ? "is-bad" : "faint"}`} role="status">
        {t(`canvas.save.${save}`)}
      </span>
      <ActionButton action={kUndo} context={context} class="icon-button">
        <Icon name="undo" />
      </ActionButton>
      <ActionButton action={kRedo} context={context} class="icon-button">
        <Icon name="redo" />
      </ActionButton>
      <ActionButton action={kCompareTakes} context={context} class="button button-small" />
      <ActionButton action={kSaveTake} context={context} class="button button-small button-primary" />
    </header>
  );
}

function ToolBar({ context }: { context: CanvasContext }): JSX.Element {
  const tool = context.editor.tool.value;
  const { color } = context.editor.desk.value;
  return (
    <div class="tool-bar" role="toolbar" aria-orientation="vertical" aria-label={t("canvas.tools")}>
      {kToolActions.map((action) => {
        const name = action.id.replace("canvas.tool.", "") as Tool;
        return (
          <ActionButton key={action.id} action={action} context={context} class="icon-button" pressed={tool === name}>
            <Icon name={name} />
          </ActionButton>
        );
      })}
      <span class="tool-color" style={{ backgroundColor: color }} role="img" aria-label={`${t("canvas.color")} ${color}`} />
    </div>
  );
}

function ZoomState({ desk }: { desk: CanvasDesk }): JSX.Element {
  const scale = desk.stage.view.value?.scale ?? 1;
  return (
    <div class="zoom-state">
      <button type="button" class="button button-bare button-small mono" title={t("stage.fit")} onClick={() => desk.stage.fit()}>
        {formatNumber(scale * 100, 1)} %
      </button>
    </div>
  );
}

function Painting({ desk, open }: { desk: CanvasDesk; open: OpenCanvas }): JSX.Element {
  const { editor, screen, tools } = open;
  const [saving, setSaving] = useState(false);
  const count = useMemo(() => signal(1), []);
  const parent = desk.parent.value;
  const context: CanvasContext = {
    editor,
    hasParent: parent !== null,
    repaint: () => {
      const { prompt, strength, negative, model, fill, padding, seed } = editor.desk.peek();
      const kept = String(desk.recipe.peek()?.negative ?? "");
      return desk.repaint({ prompt, negative: negative ?? kept, strength, count: count.peek(), model, kind: "retake", fill, padding, seed });
    },
    saveTake: () => setSaving(true),
    refused: (why) => desk.refused(why),
    compare: () => {
      const newest = desk.repaints.items.peek().flatMap((item) => item.takes)[0]?.take;
      navigate(`/compare?takes=${[parent?.id, newest?.id].filter(Boolean).join(",")}&task=${desk.task.peek()!.id}`);
    },
  };
  useActions(kStageActions, desk.stage);
  useActions(kCanvasActions, context);
  const tool = editor.tool.value;
  const paint = useMemo(() => (surface: CanvasRenderingContext2D, size: { width: number; height: number }) => screen.paint(surface, desk.stage.view.peek()!, size), [screen]);
  return (
    <div class="canvas-view">
      <Head desk={desk} context={context} />
      <ToolBar context={context} />
      <div class="canvas-middle">
        <ToolOptions editor={editor} context={context} />
        <Stage
          stage={desk.stage}
          paint={paint}
          follow={() => void [editor.drawn.value, editor.selection.value, editor.tool.value, editor.brush.value, editor.eraser.value]}
          label={t("canvas.surface", { label: parent?.label ?? "" })}
          tool={tool === "hand" ? null : tools}
          cursor={kCursors[tool]}
        >
          <ZoomState desk={desk} />
        </Stage>
      </div>
      <aside class="docks">
        <ColorPanel editor={editor} />
        <LayerPanel editor={editor} context={context} />
        <RepaintPanel desk={desk} editor={editor} context={context} count={count} />
      </aside>
      {saving && <SaveDialog desk={desk} close={() => setSaving(false)} />}
      {desk.autosave.state.value === "conflict" && <ConflictDialog desk={desk} />}
    </div>
  );
}

export function CanvasView({ values }: { values: Record<string, string> }): JSX.Element {
  const task = values.task ?? "";
  const desk = useMemo(() => new CanvasDesk({ task, take: place.peek().query.get("take"), mask: place.peek().query.get("mask") }), [task]);
  useEffect(() => {
    // Leaving stores what is not stored yet; only closing the window has to ask.
    const before = (event: BeforeUnloadEvent): void => {
      if (desk.autosave.hasUnsaved) event.preventDefault();
    };
    leaveGuard.current = () => {
      void desk.autosave.flush();
      return true;
    };
    addEventListener("beforeunload", before);
    return () => {
      removeEventListener("beforeunload", before);
      leaveGuard.current = null;
      desk.close();
    };
  }, [desk]);
  if (desk.error.value) return <ErrorBox error={desk.error.value} />;
  if (desk.choice.value) return <ChoiceDialog desk={desk} choice={desk.choice.value} close={() => navigate(`/tasks/${task}`)} />;
  if (!desk.open.value) return <div class="empty" aria-busy="true" />;
  return <Painting desk={desk} open={desk.open.value} />;
}
