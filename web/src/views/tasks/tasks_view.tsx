// The tasks of a show as a list: one's own first, or everybody's.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { segment } from "../../api/client";
import { usePages } from "../../api/pages";
import { me } from "../../api/session";
import { useResource } from "../../api/store";
import type { Page, Show, Task, TaskStatus } from "../../model/documents";
import { StatusChip, TypeMark } from "../../parts/chip";
import { ErrorBox } from "../../parts/error_box";
import { Link, place, setQuery } from "../../parts/router";
import { Segments } from "../../parts/segments";
import { formatDay, t, tn } from "../../words";
import { ShowHead } from "../show/show_head";
import "../show/show_head.css";

export function TasksView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show!;
  const base = `/shows/${segment(code)}`;
  const show = useResource<Show>(base, { topics: [{ kinds: ["show"] }] });
  const statuses = useResource<Page<TaskStatus>>(`${base}/statuses`);
  const query = place.value.query;
  const whose = query.get("whose") === "all" ? "all" : "mine";
  const tasks = usePages<Task>(`${base}/tasks`, {
    query: { search: query.get("search"), status: query.get("status"), assignee: whose === "mine" ? me.value?.person.id : null },
    topics: [{ kinds: ["task", "comment", "take"] }],
    rows: 100,
  });
  const timer = useRef<ReturnType<typeof setTimeout>>();
  return (
    <>
      <ShowHead show={show.data.value} code={code} tab="tasks" />
      <div class="page">
        <div class="page-head">
          <Segments
            label={t("tasks.whose")}
            value={whose}
            options={[
              { value: "mine", label: t("tasks.mine") },
              { value: "all", label: t("common.all") },
            ]}
            choose={(wanted) => setQuery({ whose: wanted === "mine" ? "" : wanted })}
          />
          <input
            class="input"
            type="search"
            data-search
            placeholder={t("tasks.search")}
            aria-label={t("tasks.search")}
            defaultValue={query.get("search") ?? ""}
            onInput={(event) => {
              const text = event.currentTarget.value;
              clearTimeout(timer.current);
              timer.current = setTimeout(() => setQuery({ search: text }), 200);
            }}
          />
          <select class="input" aria-label={t("board.any_status")} value={query.get("status") ?? ""} onChange={(event) => setQuery({ status: event.currentTarget.value })}>
            <option value="">{t("board.any_status")}</option>
            {statuses.data.value?.items.map((status) => (
              <option key={status.id} value={status.code}>
                {status.name}
              </option>
            ))}
          </select>
        </div>
        {tasks.error.value && <ErrorBox error={tasks.error.value} retry={() => void tasks.reload()} />}
        {tasks.items.value?.length === 0 && <p class="empty">{whose === "mine" ? t("tasks.none_mine") : t("tasks.none")}</p>}
        {(tasks.items.value?.length ?? 0) > 0 && (
          <table class="table">
            <thead>
              <tr>
                <th>{t("tasks.task")}</th>
                <th>{t("task.type")}</th>
                <th>{t("tasks.status")}</th>
                <th>{t("task.assignee")}</th>
                <th>{t("task.retakes")}</th>
                <th>{t("show.takes")}</th>
                <th>{t("task.due")}</th>
              </tr>
            </thead>
            <tbody>
              {tasks.items.value?.map((task) => (
                <tr key={task.id}>
                  <td>
                    <Link to={`/tasks/${task.id}`}>{task.entity.path}</Link> <span class="muted">{task.entity.name}</span>
                  </td>
                  <td>
                    <TypeMark type={task.task_type} />
                  </td>
                  <td>
                    <StatusChip status={task.status} />
                  </td>
                  <td>{task.assignees.map((each) => each.name).join(", ")}</td>
                  <td>{task.retake_count > 0 ? tn("count.retakes", task.retake_count) : ""}</td>
                  <td>
                    {tn("count.takes", task.take_count)} {task.approved_take_id && <span class="state-approved">✓ {t("take.approved")}</span>}
                  </td>
                  <td>{task.due_at ? formatDay(task.due_at) : ""}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {tasks.next.value && (
          <button type="button" class="button" onClick={() => void tasks.more()}>
            {t("common.more")}
          </button>
        )}
      </div>
    </>
  );
}
