// A list of which only what is on screen is loaded: rows by number, out of pages that are asked for when they are
// looked at.
//
// A server that can start anywhere says "offset" in its first answer, and is then asked for pages by offset. One that
// does not (it knows cursors only) is walked in large steps up to the wanted row, which is slower but shows the same.
// Pages that scrolled by unseen are not asked for: ensure() waits a moment, and asks only for what is then on screen.
import { signal } from "@preact/signals";
import type { ErrorDocument, Page } from "../model/documents";
import type { Query } from "./client";
import { asErrorDocument } from "./errors";
import { api } from "./session";

const kPageRows = 100;
/** Pages of one step while walking by cursors. */
const kStepPages = 5;
const kKeptPages = 40;
const kSettleMs = 60;

export class RowWindow<T> {
  /** null until the first page is there. */
  readonly total = signal<number | null>(null);
  readonly error = signal<ErrorDocument | null>(null);
  /** Grows with every page that arrives; reading it makes a component follow. */
  readonly version = signal(0);

  private pages = new Map<number, T[]>();
  private asked = new Map<number, AbortController>();
  private cursors = new Map<number, string>();
  /** Unknown until the first answer. */
  private byCursor = true;
  private wanted: [number, number] = [0, 0];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly path: string,
    private readonly query: Query,
  ) {
    this.load(0);
  }

  row(index: number): T | null {
    return this.pages.get(Math.floor(index / kPageRows))?.[index % kPageRows] ?? null;
  }

  /** Says which rows are on screen. */
  ensure(first: number, last: number): void {
    this.wanted = [Math.floor(first / kPageRows), Math.floor(Math.max(first, last) / kPageRows)];
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.loadWanted();
    }, kSettleMs);
  }

  /** Asks again for the pages on screen and forgets the others: something in the list changed. */
  refresh(): void {
    for (const page of [...this.pages.keys()]) {
      if (page < this.wanted[0] || page > this.wanted[1]) this.pages.delete(page);
    }
    for (let page = this.wanted[0]; page <= this.wanted[1]; page += 1) this.load(page, true);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const abort of this.asked.values()) abort.abort();
  }

  private loadWanted(): void {
    const [first, last] = this.wanted;
    for (const [page, abort] of this.asked) {
      if (this.byCursor || (page >= first && page <= last)) continue;
      abort.abort();
      this.asked.delete(page);
    }
    for (let page = first; page <= last; page += 1) this.load(page);
  }

  private load(page: number, again = false): void {
    if (this.closed || (!again && (this.pages.has(page) || this.asked.has(page)))) return;
    const start = this.byCursor ? this.nearestCursor(page) : page;
    if (this.asked.has(start) && !again) return;
    this.asked.get(start)?.abort();
    const abort = new AbortController();
    this.asked.set(start, abort);
    void this.ask(start, page, abort);
  }

  private nearestCursor(page: number): number {
    let start = page;
    while (start > 0 && !this.cursors.has(start)) start -= 1;
    return start;
  }

  private async ask(start: number, goal: number, abort: AbortController): Promise<void> {
    const cursor = this.cursors.get(start);
    const place: Query = this.byCursor ? (cursor ? { after: cursor } : {}) : { offset: start * kPageRows };
    const pages = this.byCursor && start < goal ? kStepPages : 1;
    try {
      const answer = await api.get<Page<T>>(this.path, { ...this.query, ...place, limit: kPageRows * pages }, abort.signal);
      if (this.asked.get(start) === abort) this.asked.delete(start);
      if (this.closed || abort.signal.aborted) return;
      if (start === 0) this.byCursor = answer.offset === undefined;
      this.accept(start, pages, answer);
      if (this.byCursor && start + pages <= goal && answer.next) this.load(goal);
    } catch (thrown) {
      if (this.asked.get(start) === abort) this.asked.delete(start);
      if (!abort.signal.aborted) this.error.value = asErrorDocument(thrown);
    }
  }

  private accept(page: number, pages: number, answer: Page<T>): void {
    for (let n = 0; n < pages; n += 1) {
      const items = answer.items.slice(n * kPageRows, (n + 1) * kPageRows);
      if (items.length === 0 && n > 0) break;
      this.pages.delete(page + n);
      this.pages.set(page + n, items);
    }
    if (answer.next) this.cursors.set(page + pages, answer.next);
    const known = page * kPageRows + answer.items.length + (answer.next ? 1 : 0);
    this.total.value = answer.total ?? Math.max(this.total.peek() ?? 0, known);
    this.error.value = null;
    for (const old of this.pages.keys()) {
      if (this.pages.size <= kKeptPages) break;
      if (old < this.wanted[0] || old > this.wanted[1]) this.pages.delete(old);
    }
    this.version.value += 1;
  }
}
