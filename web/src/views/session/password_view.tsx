// Changing the password; forced after a first sign-in with a one-time password.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asErrorDocument } from "../../api/errors";
import { changePassword, signOut } from "../../api/session";
import type { ErrorDocument } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { notify, reportError } from "../../parts/notices";
import { t } from "../../words";
import "./session.css";

export function PasswordForm({ done }: { done?(): void }): JSX.Element {
  const [error, setError] = useState<ErrorDocument | null>(null);
  const [differs, setDiffers] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const wanted = String(data.get("new"));
    setDiffers(wanted !== data.get("again"));
    if (wanted !== data.get("again")) return;
    setBusy(true);
    try {
      await changePassword(String(data.get("old")), wanted);
      setError(null);
      form.reset();
      notify("session.password_changed");
      done?.();
    } catch (thrown) {
      setError(asErrorDocument(thrown));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form class="stack" onSubmit={submit}>
      <label class="field">
        <span class="label">{t("session.old_password")}</span>
        <input class="input" name="old" type="password" autocomplete="current-password" required />
      </label>
      <label class="field">
        <span class="label">{t("session.new_password")}</span>
        <input class="input" name="new" type="password" autocomplete="new-password" required />
      </label>
      <label class="field">
        <span class="label">{t("session.new_password_again")}</span>
        <input class="input" name="again" type="password" autocomplete="new-password" required aria-invalid={differs} />
        {differs && (
          <span class="field-note" role="alert">
            {t("session.passwords_differ")}
          </span>
        )}
      </label>
      {error && <ErrorBox error={error} />}
      <button class="button button-primary" type="submit" disabled={busy}>
        {t("session.change_password")}
      </button>
    </form>
  );
}

export function PasswordView({ forced }: { forced?: boolean }): JSX.Element {
  return (
    <main class="session">
      <div class="session-card stack">
        <h1>{t("session.change_password")}</h1>
        {forced && <p class="muted">{t("session.one_time")}</p>}
        <PasswordForm />
        <button type="button" class="button button-bare" onClick={() => signOut().catch(reportError)}>
          {t("session.sign_out")}
        </button>
      </div>
    </main>
  );
}
