// What is asked for: the brief and the pictures it points to, with changing both.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { api } from "../../api/session";
import { useResource } from "../../api/store";
import type { Page, Person, Task, Upload } from "../../model/documents";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { reportError } from "../../parts/notices";
import { fileUrl } from "../../parts/picture";
import { t } from "../../words";

function EditTaskDialog({ task, close }: { task: Task; close(): void }): JSX.Element {
  const people = useResource<Page<Person>>("/people", { query: { limit: 500 } });
  // The version the dialog was opened with: somebody else's change in between is refused, not overwritten.
  const opened = useRef(task);
  const held = new Set(opened.current.assignees.map((each) => each.id));
  async function save(form: FormData): Promise<void> {
    const due = String(form.get("due") ?? "");
    const most = String(form.get("max_retakes") ?? "");
    const change = {
      brief: form.get("brief"),
      priority: Number(form.get("priority")),
      due_at: due,
      // Below 0: as the show says.
      max_retakes: most === "" ? -1 : Number(most),
      assignees: form.getAll("assignee"),
    };
    await api.patch(`/tasks/${task.id}`, change, opened.current.version);
  }
  return (
    <FormDialog title={t("task.edit")} submit={t("common.save")} close={close} perform={save}>
      <TextField label={t("task.brief")} name="brief" lines={7} value={task.brief} autofocus />
      <div class="fields-2">
        <label class="field">
          <span class="label">{t("task.priority")}</span>
          <select class="input" name="priority" defaultValue={String(task.priority)}>
            {[0, 1, 2, 3].map((level) => (
              <option key={level} value={level} selected={level === task.priority}>
                {t(`priority.${level as 0 | 1 | 2 | 3}`)}
              </option>
            ))}
          </select>
        </label>
        <TextField label={t("task.due")} name="due" type="date" value={task.due_at?.slice(0, 10) ?? ""} />
        <TextField label={t("task.max_retakes")} name="max_retakes" type="number" value={task.max_retakes === null ? "" : String(task.max_retakes)} note={t("task.max_retakes_note")} />
      </div>
      <fieldset class="checks">
        <legend class="label">{t("task.assignee")}</legend>
        {people.data.value?.items.map((person) => (
          <label key={person.id} class="check">
            <input type="checkbox" name="assignee" value={person.id} defaultChecked={held.has(person.id)} />
            {person.name}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}

export function BriefPanel({ task, mayEdit }: { task: Task; mayEdit: boolean }): JSX.Element {
  const [editing, setEditing] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  async function addReferences(): Promise<void> {
    for (const file of input.current?.files ?? []) {
      const upload = await api.post<Upload>(`/shows/${task.show_id}/uploads`, file);
      await api.put(`/tasks/${task.id}/references/${upload.sha256}`, { name: file.name });
    }
    if (input.current) input.current.value = "";
  }

  return (
    <div class="stack">
      <div class="row spread">
        <h2>{t("task.brief")}</h2>
        {mayEdit && (
          <button type="button" class="button button-small" onClick={() => setEditing(true)}>
            {t("common.edit")}
          </button>
        )}
      </div>
      <p class="brief">{task.brief || <span class="faint">{t("task.no_brief")}</span>}</p>
      <div class="row spread">
        <h2>{t("task.references")}</h2>
        {mayEdit && (
          <>
            <button type="button" class="button button-small" onClick={() => input.current?.click()}>
              {t("common.add")}
            </button>
            <input ref={input} type="file" accept="image/*" multiple hidden onChange={() => addReferences().catch(reportError)} />
          </>
        )}
      </div>
      {task.references.length === 0 && <p class="faint">{t("task.no_references")}</p>}
      <ul class="references">
        {task.references.map((reference) => (
          <li key={reference.sha256}>
            <a href={fileUrl(task.show_id, reference.sha256)} target="_blank" rel="noreferrer">
              <img src={fileUrl(task.show_id, reference.sha256)} alt={reference.name} loading="lazy" />
            </a>
            <span class="clip" title={reference.name}>
              {reference.name}
            </span>
            {mayEdit && (
              <button
                type="button"
                class="icon-button"
                aria-label={t("task.remove_reference", { name: reference.name })}
                title={t("common.remove")}
                onClick={() => api.remove(`/tasks/${task.id}/references/${reference.sha256}`).catch(reportError)}
              >
                ×
              </button>
            )}
          </li>
        ))}
      </ul>
      {editing && <EditTaskDialog task={task} close={() => setEditing(false)} />}
    </div>
  );
}
