// In and out of a show: what was handed over, and handing over; tables and cuts that come in; tables that go out.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { segment } from "../../api/client";
import { asErrorDocument } from "../../api/errors";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { Delivery, ErrorDocument, ImportCounts, Page, Show } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { notify } from "../../parts/notices";
import { formatBytes, formatTime, t, tn } from "../../words";
import { ShowHead } from "../show/show_head";
import "../show/show_head.css";
import "./exchange.css";

const kFormats = ["png16", "tiff16", "exr", "ora", "psd"] as const;
const kTablesOut = ["shots", "assets", "casting", "tasks", "takes"] as const;
const kTablesIn = ["shots", "assets", "casting", "edl"] as const;

function DeliveryDialog({ base, close, done }: { base: string; close(): void; done(): Promise<void> }): JSX.Element {
  async function deliver(form: FormData): Promise<void> {
    const name = String(form.get("name") ?? "").trim();
    const path = String(form.get("path") ?? "").trim();
    const made = await api.post<Delivery>(`${base}/deliveries`, { formats: form.getAll("format"), ...(name ? { name } : {}), ...(path ? { path } : {}) });
    notify("exchange.delivered", { name: made.name, files: made.files.length });
    await done();
  }
  return (
    <FormDialog title={t("exchange.deliver")} submit={t("exchange.deliver_now")} close={close} perform={deliver}>
      <p class="muted">{t("exchange.deliver_note")}</p>
      <TextField label={t("common.name")} name="name" autofocus note={t("exchange.name_note")} pattern={"[A-Za-z0-9][A-Za-z0-9_.\\-]*"} />
      <TextField label={t("exchange.path")} name="path" note={t("exchange.path_note")} />
      <fieldset class="checks">
        <legend class="label">{t("exchange.formats")}</legend>
        {kFormats.map((format) => (
          <label key={format} class="check">
            <input type="checkbox" name="format" value={format} defaultChecked={format === "png16"} />
            <span>
              {t(`exchange.format.${format}`)} <span class="faint">{t(`exchange.format_note.${format}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}

function DeliveryRow({ base, delivery }: { base: string; delivery: Delivery }): JSX.Element {
  const here = `${base}/deliveries/${segment(delivery.name)}`;
  const formats = [...new Set(delivery.files.map((file) => file.format))];
  return (
    <li class="panel delivery">
      <details>
        <summary class="delivery-head">
          <b class="clip">{delivery.name}</b>
          <span class="faint">{delivery.made_at && formatTime(delivery.made_at)}</span>
          <span>{tn("exchange.files", delivery.files.length)}</span>
          <span class="muted">{formats.join(", ")}</span>
          <span class="muted">{formatBytes(delivery.files.reduce((sum, file) => sum + file.bytes, 0))}</span>
        </summary>
        <table class="table">
          <thead>
            <tr>
              <th>{t("exchange.file")}</th>
              <th>{t("exchange.take")}</th>
              <th class="number">{t("exchange.size")}</th>
              <th>SHA-256</th>
            </tr>
          </thead>
          <tbody>
            {delivery.files.map((file) => (
              <tr key={file.name}>
                <td class="mono">
                  <a href={api.url(`${here}/files/${segment(file.name)}`)} download={file.name}>
                    {file.name}
                  </a>
                </td>
                <td>{file.reference}</td>
                <td class="number">{formatBytes(file.bytes)}</td>
                <td class="mono faint" title={file.sha256}>
                  {file.sha256.slice(0, 12)}…
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <div class="row row-wrap delivery-foot">
          <a class="button" href={api.url(`${here}/archive`)} download={`${delivery.name}.zip`}>
            {t("exchange.archive")}
          </a>
          <a class="button" href={api.url(`${here}/files/manifest.json`)} download={`${delivery.name}-manifest.json`}>
            {t("exchange.manifest")}
          </a>
        </div>
      </details>
    </li>
  );
}

function ImportForm({ base }: { base: string }): JSX.Element {
  const file = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [counts, setCounts] = useState<ImportCounts | null>(null);
  const [error, setError] = useState<ErrorDocument | null>(null);
  async function bringIn(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    const what = String(new FormData(event.currentTarget as HTMLFormElement).get("what"));
    setBusy(true);
    setCounts(null);
    try {
      setCounts(await api.post<ImportCounts>(`${base}/import`, chosen, { what }));
      setError(null);
    } catch (thrown) {
      setError(asErrorDocument(thrown));
    } finally {
      setBusy(false);
    }
  }
  return (
    <form class="panel exchange-form" onSubmit={(event) => void bringIn(event)}>
      <div class="row row-wrap">
        <label class="field">
          <span class="label">{t("exchange.what")}</span>
          <select class="input" name="what">
            {kTablesIn.map((what) => (
              <option key={what} value={what}>
                {t(`exchange.table.${what}`)}
              </option>
            ))}
          </select>
        </label>
        <label class="field grow">
          <span class="label">{t("exchange.file")}</span>
          <input ref={file} class="input" type="file" name="file" required accept=".csv,.edl,.txt,text/csv,text/plain" />
        </label>
        <button type="submit" class="button button-primary exchange-submit" disabled={busy}>
          {t("exchange.import_now")}
        </button>
      </div>
      <p class="field-note">{t("exchange.import_note")}</p>
      {counts && (
        <p role="status">
          ✓ {tn("exchange.created", counts.created)}, {tn("exchange.updated", counts.updated)}
        </p>
      )}
      {error && <ErrorBox error={error} />}
    </form>
  );
}

export function ExchangeView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show!;
  const base = `/shows/${segment(code)}`;
  const show = useResource<Show>(base, { topics: [{ kinds: ["show"] }] });
  const deliveries = useResource<Page<Delivery>>(`${base}/deliveries`, { topics: [{ kinds: ["show"] }] });
  const [open, setOpen] = useState(false);
  const id = show.data.value?.id ?? null;
  const items = deliveries.data.value?.items ?? [];
  return (
    <>
      <ShowHead show={show.data.value} code={code} tab="exchange" />
      <div class="page exchange">
        <section>
          <div class="page-head">
            <h2>{t("exchange.deliveries")}</h2>
            {may("delivery.make", id) && (
              <button type="button" class="button button-primary" onClick={() => setOpen(true)}>
                {t("exchange.deliver")}
              </button>
            )}
          </div>
          {deliveries.error.value && <ErrorBox error={deliveries.error.value} retry={() => void deliveries.reload()} />}
          {deliveries.data.value && items.length === 0 && <p class="faint">{t("exchange.none")}</p>}
          <ul class="stack">
            {items.map((delivery) => (
              <DeliveryRow key={delivery.name} base={base} delivery={delivery} />
            ))}
          </ul>
        </section>
        {may("structure.edit", id) && (
          <section>
            <h2>{t("exchange.import")}</h2>
            <ImportForm base={base} />
          </section>
        )}
        <section>
          <h2>{t("exchange.export")}</h2>
          <div class="row row-wrap">
            {kTablesOut.map((what) => (
              <a key={what} class="button" href={api.url(`${base}/export`, { what })} download={`${code}-${what}.csv`}>
                {t(`exchange.table.${what}`)}
              </a>
            ))}
          </div>
        </section>
      </div>
      {open && <DeliveryDialog base={base} close={() => setOpen(false)} done={() => deliveries.reload()} />}
    </>
  );
}
