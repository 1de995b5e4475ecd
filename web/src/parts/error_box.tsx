// What could not be done, where, found, expected and what to try: the same five fields as on the terminal.
import type { JSX } from "preact";
import type { ErrorDocument } from "../model/documents";
import { t } from "../words";

function fieldText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function ErrorBox({ error, retry }: { error: ErrorDocument; retry?: () => void }): JSX.Element {
  const fields = Object.entries(error.fields ?? {});
  return (
    <div class="error-box" role="alert">
      <p class="error-what">
        {error.what} <span class="error-code">{error.code}</span>
      </p>
      {fields.length > 0 && (
        <dl class="error-fields">
          {fields.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fieldText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {error.hint && (
        <p class="error-hint">
          <b>{t("error.hint")}</b> {error.hint}
        </p>
      )}
      {retry && (
        <button type="button" class="button" onClick={retry}>
          {t("common.retry")}
        </button>
      )}
    </div>
  );
}
