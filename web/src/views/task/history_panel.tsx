// Which take was approved when, by whom and why: the newest first.
import type { JSX } from "preact";
import { useResource } from "../../api/store";
import type { Approval, Page, Take, Task } from "../../model/documents";
import { thumbnailUrl, Thumbnail } from "../../parts/picture";
import { formatTime, t, tOr } from "../../words";

export function HistoryPanel({ task, takes, select }: { task: Task; takes: Take[]; select(take: Take): void }): JSX.Element {
  const approvals = useResource<Page<Approval>>(`/tasks/${task.id}/approvals`, { topics: [{ kinds: ["take", "task"], show: task.show_id, task: task.id }] });
  const items = [...(approvals.data.value?.items ?? [])].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <div class="stack">
      <h2>{t("history.title")}</h2>
      {approvals.data.value && items.length === 0 && <p class="faint">{t("history.none")}</p>}
      <ol class="approvals">
        {items.map((approval, index) => {
          const take = takes.find((each) => each.id === approval.take_id);
          return (
            <li key={approval.at} class={index === 0 && approval.take_id ? "approval approval-now" : "approval"}>
              <Thumbnail url={approval.take_id ? thumbnailUrl({ id: approval.take_id }) : null} alt="" class="approval-picture" />
              <div class="grow">
                <p>
                  {approval.take_id ? (
                    take ? (
                      <button type="button" class="text-button" onClick={() => select(take)}>
                        {take.label}
                      </button>
                    ) : (
                      t("history.other_take")
                    )
                  ) : (
                    t("history.taken_back")
                  )}
                  {index === 0 && approval.take_id && <span class="state-word state-approved"> {t("take.approved")}</span>}
                </p>
                <p class="muted">
                  {approval.person?.name} ({tOr(`role.${approval.role}`, approval.role)}), {formatTime(approval.at)}
                </p>
                {approval.reason && <p>{approval.reason}</p>}
              </div>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
