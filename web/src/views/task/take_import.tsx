// Bringing a picture from outside in as a take: chosen, one or several.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { api } from "../../api/session";
import type { Task } from "../../model/documents";
import { notify, reportError } from "../../parts/notices";
import { t } from "../../words";

export async function importPictures(task: Task, files: readonly File[]): Promise<void> {
  for (const file of files) {
    await api.post(`/tasks/${task.id}/takes`, file, { origin: "imported", title: file.name });
  }
  notify("task.imported", { n: files.length });
}

export function TakeImport({ task, done }: { task: Task; done(): Promise<void> }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  async function chosen(): Promise<void> {
    const files = [...(input.current?.files ?? [])];
    if (files.length === 0) return;
    setBusy(true);
    try {
      await importPictures(task, files);
      await done();
    } catch (thrown) {
      reportError(thrown);
    } finally {
      setBusy(false);
      if (input.current) input.current.value = "";
    }
  }
  return (
    <>
      <button type="button" class="button button-small" disabled={busy} title={t("task.import_note")} onClick={() => input.current?.click()}>
        {t("task.import")}
      </button>
      <input ref={input} type="file" accept="image/*,.exr,.ora,.psd" multiple hidden onChange={() => void chosen()} />
    </>
  );
}
