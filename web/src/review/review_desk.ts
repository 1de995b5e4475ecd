// A playlist under review: which take is seen, its notes and history, and the verdicts.
import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { segment } from "../api/client";
import { asErrorDocument } from "../api/errors";
import { onEvent } from "../api/live";
import { api } from "../api/session";
import type { Approval, Comment, ErrorDocument, Page, Playlist, Take, TaskStatus } from "../model/documents";
import { notify, reportError } from "../parts/notices";
import { navigate } from "../parts/router";
import { Drafting } from "./board";
import { movedItem, type Annotation, type Shape } from "./drawing";

export type Verdict = "approve" | "retake" | "reject" | "note";

export interface HistoryLine {
  at: string;
  comment: Comment | null;
  approval: Approval | null;
}

/** How far a note's drawing is grown before it is a mask, in pixels; softening its edge is left to the canvas. */
const kMaskGrow = 12;

export class ReviewDesk {
  readonly draft = new Drafting();
  readonly playlist: Signal<Playlist | null> = signal<Playlist | null>(null);
  readonly index = signal(0);
  readonly annotations: Signal<readonly Annotation[]> = signal<readonly Annotation[]>([]);
  readonly comments: Signal<readonly Comment[]> = signal<readonly Comment[]>([]);
  readonly approvals: Signal<readonly Approval[]> = signal<readonly Approval[]>([]);
  readonly text = signal("");
  readonly busy = signal(false);
  /** The note whose drawing alone is shown; null: all of the take. */
  readonly pointed: Signal<string | null> = signal<string | null>(null);
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  readonly take: ReadonlySignal<Take | null>;
  readonly shapes: ReadonlySignal<readonly Shape[]>;
  readonly history: ReadonlySignal<readonly HistoryLine[]>;
  private statuses: TaskStatus[] = [];
  private stops: (() => void)[] = [];

  constructor(private readonly id: string) {
    this.take = computed(() => this.playlist.value?.items[this.index.value] ?? null);
    this.shapes = computed(() => {
      const pointed = this.pointed.value;
      return this.annotations.value.filter((one) => pointed === null || one.id === pointed).flatMap((one) => one.drawing);
    });
    this.history = computed(() => {
      const lines: HistoryLine[] = [
        ...this.comments.value.map((comment) => ({ at: comment.said_at || comment.created_at, comment, approval: null })),
        ...this.approvals.value.map((approval) => ({ at: approval.at, comment: null, approval })),
      ];
      return lines.sort((a, b) => b.at.localeCompare(a.at));
    });
    this.reload().catch((thrown: unknown) => (this.error.value = asErrorDocument(thrown)));
    const shownTake = computed(() => this.take.value?.id ?? null);
    this.stops.push(
      effect(() => {
        if (shownTake.value) this.loadNotes().catch(reportError);
      }),
      onEvent((event) => {
        if (event.subject_kind === "playlist" && event.subject_id === this.id) this.reload().catch(reportError);
        if (["comment", "annotation", "take", "task"].includes(event.subject_kind)) this.loadNotes().catch(reportError);
      }),
    );
  }

  async reload(): Promise<void> {
    this.playlist.value = await api.get<Playlist>(`/playlists/${segment(this.id)}`);
    this.index.value = Math.max(0, Math.min(this.index.peek(), this.playlist.value.items.length - 1));
  }

  async loadNotes(): Promise<void> {
    const take = this.take.peek();
    if (!take) return;
    const task = segment(take.task_id);
    const [annotations, comments, approvals] = await Promise.all([
      api.get<Page<Annotation>>(`/takes/${segment(take.id)}/annotations`),
      api.get<Page<Comment>>(`/tasks/${task}/comments`, { limit: 200 }),
      api.get<Page<Approval>>(`/tasks/${task}/approvals`),
    ]);
    if (this.take.peek()?.id !== take.id) return;
    this.annotations.value = annotations.items;
    this.comments.value = comments.items;
    this.approvals.value = approvals.items;
  }

  show(index: number): void {
    const count = this.playlist.peek()?.items.length ?? 0;
    if (index < 0 || index >= count || index === this.index.peek()) return;
    this.draft.clear();
    this.pointed.value = null;
    this.text.value = "";
    this.index.value = index;
  }

  // The list itself.

  private async setTakes(takes: readonly Take[]): Promise<void> {
    const playlist = this.playlist.peek()!;
    this.playlist.value = { ...playlist, items: [...takes] };
    try {
      this.playlist.value = await api.patch<Playlist>(`/playlists/${segment(this.id)}`, { takes: takes.map((take) => take.id) }, playlist.version);
    } catch (thrown) {
      await this.reload();
      throw thrown;
    }
  }

  async move(from: number, to: number): Promise<void> {
    const items = this.playlist.peek()?.items ?? [];
    if (to < 0 || to >= items.length || from === to) return;
    const shown = this.take.peek();
    const next = movedItem(items, from, to);
    const saving = this.setTakes(next);
    this.index.value = Math.max(0, next.findIndex((take) => take.id === shown?.id));
    await saving;
  }

  async add(take: Take): Promise<void> {
    const items = this.playlist.peek()?.items ?? [];
    if (!items.some((other) => other.id === take.id)) await this.setTakes([...items, take]);
  }

  async remove(index: number): Promise<void> {
    const items = this.playlist.peek()!.items;
    const saving = this.setTakes(items.filter((_, at) => at !== index));
    this.index.value = Math.max(0, Math.min(this.index.peek(), items.length - 2));
    await saving;
  }

  // Notes and verdicts.

  private async keepDrawing(): Promise<Annotation | null> {
    const take = this.take.peek();
    const shapes = this.draft.sketch.peek().shapes;
    if (!take || shapes.length === 0) return null;
    const made = await api.post<Annotation>(`/takes/${segment(take.id)}/annotations`, {
      canvas_width: take.width, canvas_height: take.height, drawing: shapes, note: this.text.peek().trim(),
    });
    this.draft.clear();
    return made;
  }

  private async statusId(wanted: (status: TaskStatus) => boolean): Promise<string | null> {
    const show = this.playlist.peek()!.show_id;
    if (this.statuses.length === 0) this.statuses = (await api.get<Page<TaskStatus>>(`/shows/${segment(show)}/statuses`)).items;
    return this.statuses.find((status) => wanted(status) && !status.archived)?.id ?? null;
  }

  async say(verdict: Verdict): Promise<void> {
    const take = this.take.peek();
    if (!take || this.busy.peek()) return;
    const text = this.text.peek().trim();
    const hasDrawing = this.draft.sketch.peek().shapes.length > 0;
    if (verdict === "note" && text === "" && !hasDrawing) return notify("review.nothing_to_say");
    if (verdict === "retake" && text === "" && !hasDrawing) return notify("review.say_why");
    this.busy.value = true;
    try {
      const annotation = await this.keepDrawing();
      const comment = { text, take: take.id, annotation: annotation?.id ?? null };
      if (verdict === "approve") {
        await api.post(`/takes/${segment(take.id)}/approve`, { reason: text });
        if (annotation) await api.post(`/tasks/${segment(take.task_id)}/comments`, { ...comment, status: null });
      } else if (verdict === "retake") {
        const status = await this.statusId((one) => one.is_retake);
        await api.post(`/tasks/${segment(take.task_id)}/comments`, { ...comment, status });
      } else {
        if (verdict === "reject") await api.put(`/takes/${segment(take.id)}/mark`, { verdict: "rejected" });
        if (text || annotation) await api.post(`/tasks/${segment(take.task_id)}/comments`, { ...comment, status: null });
      }
      this.text.value = "";
      notify(`review.said.${verdict}`, { label: take.label });
      await Promise.all([this.reload(), this.loadNotes()]);
    } finally {
      this.busy.value = false;
    }
  }

  /** The drawing (the one being made, the one pointed at, or the last) becomes the mask of the next take. */
  async toMask(): Promise<void> {
    const take = this.take.peek();
    if (!take || this.busy.peek()) return;
    this.busy.value = true;
    try {
      const made = await this.keepDrawing();
      const drawn = this.annotations.peek().filter((one) => one.drawing.length > 0);
      const chosen = made ?? drawn.find((one) => one.id === this.pointed.peek()) ?? drawn[drawn.length - 1];
      if (!chosen) return notify("review.no_drawing");
      const mask = await api.post<{ sha256: string }>(`/annotations/${segment(chosen.id)}/mask`, { grow: kMaskGrow, feather: 0 });
      navigate(`/tasks/${segment(take.task_id)}/canvas?take=${take.id}&mask=${mask.sha256}`);
    } finally {
      this.busy.value = false;
    }
  }

  async removeAnnotation(id: string): Promise<void> {
    await api.post(`/annotations/${segment(id)}/remove`, {});
    await this.loadNotes();
  }

  close(): void {
    for (const stop of this.stops) stop();
  }
}
