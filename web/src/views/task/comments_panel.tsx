// What was said, oldest first, and saying something: a status changes only together with a comment.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { usePages } from "../../api/pages";
import { api } from "../../api/session";
import { useResource } from "../../api/store";
import type { Comment, Page, Task, TaskStatus } from "../../model/documents";
import { StatusChip } from "../../parts/chip";
import { ErrorBox } from "../../parts/error_box";
import { reportError } from "../../parts/notices";
import { formatTime, t } from "../../words";
import type { TaskContext } from "./task_actions";

function Said({ comment, context }: { comment: Comment; context: TaskContext }): JSX.Element {
  const take = context.wall.order.find((each) => each.id === comment.take_id);
  return (
    <li class="comment">
      <div class="comment-head">
        <b>{comment.person?.name ?? t("comments.guest", { name: comment.guest ?? "" })}</b>
        <time class="faint" dateTime={comment.said_at}>
          {formatTime(comment.said_at)}
        </time>
        {comment.status && <StatusChip status={comment.status} />}
      </div>
      {comment.text && <p class="comment-text">{comment.text}</p>}
      {take && (
        <button type="button" class="button button-bare button-small comment-take" onClick={() => context.select(take)}>
          {take.label}
          {comment.annotation_id && ` · ${t("comments.drawing")}`}
        </button>
      )}
    </li>
  );
}

export function CommentsPanel({ task, context }: { task: Task; context: TaskContext }): JSX.Element {
  const comments = usePages<Comment>(`/tasks/${task.id}/comments`, { topics: [{ kinds: ["comment", "task"], show: task.show_id, task: task.id }] });
  const statuses = useResource<Page<TaskStatus>>(`/shows/${task.show_id}/statuses`);
  const [busy, setBusy] = useState(false);
  const mayAny = context.may("status.any");
  const allowed = (statuses.data.value?.items ?? []).filter((status) => !status.archived && (mayAny || status.is_artist_allowed));

  async function say(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    setBusy(true);
    try {
      await api.post(`/tasks/${task.id}/comments`, {
        text: data.get("text"),
        ...(data.get("status") ? { status: data.get("status") } : {}),
        ...(data.get("take") && context.selected ? { take: context.selected.id } : {}),
      });
      form.reset();
      await comments.reload();
    } catch (thrown) {
      reportError(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="comments">
      {comments.error.value && <ErrorBox error={comments.error.value} retry={() => void comments.reload()} />}
      {comments.items.value?.length === 0 && <p class="faint">{t("comments.none")}</p>}
      <ul class="comment-list" aria-live="polite">
        {comments.items.value?.map((comment) => (
          <Said key={comment.id} comment={comment} context={context} />
        ))}
      </ul>
      {comments.next.value && (
        <button type="button" class="button button-small" onClick={() => void comments.more()}>
          {t("common.more")}
        </button>
      )}
      {context.may("comment.write") && (
        <form class="comment-form" onSubmit={(event) => void say(event)}>
          <textarea class="input" name="text" rows={3} aria-label={t("comments.write")} placeholder={t("comments.write")} />
          {context.selected && (
            <label class="check">
              <input type="checkbox" name="take" defaultChecked />
              {t("comments.about", { take: context.selected.label })}
            </label>
          )}
          <div class="row">
            <select class="input" name="status" aria-label={t("comments.status")}>
              <option value="">{t("comments.same_status")}</option>
              {allowed.map((status) => (
                <option key={status.id} value={status.code}>
                  {status.name}
                </option>
              ))}
            </select>
            <button type="submit" class="button button-primary" disabled={busy}>
              {t("comments.send")}
            </button>
          </div>
        </form>
      )}
    </div>
  );
}
