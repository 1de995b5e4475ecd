// The board of a show: its episodes, sequences, shots or assets with the status of every task, filtered, searched, and
// scrolled through without loading what is not on screen.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { segment } from "../../api/client";
import { onEvent, onLoss } from "../../api/live";
import { RowWindow } from "../../api/row_window";
import { may } from "../../api/session";
import { useResource } from "../../api/store";
import type { BoardRow, Page, Show, TaskStatus, TaskType } from "../../model/documents";
import { ActionButton, useActions } from "../../parts/actions";
import { ErrorBox } from "../../parts/error_box";
import { navigate, place, setQuery } from "../../parts/router";
import { VirtualList } from "../../parts/virtual_list";
import { t, tn } from "../../words";
import { ShowHead } from "../show/show_head";
import { kBoardActions, type BoardContext } from "./board_actions";
import { BoardFilters } from "./board_filters";
import { BoardRowCells } from "./board_row";
import { CastingDialog } from "./casting_dialog";
import { CreateEntityDialog, CreateTaskDialog } from "./create_dialogs";
import "./board.css";

export type BoardKind = "episode" | "sequence" | "shot" | "asset";
type Open = BoardKind | "task" | "casting" | null;

function useWindow(path: string, query: Record<string, string>): RowWindow<BoardRow> {
  const rows = useMemo(() => new RowWindow<BoardRow>(path, query), [path, JSON.stringify(query)]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onEvent((event) => {
      if (!["entity", "shot", "asset", "sequence", "episode", "task", "take", "comment"].includes(event.subject_kind)) return;
      clearTimeout(timer);
      timer = setTimeout(() => rows.refresh(), 200);
    });
    const endLoss = onLoss(() => rows.refresh());
    return () => {
      end();
      endLoss();
      clearTimeout(timer);
      rows.close();
    };
  }, [rows]);
  return rows;
}

export function BoardView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show!;
  const base = `/shows/${segment(code)}`;
  const show = useResource<Show>(base, { topics: [{ kinds: ["show", "shot", "asset", "take"] }] });
  const statuses = useResource<Page<TaskStatus>>(`${base}/statuses`, { topics: [{ kinds: ["status"] }] });
  const types = useResource<Page<TaskType>>(`${base}/task-types`);
  const query = place.value.query;
  const kind = (query.get("kind") ?? "shot") as BoardKind;
  const filters: Record<string, string> = { kind };
  for (const name of ["search", "status", "task_type"]) {
    const value = query.get(name);
    if (value) filters[name] = value;
  }
  const rows = useWindow(`${base}/board`, filters);
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<Open>(null);
  const cell = useRef(0);
  const total = rows.total.value;
  void rows.version.value;
  useEffect(() => setActive(0), [rows]);

  const showId = show.data.value?.id ?? null;
  /** Into an episode or a sequence: what it holds, by the start of its path. */
  function enter(row: BoardRow): void {
    const into = { episode: "sequence", sequence: "" }[row.entity.kind as "episode" | "sequence"];
    setQuery({ kind: into, search: `${row.entity.path}/` });
  }
  const context: BoardContext = {
    row: rows.row(active),
    kind,
    enter,
    mayStructure: may("structure.edit", showId),
    mayTask: may("task.edit", showId),
    open: setOpen,
    setKind: (wanted) => setQuery({ kind: wanted === "shot" ? "" : wanted }),
  };
  useActions(kBoardActions, context);

  function openRow(index: number): void {
    const row = rows.row(index);
    if (row && (kind === "episode" || kind === "sequence")) return enter(row);
    const task = row?.tasks[Math.min(cell.current, row.tasks.length - 1)];
    if (task) navigate(`/tasks/${task.id}`);
  }
  const shownTypes = (types.data.value?.items ?? []).filter((type) => !type.for_kind || type.for_kind === kind || (type.for_kind === "shot" && (kind === "sequence" || kind === "episode")));
  const error = rows.error.value ?? show.error.value;
  const statusList = statuses.data.value?.items ?? [];
  return (
    <div class="board">
      <ShowHead show={show.data.value} code={code} tab="board" />
      <BoardFilters kind={kind} statuses={statusList} types={shownTypes}>
        <span class="muted board-count" role="status">
          {total === null ? "" : tn("board.rows", total)}
        </span>
        {context.mayStructure && (
          <>
            <ActionButton action={kBoardActions.actions.find((each) => each.id === `board.new_${kind}`)!} context={context} />
            {kind !== "asset" && kind !== "sequence" && <ActionButton action={kBoardActions.actions.find((each) => each.id === "board.new_sequence")!} context={context} />}
          </>
        )}
      </BoardFilters>
      {error && (
        <div class="panel-body">
          <ErrorBox error={error} retry={() => rows.refresh()} />
        </div>
      )}
      <div class="board-head" aria-hidden="true">
        <span />
        <span>{t(`kind.${kind}`)}</span>
        <span class="board-tasks">{t("board.tasks")}</span>
        <span>{t("board.casting")}</span>
      </div>
      {total === 0 ? (
        <p class="empty">{query.get("search") || query.get("status") || query.get("task_type") ? t("board.nothing_found") : t(`board.none.${kind}`)}</p>
      ) : (
        <VirtualList
          id="board-rows"
          label={t("board.title")}
          count={total ?? 0}
          rowHeight={66}
          active={active}
          setActive={setActive}
          onRange={(first, last) => rows.ensure(first, last)}
          onOpen={openRow}
        >
          {(index) => <BoardRowCells row={rows.row(index)} before={rows.row(index - 1)} enter={enter} showCode={code} types={shownTypes} statuses={statusList} openCasting={() => setOpen("casting")} />}
        </VirtualList>
      )}
      {open === "task" && context.row && <CreateTaskDialog showCode={code} entity={context.row.entity} types={shownTypes} close={() => setOpen(null)} />}
      {open === "casting" && context.row && <CastingDialog showCode={code} entity={context.row.entity} mayEdit={context.mayStructure} close={() => setOpen(null)} />}
      {(open === "shot" || open === "asset" || open === "sequence" || open === "episode") && (
        <CreateEntityDialog showCode={code} kind={open} parent={context.row?.entity ?? null} close={() => setOpen(null)} />
      )}
    </div>
  );
}
