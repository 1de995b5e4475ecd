// One's own name, language, password, and tokens for programs.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, may, me, saveProfile } from "../../api/session";
import { useResource } from "../../api/store";
import type { Page } from "../../model/documents";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { notify, reportError } from "../../parts/notices";
import { formatTime, kLanguages, t, tOr } from "../../words";
import { PasswordForm } from "../session/password_view";
import "../show/show_head.css";
import "./profile.css";

interface ApiToken {
  id: string;
  name: string;
  scopes: string[];
  expires_at: string | null;
  revoked_at?: string | null;
}

function Tokens(): JSX.Element {
  const tokens = useResource<Page<ApiToken>>("/api-tokens");
  const [creating, setCreating] = useState(false);
  const [fresh, setFresh] = useState<string | null>(null);
  const actions = [...new Set(Object.values(me.value?.permissions ?? {}).flat())].sort();

  async function create(form: FormData): Promise<void> {
    const until = String(form.get("expires") ?? "");
    const scopes = form.getAll("scope").map(String);
    const made = await api.post<{ token: string }>("/api-tokens", {
      name: form.get("name"),
      scopes: scopes.length > 0 ? scopes : ["*"],
      ...(until ? { expires_at: `${until}T23:59:59Z` } : {}),
    });
    setFresh(made.token);
    await tokens.reload();
  }
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>{t("profile.tokens")}</h2>
        <button type="button" class="button button-small" onClick={() => setCreating(true)}>
          {t("profile.new_token")}
        </button>
      </header>
      <div class="panel-body stack">
        {fresh && (
          <p role="status">
            {t("profile.token_once")} <code class="mono profile-token">{fresh}</code>
          </p>
        )}
        {tokens.data.value?.items.length === 0 && <p class="faint">{t("profile.no_tokens")}</p>}
        <ul>
          {tokens.data.value?.items
            .filter((token) => !token.revoked_at)
            .map((token) => (
              <li key={token.id} class="row spread">
                <span>
                  {token.name} <span class="faint">{token.expires_at ? t("profile.until", { time: formatTime(token.expires_at) }) : ""}</span>
                </span>
                <button type="button" class="button button-small" onClick={() => api.post(`/api-tokens/${token.id}/revoke`).then(() => tokens.reload()).catch(reportError)}>
                  {t("profile.revoke")}
                </button>
              </li>
            ))}
        </ul>
      </div>
      {creating && (
        <FormDialog title={t("profile.new_token")} submit={t("common.create")} close={() => setCreating(false)} perform={create}>
          <div class="fields-2">
            <TextField label={t("common.name")} name="name" required autofocus />
            <TextField label={t("profile.expires")} name="expires" type="date" />
          </div>
          <fieldset class="profile-scopes">
            <legend class="label">{t("profile.scopes")}</legend>
            {actions.map((action) => (
              <label key={action} class="check">
                <input type="checkbox" name="scope" value={action} />
                <span class="mono">{action}</span>
              </label>
            ))}
          </fieldset>
        </FormDialog>
      )}
    </section>
  );
}

export function ProfileView(): JSX.Element {
  const who = me.value!;
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    await saveProfile({ name: String(data.get("name")), language: String(data.get("language")) });
    notify("common.saved");
  }
  return (
    <div class="page profile">
      <div class="page-head">
        <h1>{who.person.name}</h1>
        <span class="faint">{t("profile.version", { version: who.program })}</span>
      </div>
      <p class="muted">
        {[...new Set(Object.values(who.roles).flat())].map((role) => tOr(`role.${role}`, role)).join(", ")}
        {who.single_user && ` ${t("profile.single_user")}`}
      </p>
      <div class="profile-columns">
        <section class="panel">
          <header class="panel-head">
            <h2>{t("profile.you")}</h2>
          </header>
          <form class="panel-body stack" onSubmit={(event) => void save(event).catch(reportError)}>
            <TextField label={t("common.name")} name="name" value={who.person.name} required />
            <label class="field">
              <span class="label">{t("profile.language")}</span>
              <select class="input" name="language">
                {kLanguages.map((code) => (
                  <option key={code} value={code} lang={code} selected={who.person.language === code}>
                    {t(`language.${code}`)}
                  </option>
                ))}
              </select>
            </label>
            <button type="submit" class="button button-primary">
              {t("common.save")}
            </button>
          </form>
        </section>
        {!who.single_user && (
          <section class="panel">
            <header class="panel-head">
              <h2>{t("session.change_password")}</h2>
            </header>
            <div class="panel-body">
              <PasswordForm />
            </div>
          </section>
        )}
        {may("token.own") && <Tokens />}
      </div>
    </div>
  );
}
