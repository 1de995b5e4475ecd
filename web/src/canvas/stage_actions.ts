// Zooming and moving by keys, the same in every view of pictures.
import type { ActionTable } from "../parts/actions";
import type { StageView } from "./stage_view";

/** CSS pixels a key moves the picture. */
const kPan = 80;

export const kStageActions: ActionTable<StageView> = {
  group: "stage.group",
  actions: [
    { id: "stage.in", label: "stage.zoom_in", keys: ["+", "="], perform: (stage) => stage.zoom(1) },
    { id: "stage.out", label: "stage.zoom_out", keys: ["-"], perform: (stage) => stage.zoom(-1) },
    { id: "stage.fit", label: "stage.fit", keys: ["0", "Home"], perform: (stage) => stage.fit() },
    { id: "stage.actual", label: "stage.actual", keys: ["1"], perform: (stage) => stage.actual() },
    { id: "stage.left", label: "stage.left", keys: ["Shift+ArrowLeft"], perform: (stage) => stage.pan(kPan, 0) },
    { id: "stage.right", label: "stage.right", keys: ["Shift+ArrowRight"], perform: (stage) => stage.pan(-kPan, 0) },
    { id: "stage.up", label: "stage.up", keys: ["Shift+ArrowUp"], perform: (stage) => stage.pan(0, kPan) },
    { id: "stage.down", label: "stage.down", keys: ["Shift+ArrowDown"], perform: (stage) => stage.pan(0, -kPan) },
  ],
};
