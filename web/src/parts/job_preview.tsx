// The step of a running job as it looks now. Nothing is drawn where it is gone by the time it is asked for: the
// picture was finished in between, and the next preview or the take itself follows.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { previewUrl } from "../api/job_progress";
import { t } from "../words";

export function JobPreview({ jobId }: { jobId: string }): JSX.Element | null {
  const url = previewUrl(jobId);
  const [gone, setGone] = useState<string | null>(null);
  if (url === null || url === gone) return null;
  return <img src={url} alt={t("job.preview")} onError={() => setGone(url)} />;
}
