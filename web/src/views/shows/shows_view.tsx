// All shows the person may see, and new ones.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { Page, Show } from "../../model/documents";
import { ActionButton, useActions, type ActionTable } from "../../parts/actions";
import { ErrorBox } from "../../parts/error_box";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { Link, navigate } from "../../parts/router";
import { t, tn } from "../../words";
import "../show/show_head.css";
import "./shows.css";

interface ShowsContext {
  create(): void;
}

export const kShowsActions: ActionTable<ShowsContext> = {
  group: "shows.title",
  actions: [{ id: "shows.new", label: "shows.new", keys: ["n"], when: () => may("show.create"), perform: (c) => c.create() }],
};

function CreateShowDialog({ close }: { close(): void }): JSX.Element {
  async function create(form: FormData): Promise<void> {
    const made = await api.post<Show>("/shows", {
      code: form.get("code"),
      name: form.get("name"),
      settings: { width: Number(form.get("width")), height: Number(form.get("height")), fps: Number(form.get("fps")) },
    });
    navigate(`/shows/${made.code}`);
  }
  return (
    <FormDialog title={t("shows.new")} submit={t("common.create")} close={close} perform={create}>
      <div class="fields-2">
        <TextField label={t("common.name")} name="name" required autofocus />
        <TextField label={t("common.code")} name="code" required pattern="[a-z0-9][a-z0-9_\-]*" note={t("shows.code_note")} />
        <TextField label={t("size.width")} name="width" type="number" value="1920" required />
        <TextField label={t("size.height")} name="height" type="number" value="1080" required />
        <TextField label={t("settings.fps")} name="fps" type="number" value="24" required />
      </div>
    </FormDialog>
  );
}

export function ShowsView(): JSX.Element {
  const shows = useResource<Page<Show>>("/shows", { topics: [{ kinds: ["show"] }] });
  const [creating, setCreating] = useState(false);
  const context: ShowsContext = { create: () => setCreating(true) };
  useActions(kShowsActions, context);
  const error = shows.error.value;
  const items = shows.data.value?.items;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("shows.title")}</h1>
        {may("show.create") && <ActionButton action={kShowsActions.actions[0]!} context={context} class="button button-primary" />}
      </div>
      {error && <ErrorBox error={error} retry={() => void shows.reload()} />}
      {items?.length === 0 && <p class="empty">{t("shows.none")}</p>}
      <ul class="shows">
        {items?.map((show) => (
          <li key={show.id}>
            <Link to={`/shows/${show.code}`} class="show-card panel">
              <span class="show-card-name">{show.name}</span>
              <span class="faint mono">{show.code}</span>
              <span class="muted">
                {show.settings.width} × {show.settings.height}, {tn("count.fps", show.settings.fps ?? 24)}
              </span>
              <span class="show-card-counts">
                {tn("count.shots", show.counts.shots)} · {tn("count.assets", show.counts.assets)} · {tn("count.tasks", show.counts.tasks)} · {tn("count.takes", show.counts.takes)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {creating && <CreateShowDialog close={() => setCreating(false)} />}
    </div>
  );
}
