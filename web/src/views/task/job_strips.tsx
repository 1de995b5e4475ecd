// What is being made for this task: progress, time left, the step as it looks, cancel; what failed and why.
import type { JSX } from "preact";
import { api } from "../../api/session";
import { jobProgress } from "../../api/job_progress";
import { useResource } from "../../api/store";
import type { Job, Page } from "../../model/documents";
import { JobBar } from "../../parts/job_bar";
import { JobPreview } from "../../parts/job_preview";
import { ErrorBox } from "../../parts/error_box";
import { reportError } from "../../parts/notices";
import { t } from "../../words";

const kFailedShownMs = 3600_000;

export function JobStrips({ taskId, showId }: { taskId: string; showId: string }): JSX.Element | null {
  const jobs = useResource<Page<Job>>("/jobs", { query: { task: taskId, limit: 50 }, topics: [{ kinds: ["job", "take"], show: showId, task: taskId }] });
  const now = Date.now();
  const items = (jobs.data.value?.items ?? []).filter(
    (job) => job.state === "running" || job.state === "queued" || (job.state === "failed" && job.finished_at !== null && now - Date.parse(job.finished_at) < kFailedShownMs),
  );
  if (items.length === 0) return null;
  return (
    <ul class="job-strips" aria-label={t("nav.queue")}>
      {items.map((job) => (
        <li key={job.id} class="job-strip">
          {job.state === "running" && (
            <span class="job-preview">
              <JobPreview jobId={job.id} />
            </span>
          )}
          <div class="grow">
            <JobBar job={job} progress={jobProgress.value.get(job.id) ?? null} />
            {job.state === "failed" && job.error && typeof job.error === "object" && <ErrorBox error={job.error} />}
          </div>
          {job.state === "failed" ? (
            <button type="button" class="button button-small" onClick={() => api.post(`/jobs/${job.id}/retry`).catch(reportError)}>
              {t("common.retry")}
            </button>
          ) : (
            <button type="button" class="button button-small" onClick={() => api.post(`/jobs/${job.id}/cancel`).then(() => jobs.reload()).catch(reportError)}>
              {t("common.cancel")}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
