// A list that grows as one goes down: the first page at once, each next one when asked for. Events make it load again
// as far as it had been loaded.
import { signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ErrorDocument, Page } from "../model/documents";
import { queryString, type Query } from "./client";
import { asErrorDocument } from "./errors";
import { onEvent, onLoss } from "./live";
import { api } from "./session";
import { matches, type Topic } from "./store";

const kCoalesceMs = 120;

export class PagedList<T> {
  readonly items: Signal<T[] | null> = signal(null);
  readonly error: Signal<ErrorDocument | null> = signal(null);
  readonly next: Signal<string | null> = signal(null);
  readonly total: Signal<number | null> = signal(null);
  private turn = 0;
  private busy = false;

  constructor(
    private readonly path: string,
    private readonly query: Query,
    private readonly pageRows: number,
  ) {}

  private page(after: string | null): Promise<Page<T>> {
    return api.get<Page<T>>(this.path, { ...this.query, limit: this.pageRows, after });
  }

  /** From the top, at least as far as it was loaded. */
  async reload(): Promise<void> {
    const mine = ++this.turn;
    const wanted = this.items.peek()?.length ?? 0;
    try {
      const items: T[] = [];
      let next: string | null = null;
      do {
        const answer: Page<T> = await this.page(next);
        if (mine !== this.turn) return;
        items.push(...answer.items);
        next = answer.next;
        this.total.value = answer.total ?? null;
      } while (next && items.length < wanted);
      this.items.value = items;
      this.next.value = next;
      this.error.value = null;
    } catch (thrown) {
      if (mine === this.turn) this.error.value = asErrorDocument(thrown);
    }
  }

  async more(): Promise<void> {
    const after = this.next.peek();
    if (!after || this.busy) return;
    this.busy = true;
    const mine = this.turn;
    try {
      const answer = await this.page(after);
      if (mine !== this.turn) return;
      this.items.value = [...(this.items.peek() ?? []), ...answer.items];
      this.next.value = answer.next;
    } catch (thrown) {
      this.error.value = asErrorDocument(thrown);
    } finally {
      this.busy = false;
    }
  }

  /** Shows a changed item at once, before the list is loaded again. */
  replace(isIt: (item: T) => boolean, changed: T): void {
    const items = this.items.peek();
    if (items) this.items.value = items.map((item) => (isIt(item) ? changed : item));
  }
}

/** Null as path asks nothing. */
export function usePages<T>(path: string | null, options: { query?: Query; topics?: Topic[]; rows?: number } = {}): PagedList<T> {
  const key = (path ?? "") + queryString(options.query);
  const list = useMemo(() => new PagedList<T>(path ?? "", options.query ?? {}, options.rows ?? 100), [key]);
  useEffect(() => {
    if (path === null) return;
    void list.reload();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onEvent((event) => {
      if (timer !== undefined || !options.topics?.some((topic) => matches(topic, event))) return;
      timer = setTimeout(() => {
        timer = undefined;
        void list.reload();
      }, kCoalesceMs);
    });
    const endLoss = onLoss(() => void list.reload());
    return () => {
      end();
      endLoss();
      clearTimeout(timer);
    };
  }, [list]);
  return list;
}
