// Keeps the stored document in step with the canvas: a while after the last change, never two requests at once, and
// never over what another window stored meanwhile.
import { signal, type Signal } from "@preact/signals";
import type { Client } from "../api/client";
import { ApiError, asErrorDocument } from "../api/errors";
import type { ErrorDocument } from "../model/documents";
import type { CanvasDocument } from "./history";

export type SaveState = "saved" | "waiting" | "saving" | "conflict" | "failed";

/** GET answers {document}; PUT sends the same. */
interface Envelope {
  document: unknown;
}

const kWaitMs = 1200;
const kRetryMs = 8000;

export interface AutosaveOptions {
  client: Client;
  path: string;
  document(): CanvasDocument | Promise<CanvasDocument>;
  waitMs?: number;
}

export class Autosave {
  readonly state: Signal<SaveState> = signal<SaveState>("saved");
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  private etag: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isChanged = false;
  private saving: Promise<void> | null = null;

  constructor(private readonly options: AutosaveOptions) {}

  /** The stored document, null where there is none. */
  async load(): Promise<unknown> {
    try {
      const answer = await this.options.client.request<Envelope | null>("GET", this.options.path);
      this.etag = answer.etag;
      return answer.data?.document ?? null;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return null;
      throw thrown;
    }
  }

  changed(): void {
    this.isChanged = true;
    if (this.state.peek() === "conflict") return;
    this.state.value = "waiting";
    this.later(this.options.waitMs ?? kWaitMs);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), ms);
  }

  /** Stores at once what is not stored yet. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (this.saving) await this.saving;
    if (!this.isChanged || this.state.peek() === "conflict") return;
    this.saving = this.save().finally(() => {
      this.saving = null;
    });
    await this.saving;
  }

  private async save(): Promise<void> {
    this.isChanged = false;
    this.state.value = "saving";
    try {
      const body: Envelope = { document: await this.options.document() };
      const answer = await this.options.client.request("PUT", this.options.path, { body, ifMatch: this.etag });
      this.etag = answer.etag ?? this.etag;
      this.error.value = null;
      this.state.value = this.isChanged ? "waiting" : "saved";
    } catch (thrown) {
      this.isChanged = true;
      this.error.value = asErrorDocument(thrown);
      const stale = thrown instanceof ApiError && thrown.isStale;
      this.state.value = stale ? "conflict" : "failed";
      // A server that restarts is asked again; a conflict waits for the person.
      if (!stale) this.later(kRetryMs);
    }
  }

  /** After a conflict: this canvas replaces the stored one. */
  async keepMine(): Promise<void> {
    await this.load();
    this.state.value = "waiting";
    this.isChanged = true;
    await this.flush();
  }

  /** After a conflict: the stored one replaces this canvas, and what was not stored here is given up. */
  async takeTheirs(): Promise<unknown> {
    const document = await this.load();
    this.isChanged = false;
    this.error.value = null;
    this.state.value = "saved";
    return document;
  }

  get hasUnsaved(): boolean {
    return this.isChanged || this.saving !== null;
  }

  close(): void {
    clearTimeout(this.timer);
    void this.flush();
  }
}
