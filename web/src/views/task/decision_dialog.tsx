// Decisions about a take that are kept with a reason: approving, taking the approval back, withdrawing, restoring,
// freeing its disk space.
import type { JSX } from "preact";
import { api } from "../../api/session";
import type { Take, Task } from "../../model/documents";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { thumbnailUrl, Thumbnail } from "../../parts/picture";
import { t } from "../../words";

export interface Decision {
  kind: "approve" | "unapprove" | "withdraw" | "restore" | "purge";
  take: Take;
}

export function DecisionDialog({ decision, task, close, done }: { decision: Decision; task: Task; close(): void; done(): Promise<void> }): JSX.Element {
  const { kind, take } = decision;
  async function perform(form: FormData): Promise<void> {
    const path = kind === "unapprove" ? `/tasks/${task.id}/unapprove` : `/takes/${take.id}/${kind}`;
    await api.post(path, { reason: String(form.get("reason") ?? "") });
    await done();
  }
  return (
    <FormDialog title={t(`decision.${kind}`, { take: take.label })} submit={t(`action.${kind}`)} close={close} perform={perform} danger={kind === "purge"}>
      <div class="decision">
        <Thumbnail url={thumbnailUrl(take)} alt={take.label} class="decision-picture" />
        <p class="muted">{t(`decision.${kind}_note`)}</p>
      </div>
      <TextField label={t("decision.reason")} name="reason" lines={3} autofocus required={kind === "purge"} />
    </FormDialog>
  );
}
