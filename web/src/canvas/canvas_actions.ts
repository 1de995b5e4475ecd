// Everything that can be done on the canvas, with its keys.
import type { Action, ActionTable } from "../parts/actions";
import { activeLayer, type LayerKind } from "./document";
import type { Editor, Refusal, Tool } from "./editor";
import { clamp } from "./geometry";
import type { WordKey } from "../words";

export interface CanvasContext {
  editor: Editor;
  repaint(): Promise<void>;
  saveTake(): void;
  refused(why: Refusal): void;
  compare(): void;
  hasParent: boolean;
}

type CanvasAction = Action<CanvasContext>;

function toolAction(tool: Tool, key: string): CanvasAction {
  return { id: `canvas.tool.${tool}`, label: `canvas.tool.${tool}`, keys: [key], perform: ({ editor }) => void (editor.tool.value = tool) };
}

export const kToolActions: readonly CanvasAction[] = [
  toolAction("brush", "b"),
  toolAction("eraser", "e"),
  toolAction("fill", "g"),
  toolAction("lasso", "l"),
  toolAction("rectangle", "m"),
  toolAction("pick", "i"),
  toolAction("hand", "h"),
];

function resize(editor: Editor, factor: number): void {
  const brush = editor.currentBrush;
  const smallest = 1 / editor.state.peek().width;
  brush.value = { ...brush.value, size: clamp(brush.value.size * factor, smallest, 0.6) };
}

function harden(editor: Editor, by: number): void {
  const brush = editor.currentBrush;
  brush.value = { ...brush.value, hardness: clamp(Math.round((brush.value.hardness + by) * 100) / 100, 0, 1) };
}

const say = (context: CanvasContext, refusal: Refusal | null): void => {
  if (refusal) context.refused(refusal);
};
const hasSelection = ({ editor }: CanvasContext): boolean => editor.selection.value !== null;
const hasLayer = ({ editor }: CanvasContext): boolean => activeLayer(editor.state.value) !== null;

function layerAction(kind: LayerKind, key: string): CanvasAction {
  return { id: `canvas.add.${kind}`, label: `canvas.add.${kind}` as WordKey, keys: [key], perform: ({ editor }) => void editor.addLayer(kind) };
}

export const kLayerActions: readonly CanvasAction[] = [
  layerAction("paint", "n"),
  layerAction("mask", "q"),
  layerAction("region", "Shift+N"),
  layerAction("blockout", "Shift+B"),
];

function action(id: string, keys: string[], perform: (context: CanvasContext) => void | Promise<void>, when?: (context: CanvasContext) => boolean): CanvasAction {
  return { id: `canvas.${id}`, label: `canvas.${id}` as WordKey, keys, perform, ...(when ? { when } : {}) };
}

export const kUndo = action("undo", ["Mod+Z"], ({ editor }) => editor.undo(), ({ editor }) => editor.canUndo.value);
export const kRedo = action("redo", ["Mod+Shift+Z", "Mod+Y"], ({ editor }) => editor.redo(), ({ editor }) => editor.canRedo.value);
export const kRepaint = action("repaint", ["r", "Mod+Enter"], (context) => context.repaint(), ({ editor }) => !editor.isPainting);
export const kSaveTake = action("save_take", ["Mod+S"], (context) => context.saveTake());
export const kCompareTakes = action("compare", ["c"], (context) => context.compare(), (context) => context.hasParent);
export const kRemoveLayer = action("remove_layer", ["Shift+Delete"], ({ editor }) => editor.removeActive(), hasLayer);
export const kLayerUp = action("layer_up", ["Alt+PageUp"], ({ editor }) => editor.shiftActive(1), hasLayer);
export const kLayerDown = action("layer_down", ["Alt+PageDown"], ({ editor }) => editor.shiftActive(-1), hasLayer);
export const kSelectAll = action("select_all", ["Mod+A"], ({ editor }) => editor.selectAll());
export const kDeselect = action("deselect", ["Mod+D", "Escape"], ({ editor }) => editor.select(null), hasSelection);
export const kInvert = action("invert", ["Shift+I"], ({ editor }) => editor.invertSelection(), hasSelection);
export const kToMask = action("to_mask", ["Shift+Q"], (context) => say(context, context.editor.selectionToMask()), hasSelection);

export const kCanvasActions: ActionTable<CanvasContext> = {
  group: "canvas.group",
  actions: [
    ...kToolActions,
    action("smaller", ["["], ({ editor }) => resize(editor, 1 / 1.15)),
    action("larger", ["]"], ({ editor }) => resize(editor, 1.15)),
    action("softer", ["Shift+[", "{"], ({ editor }) => harden(editor, -0.1)),
    action("harder", ["Shift+]", "}"], ({ editor }) => harden(editor, 0.1)),
    kUndo,
    kRedo,
    kSelectAll,
    kDeselect,
    kInvert,
    kToMask,
    action("fill_selection", ["Shift+F", "Alt+Backspace"], (context) => say(context, context.editor.fillSelection())),
    action("clear_selection", ["Delete", "Backspace"], (context) => say(context, context.editor.clearSelection()), hasLayer),
    ...kLayerActions,
    kRemoveLayer,
    action("layer_above", ["PageUp"], ({ editor }) => editor.activateNext(1)),
    action("layer_below", ["PageDown"], ({ editor }) => editor.activateNext(-1)),
    kLayerUp,
    kLayerDown,
    action("toggle_layer", ["v"], ({ editor }) => {
      const layer = activeLayer(editor.state.peek());
      if (layer) editor.change(layer.id, { visible: !layer.visible });
    }, hasLayer),
    kRepaint,
    kSaveTake,
    kCompareTakes,
  ],
};
