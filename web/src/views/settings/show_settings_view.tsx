// The settings of a show: its frame, its file names, its caps; statuses and types of tasks.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { segment } from "../../api/client";
import { asErrorDocument } from "../../api/errors";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { AssetType, ErrorDocument, Page, Show, TaskStatus, TaskType } from "../../model/documents";
import { StatusChip, TypeMark } from "../../parts/chip";
import { ErrorBox } from "../../parts/error_box";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { notify } from "../../parts/notices";
import { Link } from "../../parts/router";
import { t, tOr, type WordKey } from "../../words";
import { ShowHead } from "../show/show_head";
import "../show/show_head.css";
import "./show_settings.css";

interface SettingField {
  name: string;
  label: WordKey;
  type: "number" | "text";
  step?: string;
  note?: WordKey;
}

const kFields: readonly SettingField[] = [
  { name: "width", label: "size.width", type: "number" },
  { name: "height", label: "size.height", type: "number" },
  { name: "overscan", label: "settings.overscan", type: "number", step: "0.01", note: "settings.overscan_note" },
  { name: "fps", label: "settings.fps", type: "number", step: "0.001" },
  { name: "max_retakes", label: "settings.max_retakes", type: "number", note: "settings.max_retakes_note" },
  { name: "path_template", label: "settings.path_template", type: "text", note: "settings.path_template_note" },
  { name: "color_config", label: "settings.color_config", type: "text", note: "settings.color_config_note" },
];

/** No cap is kept as 0, and shown as nothing. */
function shown(field: SettingField, value: unknown): string {
  return field.name === "max_retakes" && value === 0 ? "" : String(value ?? "");
}

function SettingsForm({ show, mayEdit, saved }: { show: Show; mayEdit: boolean; saved(show: Show): void }): JSX.Element {
  const [error, setError] = useState<ErrorDocument | null>(null);
  const opened = useRef(show);
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const settings: Record<string, unknown> = { ...opened.current.settings };
    for (const field of kFields) {
      const text = String(data.get(field.name) ?? "").trim();
      // The server keeps numbers only; a number that was emptied is its smallest.
      settings[field.name] = field.type === "number" ? Number(text) : text;
    }
    try {
      const answer = await api.patch<Show>(`/shows/${show.id}`, { name: data.get("name"), settings }, opened.current.version);
      opened.current = answer;
      saved(answer);
      setError(null);
      notify("common.saved");
    } catch (thrown) {
      setError(asErrorDocument(thrown));
    }
  }
  return (
    <form class="panel settings-form" onSubmit={(event) => void save(event)}>
      <TextField label={t("common.name")} name="name" value={show.name} required />
      {kFields.map((field) => (
        <label key={field.name} class={field.type === "text" ? "field field-wide" : "field"}>
          <span class="label">{t(field.label)}</span>
          <input class="input" name={field.name} type={field.type} step={field.step} disabled={!mayEdit} defaultValue={shown(field, show.settings[field.name])} />
          {field.note && <span class="field-note">{t(field.note)}</span>}
        </label>
      ))}
      {error && (
        <div class="field-wide">
          <ErrorBox error={error} />
        </div>
      )}
      {mayEdit && (
        <div class="field-wide row">
          <button type="submit" class="button button-primary">
            {t("common.save")}
          </button>
          <span class="faint">{t("settings.root", { root: show.root ?? "" })}</span>
        </div>
      )}
    </form>
  );
}

const kFlags = ["is_default", "is_wip", "is_feedback_request", "is_retake", "is_done", "is_artist_allowed", "is_client_allowed", "archived"] as const;

function StatusDialog({ showId, status, close, done }: { showId: string; status: TaskStatus | null; close(): void; done(): Promise<void> }): JSX.Element {
  async function save(form: FormData): Promise<void> {
    const body: Record<string, unknown> = { name: form.get("name"), color: form.get("color") };
    for (const flag of kFlags) body[flag] = form.get(flag) !== null;
    if (status) await api.patch(`/shows/${showId}/statuses/${status.id}`, body);
    else await api.post(`/shows/${showId}/statuses`, { ...body, code: form.get("code") });
    await done();
  }
  return (
    <FormDialog title={status ? status.name : t("settings.new_status")} submit={t("common.save")} close={close} perform={save}>
      <div class="fields-2">
        <TextField label={t("common.name")} name="name" value={status?.name ?? ""} required autofocus />
        {!status && <TextField label={t("common.code")} name="code" required />}
        <TextField label={t("settings.color")} name="color" type="color" value={status?.color ?? "#9e9e9e"} />
      </div>
      <fieldset class="status-flags">
        <legend class="label">{t("settings.flags")}</legend>
        {kFlags.map((flag) => (
          <label key={flag} class="check">
            <input type="checkbox" name={flag} defaultChecked={status ? status[flag] : flag === "is_artist_allowed"} />
            {t(`flag.${flag}`)}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}

const kKinds = ["shot", "asset", "sequence", "episode"] as const;

/** A new type of tasks or of assets. */
function TypeDialog({ showId, of, close, done }: { showId: string; of: "task" | "asset"; close(): void; done(): Promise<void> }): JSX.Element {
  async function create(form: FormData): Promise<void> {
    const body = { code: form.get("code"), name: form.get("name") };
    const more = of === "task" ? { color: form.get("color"), for_kind: form.get("for_kind") } : {};
    await api.post(`/shows/${showId}/${of}-types`, { ...body, ...more });
    await done();
  }
  return (
    <FormDialog title={t(`settings.new_${of}_type`)} submit={t("common.create")} close={close} perform={create}>
      <div class="fields-2">
        <TextField label={t("common.name")} name="name" required autofocus />
        <TextField label={t("common.code")} name="code" required pattern={"[A-Za-z0-9][A-Za-z0-9_\\-]*"} />
        {of === "task" && (
          <>
            <label class="field">
              <span class="label">{t("settings.type_for")}</span>
              <select class="input" name="for_kind">
                <option value="">{t("settings.everything")}</option>
                {kKinds.map((kind) => (
                  <option key={kind} value={kind}>
                    {t(`kind.${kind}s`)}
                  </option>
                ))}
              </select>
            </label>
            <TextField label={t("settings.color")} name="color" type="color" value="#9e9e9e" />
          </>
        )}
      </div>
    </FormDialog>
  );
}

export function ShowSettingsView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show!;
  const base = `/shows/${segment(code)}`;
  const show = useResource<Show>(base, { topics: [{ kinds: ["show"] }] });
  const statuses = useResource<Page<TaskStatus>>(`${base}/statuses`, { topics: [{ kinds: ["status", "show"] }] });
  const types = useResource<Page<TaskType>>(`${base}/task-types`, { topics: [{ kinds: ["show"] }] });
  const assetTypes = useResource<Page<AssetType>>(`${base}/asset-types`, { topics: [{ kinds: ["show"] }] });
  const [typeOf, setTypeOf] = useState<"task" | "asset" | null>(null);
  const [open, setOpen] = useState<TaskStatus | "new" | null>(null);
  const data = show.data.value;
  const mayEdit = may("show.edit", data?.id ?? null);
  return (
    <>
      <ShowHead show={data} code={code} tab="settings" />
      <div class="page settings">
        {show.error.value && <ErrorBox error={show.error.value} retry={() => void show.reload()} />}
        {data && <SettingsForm show={data} mayEdit={mayEdit} saved={(answer) => show.replace(answer)} />}
        <section>
          <div class="page-head">
            <h2>{t("settings.statuses")}</h2>
            {mayEdit && (
              <button type="button" class="button button-small" onClick={() => setOpen("new")}>
                {t("settings.new_status")}
              </button>
            )}
          </div>
          <table class="table">
            <tbody>
              {statuses.data.value?.items.map((status) => (
                <tr key={status.id}>
                  <td>
                    <StatusChip status={status} />
                  </td>
                  <td class="mono">{status.code}</td>
                  <td class="muted">
                    {kFlags
                      .filter((flag) => status[flag])
                      .map((flag) => t(`flag.${flag}`))
                      .join(", ")}
                  </td>
                  <td class="number">
                    {mayEdit && (
                      <button type="button" class="button button-small" onClick={() => setOpen(status)}>
                        {t("common.edit")}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section>
          <div class="page-head">
            <h2>{t("settings.types")}</h2>
            {mayEdit && (
              <button type="button" class="button button-small" onClick={() => setTypeOf("task")}>
                {t("settings.new_task_type")}
              </button>
            )}
          </div>
          <table class="table">
            <tbody>
              {types.data.value?.items.map((type) => (
                <tr key={type.id}>
                  <td>
                    <TypeMark type={type} />
                  </td>
                  <td class="mono">{type.code}</td>
                  <td class="muted">{type.for_kind ? tOr(`kind.${type.for_kind}s`, type.for_kind) : t("settings.everything")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section>
          <div class="page-head">
            <h2>{t("settings.asset_types")}</h2>
            {mayEdit && (
              <button type="button" class="button button-small" onClick={() => setTypeOf("asset")}>
                {t("settings.new_asset_type")}
              </button>
            )}
          </div>
          <table class="table">
            <tbody>
              {assetTypes.data.value?.items.map((type) => (
                <tr key={type.id}>
                  <td>{type.name}</td>
                  <td class="mono">{type.code}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section>
          <div class="page-head">
            <h2>{t("settings.models")}</h2>
            <Link to={`/library?show=${code}`} class="button button-small">
              {t("settings.models_edit")}
            </Link>
          </div>
          <p class="muted">{t("settings.models_note")}</p>
        </section>
      </div>
      {typeOf && data && <TypeDialog showId={data.id} of={typeOf} close={() => setTypeOf(null)} done={() => (typeOf === "task" ? types : assetTypes).reload()} />}
      {open && data && <StatusDialog showId={data.id} status={open === "new" ? null : open} close={() => setOpen(null)} done={() => statuses.reload()} />}
    </>
  );
}
