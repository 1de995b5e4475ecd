// The head of a task: where it is, its status, retakes, who works on it, until when.
import type { JSX } from "preact";
import type { Task } from "../../model/documents";
import { ActionButton } from "../../parts/actions";
import { StatusChip, TypeMark } from "../../parts/chip";
import { Link } from "../../parts/router";
import { formatDay, t, tn } from "../../words";
import { TakeImport } from "./take_import";
import { taskAction, type TaskContext } from "./task_actions";

export function TaskHead({ task, context, reload }: { task: Task; context: TaskContext; reload(): Promise<void> }): JSX.Element {
  return (
    <header class="task-head">
      <div class="task-title">
        <Link to={`/shows/${task.show_code}${task.entity.kind === "asset" ? "?kind=asset" : ""}`} class="muted">
          {task.show_code}
        </Link>
        <span class="faint" aria-hidden="true">
          /
        </span>
        <h1 class="clip">
          {task.entity.path} <span class="task-name">{task.entity.name}</span>
        </h1>
        <TypeMark type={task.task_type} />
      </div>
      <StatusChip status={task.status} />
      <dl class="task-facts">
        <div>
          <dt>{t("task.retakes")}</dt>
          <dd>{task.max_retakes === null ? task.retake_count : t("task.retakes_of", { n: task.retake_count, most: task.max_retakes })}</dd>
        </div>
        <div>
          <dt>{t("task.assignee")}</dt>
          <dd>{task.assignees.map((each) => each.name).join(", ") || t("task.nobody")}</dd>
        </div>
        {task.due_at && (
          <div>
            <dt>{t("task.due")}</dt>
            <dd>{formatDay(task.due_at)}</dd>
          </div>
        )}
        {task.priority > 0 && (
          <div>
            <dt>{t("task.priority")}</dt>
            <dd>{t(`priority.${Math.min(3, task.priority) as 1 | 2 | 3}`)}</dd>
          </div>
        )}
      </dl>
      <div class="row task-tools">
        <span class="faint">{tn("count.takes", task.take_count)}</span>
        <ActionButton action={taskAction("panel")} context={context} class="button button-small" pressed={context.generateShown} />
        <ActionButton action={taskAction("canvas")} context={context} class="button button-small" />
        {context.may("take.file") && <TakeImport task={task} done={reload} />}
      </div>
    </header>
  );
}
