// Signing in with a login and a password.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asErrorDocument } from "../../api/errors";
import { signIn } from "../../api/session";
import type { ErrorDocument } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { kLanguages, language, setLanguage, t } from "../../words";
import "./session.css";

export function SignInView(): JSX.Element {
  const [error, setError] = useState<ErrorDocument | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(data.get("login")), String(data.get("password")));
    } catch (thrown) {
      setError(asErrorDocument(thrown));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="session">
      <form class="session-card stack" onSubmit={submit}>
        <h1 class="session-mark">Maquette</h1>
        <p class="muted">{t("session.intro")}</p>
        <label class="field">
          <span class="label">{t("session.login")}</span>
          <input class="input" name="login" autocomplete="username" required autofocus />
        </label>
        <label class="field">
          <span class="label">{t("session.password")}</span>
          <input class="input" name="password" type="password" autocomplete="current-password" required />
        </label>
        {error && <ErrorBox error={error} />}
        <button class="button button-primary" type="submit" disabled={busy}>
          {t("session.sign_in")}
        </button>
        <div class="row">
          {kLanguages.map((code) => (
            <button
              key={code}
              type="button"
              class="button button-bare button-small"
              lang={code}
              aria-pressed={language.value === code}
              onClick={() => setLanguage(code)}
            >
              {t(`language.${code}`)}
            </button>
          ))}
        </div>
      </form>
    </main>
  );
}
