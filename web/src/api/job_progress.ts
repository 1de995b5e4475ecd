// How far every running job is, by job: the latest progress the stream told, and a number that grows with previews.
import { signal } from "@preact/signals";
import type { JobProgress } from "../model/documents";
import { onJobPreview, onJobProgress } from "./live";
import { api } from "./session";

export const jobProgress = signal<ReadonlyMap<string, JobProgress>>(new Map());
const previews = signal<ReadonlyMap<string, number>>(new Map());

onJobProgress((progress) => {
  jobProgress.value = new Map(jobProgress.peek()).set(progress.id, progress);
});
onJobPreview(({ id }) => {
  previews.value = new Map(previews.peek()).set(id, (previews.peek().get(id) ?? 0) + 1);
});

/** The address of the newest preview; null before the first one. */
export function previewUrl(jobId: string): string | null {
  const turn = previews.value.get(jobId);
  return turn === undefined ? null : api.url(`/jobs/${jobId}/preview`, { turn });
}
