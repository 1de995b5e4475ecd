// Everything that is being made or waits for it, in the order in which it will be made; what ended lately below.
import type { JSX } from "preact";
import { usePages } from "../../api/pages";
import { jobProgress } from "../../api/job_progress";
import { api, may, me } from "../../api/session";
import type { Job } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { JobBar } from "../../parts/job_bar";
import { JobPreview } from "../../parts/job_preview";
import { reportError } from "../../parts/notices";
import { Link, place, setQuery } from "../../parts/router";
import { useShowChoice } from "../../parts/show_choice";
import { Segments } from "../../parts/segments";
import { formatTime, t } from "../../words";
import "../show/show_head.css";
import "./queue.css";

type Shown = "" | "running" | "queued" | "failed" | "done";

function mayChange(job: Job): boolean {
  return may("job.manage", job.show_id) || job.created_by?.id === me.value?.person.id;
}

function JobRow({ job }: { job: Job }): JSX.Element {
  const isWaiting = job.state === "queued";
  const isAlive = isWaiting || job.state === "running";
  const doIt = (call: Promise<unknown>): void => void call.catch(reportError);
  return (
    <li class="queue-row panel">
      <span class="queue-preview">{job.state === "running" && <JobPreview jobId={job.id} />}</span>
      <div class="queue-what">
        {job.task_id ? (
          <Link to={`/tasks/${job.task_id}`} class="clip">
            {job.task_reference}
          </Link>
        ) : (
          <span class="clip">{job.task_reference}</span>
        )}
        <span class="faint clip">
          {job.model} · {job.created_by?.name} · {formatTime(job.created_at)}
          {job.attempts > 1 && ` · ${t("job.attempts", { n: job.attempts })}`}
        </span>
      </div>
      <div class="queue-progress">
        <JobBar job={job} progress={jobProgress.value.get(job.id) ?? null} />
      </div>
      <div class="queue-tools">
        {isWaiting && may("job.manage", job.show_id) && (
          <>
            <button type="button" class="icon-button" title={t("queue.sooner")} aria-label={t("queue.sooner")} onClick={() => doIt(api.patch(`/jobs/${job.id}`, { priority: job.priority - 10 }))}>
              ↑
            </button>
            <button type="button" class="icon-button" title={t("queue.later")} aria-label={t("queue.later")} onClick={() => doIt(api.patch(`/jobs/${job.id}`, { priority: job.priority + 10 }))}>
              ↓
            </button>
          </>
        )}
        {isAlive && mayChange(job) && (
          <button type="button" class="button button-small" onClick={() => doIt(api.post(`/jobs/${job.id}/cancel`))}>
            {t("common.cancel")}
          </button>
        )}
        {(job.state === "failed" || job.state === "canceled") && mayChange(job) && (
          <button type="button" class="button button-small" onClick={() => doIt(api.post(`/jobs/${job.id}/retry`))}>
            {t("common.retry")}
          </button>
        )}
      </div>
      {job.error && (
        <div class="queue-error">
          <ErrorBox error={typeof job.error === "string" ? { code: "failed", what: job.error, fields: {}, hint: null } : job.error} />
        </div>
      )}
    </li>
  );
}

export function QueueView(): JSX.Element {
  const state = (place.value.query.get("state") ?? "") as Shown;
  const { show, field } = useShowChoice("show.read");
  const jobs = usePages<Job>(show === undefined ? null : "/jobs", { query: { state, show: show ?? null }, topics: [{ kinds: ["job"] }], rows: 100 });
  const order = ["running", "queued", "failed", "done", "canceled"];
  const items = [...(jobs.items.value ?? [])].sort((a, b) => {
    const byState = order.indexOf(a.state) - order.indexOf(b.state);
    if (byState !== 0) return byState;
    return a.state === "queued" ? (a.position ?? 0) - (b.position ?? 0) : b.created_at.localeCompare(a.created_at);
  });
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.queue")}</h1>
        {field}
        <Segments
          label={t("queue.state")}
          value={state}
          options={[
            { value: "", label: t("common.all") },
            { value: "running", label: t("job_state.running") },
            { value: "queued", label: t("job_state.queued") },
            { value: "failed", label: t("job_state.failed") },
            { value: "done", label: t("job_state.done") },
          ]}
          choose={(wanted) => setQuery({ state: wanted })}
        />
      </div>
      {jobs.error.value && <ErrorBox error={jobs.error.value} retry={() => void jobs.reload()} />}
      {jobs.items.value && items.length === 0 && <p class="empty">{t("queue.none")}</p>}
      <ul class="queue">
        {items.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
      {jobs.next.value && (
        <button type="button" class="button" onClick={() => void jobs.more()}>
          {t("common.more")}
        </button>
      )}
    </div>
  );
}
