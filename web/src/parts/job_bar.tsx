// How far a job is: pictures made, the bar of the one in work, time left, place in the queue.
import type { JSX } from "preact";
import type { Job, JobProgress } from "../model/documents";
import { formatSeconds, t } from "../words";
import "./job_bar.css";

export function JobBar({ job, progress }: { job: Job; progress: JobProgress | null }): JSX.Element {
  const isRunning = job.state === "running";
  const made = progress && isRunning ? Math.max(progress.made, job.made) : job.made;
  const share = isRunning ? (progress?.progress ?? job.progress) : 0;
  const whole = job.state === "done" ? 1 : Math.min(1, (made + share) / Math.max(1, job.count));
  const left = isRunning ? (progress?.seconds_left ?? job.seconds_left) : null;
  const details: string[] = [t("job.made", { made, count: job.count })];
  if (job.state === "queued" && job.position !== null) details.push(t("job.position", { n: job.position }));
  if (isRunning && progress && progress.steps > 0) details.push(t("job.step", { step: progress.step, steps: progress.steps }));
  if (left !== null) details.push(t("job.left", { time: formatSeconds(left) }));
  return (
    <div class="job-bar">
      <div class="job-bar-text">
        <span class="job-kind">{t(`job_kind.${jobKind(job)}`)}</span>
        <span class={`job-state job-state-${job.state}`}>{t(`job_state.${job.state}`)}</span>
        <span class="muted">{details.join(" · ")}</span>
      </div>
      <div class="job-track" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(whole * 100)} aria-label={t(`job_kind.${jobKind(job)}`)}>
        <div style={{ width: `${whole * 100}%` }} />
      </div>
    </div>
  );
}

export function jobKind(job: Job): "generate" | "preview" | "retake" {
  return job.kind === "preview" || job.kind === "retake" ? job.kind : "generate";
}
