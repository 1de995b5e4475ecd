// New episodes, sequences, shots, assets and tasks.
import type { JSX } from "preact";
import { segment } from "../../api/client";
import { api } from "../../api/session";
import { useResource } from "../../api/store";
import type { AssetType, Entity, Page, Person, TaskType } from "../../model/documents";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { notify } from "../../parts/notices";
import { navigate } from "../../parts/router";
import { t } from "../../words";
import type { BoardKind } from "./board_view";

const kCodePattern = "[A-Za-z0-9][A-Za-z0-9_\\-]*";

interface CreateEntityProps {
  showCode: string;
  kind: BoardKind;
  /** The row the board was at: a new shot goes into its sequence. */
  parent: Entity | null;
  close(): void;
}

export function CreateEntityDialog({ showCode, kind, parent, close }: CreateEntityProps): JSX.Element {
  const base = `/shows/${segment(showCode)}`;
  const sequences = useResource<Page<Entity>>(kind === "shot" ? `${base}/entities` : null, { query: { kind: "sequence", limit: 500 } });
  const episodes = useResource<Page<Entity>>(kind === "sequence" ? `${base}/entities` : null, { query: { kind: "episode", limit: 500 } });
  const inEpisode = parent?.kind === "episode" ? parent.id : parent?.kind === "sequence" ? (parent.parent_id ?? "") : "";
  const types = useResource<Page<AssetType>>(kind === "asset" ? `${base}/asset-types` : null);
  const inSequence = parent?.kind === "sequence" ? parent.id : (parent?.parent_id ?? "");

  async function create(form: FormData): Promise<void> {
    const body: Record<string, unknown> = { kind, code: form.get("code"), name: form.get("name"), brief: form.get("brief") };
    if (kind === "shot") {
      body.parent = form.get("parent");
      if (form.get("frames")) body.data = { frames: Number(form.get("frames")) };
    }
    if (kind === "sequence" && form.get("parent")) body.parent = form.get("parent");
    if (kind === "asset") body.asset_type = form.get("asset_type");
    const made = await api.post<Entity>(`${base}/entities`, body);
    notify("board.created", { path: made.path });
  }

  return (
    <FormDialog title={t(`board.new_${kind}`)} submit={t("common.create")} close={close} perform={create}>
      {kind === "shot" && (
        <label class="field">
          <span class="label">{t("kind.sequence")}</span>
          <select class="input" name="parent" required key={String(sequences.data.value !== null)} defaultValue={inSequence}>
            {sequences.data.value?.items.map((each) => (
              <option key={each.id} value={each.id} selected={each.id === inSequence}>
                {each.path} {each.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {kind === "sequence" && (episodes.data.value?.items.length ?? 0) > 0 && (
        <label class="field">
          <span class="label">{t("kind.episode")}</span>
          <select class="input" name="parent" defaultValue={inEpisode}>
            <option value="">{t("board.no_episode")}</option>
            {episodes.data.value?.items.map((each) => (
              <option key={each.id} value={each.id} selected={each.id === inEpisode}>
                {each.path} {each.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {kind === "asset" && (
        <label class="field">
          <span class="label">{t("board.asset_type")}</span>
          <select class="input" name="asset_type" required>
            {types.data.value?.items.map((each) => (
              <option key={each.id} value={each.code}>
                {each.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="fields-2">
        <TextField label={t("common.code")} name="code" required autofocus pattern={kCodePattern} note={t(`board.code_note.${kind}`)} />
        <TextField label={t("common.name")} name="name" />
      </div>
      {kind === "shot" && <TextField label={t("board.frames")} name="frames" type="number" />}
      <TextField label={t("task.brief")} name="brief" lines={4} />
    </FormDialog>
  );
}

interface CreateTaskProps {
  showCode: string;
  entity: Entity;
  types: TaskType[];
  close(): void;
}

export function CreateTaskDialog({ entity, types, close }: CreateTaskProps): JSX.Element {
  const people = useResource<Page<Person>>("/people", { query: { limit: 500 } });

  async function create(form: FormData): Promise<void> {
    const due = String(form.get("due") ?? "");
    const made = await api.post<{ id: string }>(`/entities/${entity.id}/tasks`, {
      task_type: form.get("task_type"),
      brief: form.get("brief"),
      assignees: form.getAll("assignee").filter(Boolean),
      priority: Number(form.get("priority")),
      ...(due ? { due_at: due } : {}),
    });
    navigate(`/tasks/${made.id}`);
  }

  return (
    <FormDialog title={t("board.new_task_for", { path: entity.path })} submit={t("common.create")} close={close} perform={create}>
      <div class="fields-2">
        <label class="field">
          <span class="label">{t("task.type")}</span>
          <select class="input" name="task_type" required data-autofocus>
            {types.map((type) => (
              <option key={type.id} value={type.code}>
                {type.name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="label">{t("task.assignee")}</span>
          <select class="input" name="assignee">
            <option value="">{t("task.nobody")}</option>
            {people.data.value?.items.map((person) => (
              <option key={person.id} value={person.id}>
                {person.name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="label">{t("task.priority")}</span>
          <select class="input" name="priority">
            {[0, 1, 2, 3].map((level) => (
              <option key={level} value={level}>
                {t(`priority.${level as 0 | 1 | 2 | 3}`)}
              </option>
            ))}
          </select>
        </label>
        <TextField label={t("task.due")} name="due" type="date" />
      </div>
      <TextField label={t("task.brief")} name="brief" lines={5} value={entity.brief} />
    </FormDialog>
  );
}
