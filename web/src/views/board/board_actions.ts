// What can be done on the board.
import type { BoardRow } from "../../model/documents";
import type { ActionTable } from "../../parts/actions";
import { navigate } from "../../parts/router";
import type { BoardKind } from "./board_view";

export interface BoardContext {
  row: BoardRow | null;
  kind: BoardKind;
  mayStructure: boolean;
  mayTask: boolean;
  open(dialog: BoardKind | "task" | "casting"): void;
  enter(row: BoardRow): void;
  setKind(kind: BoardKind): void;
}

const holds = (c: BoardContext): boolean => c.kind === "episode" || c.kind === "sequence";
const firstTask = (c: BoardContext): string | undefined => c.row?.tasks[0]?.id;

export const kBoardActions: ActionTable<BoardContext> = {
  group: "actions.board",
  actions: [
    { id: "board.open", label: "board.open_task", keys: ["o"], when: (c) => firstTask(c) !== undefined, perform: (c) => navigate(`/tasks/${firstTask(c)}`) },
    { id: "board.new_shot", label: "board.new_shot", keys: ["n"], when: (c) => c.mayStructure && c.kind === "shot", perform: (c) => c.open("shot") },
    { id: "board.new_asset", label: "board.new_asset", keys: ["n"], when: (c) => c.mayStructure && c.kind === "asset", perform: (c) => c.open("asset") },
    { id: "board.new_sequence", label: "board.new_sequence", keys: ["Shift+N"], when: (c) => c.mayStructure, perform: (c) => c.open("sequence") },
    { id: "board.new_episode", label: "board.new_episode", keys: ["n"], when: (c) => c.mayStructure && c.kind === "episode", perform: (c) => c.open("episode") },
    { id: "board.enter", label: "board.enter", keys: ["Enter"], when: (c) => c.row !== null && holds(c), perform: (c) => c.enter(c.row!) },
    { id: "board.new_task", label: "board.new_task", keys: ["t"], when: (c) => c.mayTask && c.row !== null && !holds(c), perform: (c) => c.open("task") },
    { id: "board.casting", label: "board.edit_casting", keys: ["c"], when: (c) => c.row !== null && !holds(c), perform: (c) => c.open("casting") },
    { id: "board.shots", label: "kind.shots", keys: ["1"], perform: (c) => c.setKind("shot") },
    { id: "board.assets", label: "kind.assets", keys: ["2"], perform: (c) => c.setKind("asset") },
    { id: "board.sequences", label: "kind.sequences", keys: ["3"], perform: (c) => c.setKind("sequence") },
    { id: "board.episodes", label: "kind.episodes", keys: ["4"], perform: (c) => c.setKind("episode") },
  ],
};
