// The models and adapters of the studio, and in each show which role may use which.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { ModelFile, Page, RoleTable, Show } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { notify, reportError } from "../../parts/notices";
import { place, setQuery } from "../../parts/router";
import { formatBytes, t, tOr, tn } from "../../words";
import "../show/show_head.css";
import "./library.css";

function ModelTable({ models }: { models: ModelFile[] }): JSX.Element {
  const kinds = [...new Set(models.map((model) => model.kind))];
  return (
    <table class="table">
      <thead>
        <tr>
          <th>{t("library.model")}</th>
          <th>{t("library.family")}</th>
          <th>{t("library.file")}</th>
          <th class="number">{t("library.bytes")}</th>
          <th>{t("library.for_you")}</th>
        </tr>
      </thead>
      {kinds.map((kind) => (
        <tbody key={kind}>
          <tr class="library-kind">
            <th colSpan={5} scope="rowgroup">
              {tOr(`model_kind.${kind}`, kind)}
            </th>
          </tr>
          {models
            .filter((model) => model.kind === kind)
            .map((model) => (
              <tr key={model.path}>
                <td>
                  <b>{model.name}</b>
                </td>
                <td>{model.family}</td>
                <td class="mono muted">{model.path}</td>
                <td class="number">{formatBytes(model.bytes)}</td>
                <td>{model.allowed ? t("library.allowed") : <span class="library-refused">{t("library.not_allowed")}</span>}</td>
              </tr>
            ))}
        </tbody>
      ))}
    </table>
  );
}

type Limits = Record<string, string[]>;

/** A role without a limit may use everything; its first unticked box gives it one. */
function LimitTable({ show, models, mayEdit }: { show: Show; models: ModelFile[]; mayEdit: boolean }): JSX.Element {
  const path = `/shows/${show.id}/model-limits`;
  const held = useResource<Limits>(path, { topics: [{ kinds: ["show", "model"], show: show.id }] });
  const roles = useResource<RoleTable>("/roles");
  const [limits, setLimits] = useState<Limits | null>(null);
  useEffect(() => setLimits(held.data.value), [held.data.value]);
  const generating = (roles.data.value?.roles ?? []).filter((role) => roles.data.value?.table["take.generate"]?.includes(role));
  if (held.error.value) return <ErrorBox error={held.error.value} retry={() => void held.reload()} />;
  if (!limits) return <div aria-busy="true" />;

  function toggle(role: string, model: string, on: boolean): void {
    const now = limits![role] ?? models.map((each) => each.name);
    const next = on ? [...now, model] : now.filter((name) => name !== model);
    const { [role]: _, ...others } = limits!;
    setLimits(next.length === models.length ? others : { ...others, [role]: next });
  }
  async function save(): Promise<void> {
    await api.put(path, limits);
    await held.reload();
    notify("common.saved");
  }
  const changed = JSON.stringify(limits) !== JSON.stringify(held.data.value);
  return (
    <>
      <div class="limits-scroll">
        <table class="table limits">
          <thead>
            <tr>
              <th>{t("library.model")}</th>
              {generating.map((role) => (
                <th key={role}>
                  {tOr(`role.${role}`, role)}
                  <span class="faint">{limits[role] ? tn("library.limited", limits[role]!.length) : t("library.everything")}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <tr key={model.name}>
                <td>
                  {model.name} <span class="faint">{tOr(`model_kind.${model.kind}`, model.kind)}</span>
                </td>
                {generating.map((role) => (
                  <td key={role}>
                    <input
                      type="checkbox"
                      checked={limits[role]?.includes(model.name) ?? true}
                      disabled={!mayEdit}
                      aria-label={t("library.role_may_use", { role: tOr(`role.${role}`, role), model: model.name })}
                      onChange={(event) => toggle(role, model.name, event.currentTarget.checked)}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {mayEdit && (
        <div class="row limits-foot">
          <button type="button" class="button button-primary" disabled={!changed} onClick={() => save().catch(reportError)}>
            {t("common.save")}
          </button>
          <button type="button" class="button" disabled={!changed} onClick={() => setLimits(held.data.value)}>
            {t("common.cancel")}
          </button>
        </div>
      )}
    </>
  );
}

export function LibraryView(): JSX.Element {
  const shows = useResource<Page<Show>>("/shows");
  const wished = place.value.query.get("show");
  const show = shows.data.value?.items.find((each) => each.code === wished) ?? shows.data.value?.items[0];
  const models = useResource<Page<ModelFile>>(shows.data.value ? "/models" : null, { query: { show: show?.id ?? null }, topics: [{ kinds: ["model"] }] });
  const items = models.data.value?.items ?? [];
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.library")}</h1>
      </div>
      {models.error.value && <ErrorBox error={models.error.value} retry={() => void models.reload()} />}
      {models.data.value && items.length === 0 ? <p class="empty">{t("library.none")}</p> : <ModelTable models={items} />}
      {show && items.length > 0 && (
        <section class="library-limits">
          <div class="page-head">
            <h2>{t("library.limits")}</h2>
            <select class="input" aria-label={t("library.show")} value={show.code} onChange={(event) => setQuery({ show: event.currentTarget.value })}>
              {shows.data.value?.items.map((each) => (
                <option key={each.id} value={each.code}>
                  {each.name}
                </option>
              ))}
            </select>
          </div>
          <LimitTable key={show.id} show={show} models={items} mayEdit={may("library.edit", show.id)} />
        </section>
      )}
    </div>
  );
}
