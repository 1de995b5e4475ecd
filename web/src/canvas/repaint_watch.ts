// Repaints that were asked for here: their progress, the takes that came of them, and what the server proved.
import { signal, type Signal } from "@preact/signals";
import { segment, type Client } from "../api/client";
import { asErrorDocument } from "../api/errors";
import { onEvent, onJobProgress } from "../api/live";
import type { ErrorDocument, Job, Take } from "../model/documents";
import { proofOf, prove, type Proof, type Repaint } from "./work";

export interface ProvedTake {
  take: Take;
  proof: Proof | null;
  error: ErrorDocument | null;
}

export interface Watched extends Repaint {
  takes: ProvedTake[];
  error: ErrorDocument | null;
}

/** Also without events (a cut connection) the job is asked for this often. */
const kPollMs = 3000;
const kAtEnd = new Set<string>(["done", "failed", "canceled"]);

export class RepaintWatch {
  readonly items: Signal<readonly Watched[]> = signal<readonly Watched[]>([]);
  private readonly stops: (() => void)[];
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly asking = new Set<string>();

  constructor(
    private readonly client: Client,
    private readonly arrived: (take: Take) => void = () => {},
    pollMs = kPollMs,
  ) {
    this.stops = [
      onJobProgress((progress) => {
        const { id, progress: share, phase, seconds_left, made } = progress;
        this.update(id, (item) => ({ ...item, job: { ...item.job, state: "running", progress: share, phase, seconds_left, made } }));
      }),
      onEvent((event) => {
        if (event.subject_kind === "job" || event.subject_kind === "take") void this.askAll();
      }),
    ];
    this.timer = setInterval(() => void this.askAll(), pollMs);
  }

  add(repaint: Repaint): void {
    this.items.value = [{ ...repaint, takes: [], error: null }, ...this.items.peek()];
  }

  dismiss(job: string): void {
    this.items.value = this.items.peek().filter((item) => item.job.id !== job);
  }

  private update(job: string, change: (item: Watched) => Watched): void {
    if (!this.items.peek().some((item) => item.job.id === job)) return;
    this.items.value = this.items.peek().map((item) => (item.job.id === job ? change(item) : item));
  }

  private async askAll(): Promise<void> {
    const open = this.items.peek().filter((item) => !kAtEnd.has(item.job.state));
    await Promise.all(open.map((item) => this.ask(item.job.id)));
  }

  async ask(id: string): Promise<void> {
    if (this.asking.has(id)) return;
    this.asking.add(id);
    try {
      const job = await this.client.get<Job>(`/jobs/${segment(id)}`);
      const item = this.items.peek().find((other) => other.job.id === id);
      if (!item) return;
      const known = new Set(item.takes.map((entry) => entry.take.id));
      const fresh = await Promise.all(job.takes.filter((take) => !known.has(take)).map((take) => this.proved(take, item)));
      const error = job.state === "failed" ? failure(job) : null;
      this.update(id, (now) => ({ ...now, job, error, takes: [...now.takes, ...fresh] }));
      for (const { take } of fresh) this.arrived(take);
    } catch (thrown) {
      this.update(id, (now) => ({ ...now, error: asErrorDocument(thrown) }));
    } finally {
      this.asking.delete(id);
    }
  }

  private async proved(id: string, item: Watched): Promise<ProvedTake> {
    const take = await this.client.get<Take>(`/takes/${segment(id)}`);
    const filed = proofOf(take);
    if (filed || !item.mask || !item.parent) return { take, proof: filed, error: null };
    try {
      return { take, proof: await prove(this.client, id, item.mask, item.parent), error: null };
    } catch (thrown) {
      return { take, proof: null, error: asErrorDocument(thrown) };
    }
  }

  close(): void {
    clearInterval(this.timer);
    for (const stop of this.stops) stop();
  }
}

function failure(job: Job): ErrorDocument {
  if (typeof job.error === "object" && job.error) return job.error;
  return { code: "failed", what: job.error ?? "the job failed", fields: {}, hint: null };
}
