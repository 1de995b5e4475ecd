// Keeping the studio: which program runs, whether every file is there and unaltered, and copies of it all.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asErrorDocument } from "../../api/errors";
import { api, may, me } from "../../api/session";
import type { Backup, DoctorReport, ErrorDocument } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { formatBytes, t, tn } from "../../words";
import "./studio.css";

/** One thing that takes a while: what came of it last, or why it did not. */
function useTask<T>(): { result: T | null; error: ErrorDocument | null; busy: boolean; run(work: () => Promise<T>): Promise<void> } {
  const [result, setResult] = useState<T | null>(null);
  const [error, setError] = useState<ErrorDocument | null>(null);
  const [busy, setBusy] = useState(false);
  async function run(work: () => Promise<T>): Promise<void> {
    setBusy(true);
    setResult(null);
    setError(null);
    try {
      setResult(await work());
    } catch (thrown) {
      setError(asErrorDocument(thrown));
    } finally {
      setBusy(false);
    }
  }
  return { result, error, busy, run };
}

const kFaults = ["missing", "altered", "orphaned"] as const;

/** A file that is wrong, by the takes that use it, or by its name on disk. */
function nameOf(fault: DoctorReport["shows"][number]["missing"][number]): string {
  if (typeof fault === "string") return fault;
  const takes = (fault.takes ?? []).join(", ");
  return takes || fault.sha256 || JSON.stringify(fault);
}

function Report({ report }: { report: DoctorReport }): JSX.Element {
  return (
    <div role="status">
      <p class={report.healthy ? "studio-good" : "studio-bad"}>{report.healthy ? `✓ ${t("studio.healthy")}` : `✕ ${tn("studio.problems", report.problems)}`}</p>
      <table class="table">
        <thead>
          <tr>
            <th>{t("studio.show")}</th>
            <th class="number">{t("studio.files")}</th>
            <th class="number">{t("exchange.size")}</th>
            {kFaults.map((fault) => (
              <th key={fault} class="number">
                {t(`studio.${fault}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.shows.map((show) => (
            <tr key={show.code}>
              <td>{show.code}</td>
              <td class="number">{show.files}</td>
              <td class="number">{formatBytes(show.bytes)}</td>
              {kFaults.map((fault) => (
                <td key={fault} class="number">
                  {show[fault].length}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {report.shows.flatMap((show) =>
        kFaults.flatMap((fault) =>
          show[fault].map((each) => (
            <p key={`${show.code} ${fault} ${nameOf(each)}`} class="studio-fault">
              {t(`studio.${fault}`)}: <span class="mono">{nameOf(each)}</span>
            </p>
          )),
        ),
      )}
    </div>
  );
}

function Doctor(): JSX.Element {
  const doctor = useTask<DoctorReport>();
  const examine = (quick: boolean): void => void doctor.run(() => api.get<DoctorReport>("/doctor", { quick }));
  return (
    <section>
      <h2>{t("studio.doctor")}</h2>
      <p class="muted">{t("studio.doctor_note")}</p>
      <div class="row">
        <button type="button" class="button button-primary" disabled={doctor.busy} onClick={() => examine(false)}>
          {doctor.busy ? t("studio.working") : t("studio.examine")}
        </button>
        <button type="button" class="button" disabled={doctor.busy} onClick={() => examine(true)}>
          {t("studio.examine_quick")}
        </button>
      </div>
      {doctor.error && <ErrorBox error={doctor.error} />}
      {doctor.result && <Report report={doctor.result} />}
    </section>
  );
}

function Backups(): JSX.Element {
  const backup = useTask<Backup>();
  const [name, setName] = useState("");
  return (
    <section>
      <h2>{t("studio.backup")}</h2>
      <p class="muted">{t("studio.backup_note")}</p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void backup.run(() => api.post<Backup>("/backups", name.trim() ? { name: name.trim() } : {}));
        }}
      >
        <input class="input studio-name" aria-label={t("common.name")} placeholder={t("studio.backup_name")} pattern={"[A-Za-z0-9][A-Za-z0-9_.\\-]*"} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <button type="submit" class="button button-primary" disabled={backup.busy}>
          {backup.busy ? t("studio.working") : t("studio.back_up")}
        </button>
      </form>
      {backup.error && <ErrorBox error={backup.error} />}
      {backup.result && (
        <p role="status">
          ✓ {tn("studio.copied", backup.result.files, { size: formatBytes(backup.result.bytes) })}
          <br />
          <span class="mono">{backup.result.folder}</span>
        </p>
      )}
    </section>
  );
}

export function StudioView(): JSX.Element {
  return (
    <div class="page studio">
      <div class="page-head">
        <h1>{t("nav.studio")}</h1>
        <span class="muted">{t("profile.version", { version: me.value?.program ?? "" })}</span>
      </div>
      {may("studio.check") && <Doctor />}
      {may("studio.backup") && <Backups />}
    </div>
  );
}
