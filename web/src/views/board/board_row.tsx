// One row of the board: picture, name, its tasks with status and takes, casting.
import type { JSX } from "preact";
import type { BoardRow, BoardTask, TaskStatus, TaskType } from "../../model/documents";
import { StatusChip } from "../../parts/chip";
import { fileUrl, Thumbnail } from "../../parts/picture";
import { Link } from "../../parts/router";
import { t, tn } from "../../words";

interface BoardRowProps {
  row: BoardRow | null;
  /** The row above, where it is known: a new sequence begins where its parent is another one. */
  before: BoardRow | null;
  enter(row: BoardRow): void;
  showCode: string;
  types: TaskType[];
  statuses: TaskStatus[];
  openCasting(): void;
}

/** The board names types and statuses by record, id or code. */
function resolve<T extends { id: string; code: string }>(given: T | string, list: T[]): T | null {
  if (typeof given !== "string") return given;
  return list.find((each) => each.id === given || each.code === given) ?? null;
}

function TaskCell({ task, types, statuses }: { task: BoardTask; types: TaskType[]; statuses: TaskStatus[] }): JSX.Element {
  const type = resolve(task.task_type, types);
  const status = resolve(task.status, statuses);
  return (
    <Link to={`/tasks/${task.id}`} class="board-task" tabIndex={-1} style={{ borderLeftColor: type?.color }}>
      <span class="board-task-name clip">{type?.name ?? ""}</span>
      <span class="board-task-counts">
        {tn("count.takes", task.take_count)}
        {task.retake_count > 0 && ` · ${tn("count.retakes", task.retake_count)}`}
      </span>
      <span class="board-task-state">
        {status && <StatusChip status={status} />}
        {task.approved_take_id && (
          <span class="board-approved" title={t("take.approved")}>
            ✓<span class="for-screen-readers">{t("take.approved")}</span>
          </span>
        )}
      </span>
    </Link>
  );
}

export function BoardRowCells({ row, before, enter, showCode, types, statuses, openCasting }: BoardRowProps): JSX.Element {
  if (!row) {
    return (
      <div class="board-row" aria-busy="true">
        <Thumbnail url={null} alt="" class="board-thumbnail" />
        <span class="board-waiting" role="gridcell" />
      </div>
    );
  }
  const { entity } = row;
  const frames = typeof entity.data.frames === "number" ? entity.data.frames : null;
  const thumbnail = entity.thumbnail ? fileUrl(showCode, entity.thumbnail) : null;
  const slash = entity.path.lastIndexOf("/") + 1;
  const begins = before !== null && before.entity.parent_id !== entity.parent_id;
  const holds = entity.kind === "episode" || entity.kind === "sequence";
  return (
    <div class={begins ? "board-row board-row-begins" : "board-row"}>
      <Thumbnail url={thumbnail} alt="" class="board-thumbnail" />
      <div class="board-name" role="gridcell">
        <span class="board-path">
          <span class="board-parent">{entity.path.slice(0, slash)}</span>
          {entity.path.slice(slash)}
        </span>
        <span class="board-title clip">{entity.name}</span>
        {frames !== null && <span class="faint board-frames">{tn("count.frames", frames)}</span>}
      </div>
      <div class="board-tasks" role="gridcell">
        {row.tasks.map((task) => (
          <TaskCell key={task.id} task={task} types={types} statuses={statuses} />
        ))}
      </div>
      <div role="gridcell">
        {holds && (
          <button type="button" class="button button-bare button-small" tabIndex={-1} title={t("board.enter")} onClick={() => enter(row)}>
            {t(entity.kind === "episode" ? "kind.sequences" : "kind.shots")} ›
          </button>
        )}
        {!holds && (
          <button type="button" class="button button-bare button-small" tabIndex={-1} title={t("board.edit_casting")} onClick={openCasting}>
            {entity.kind === "asset" ? tn("count.shots", row.casting_count) : tn("count.assets", row.casting_count)}
          </button>
        )}
      </div>
    </div>
  );
}
