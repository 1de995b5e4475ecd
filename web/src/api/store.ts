// Documents that are being looked at: loaded once, shared by everybody who shows them, loaded again when an event
// says that they changed.
//
// useResource("/tasks/ID", {topics: taskTopics(id)}) gives a handle with signals; while somebody holds it, events
// that match a topic make it stale, and a burst of events costs one request.
import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ErrorDocument, StudioEvent } from "../model/documents";
import { queryString, type Query } from "./client";
import { ApiError, asErrorDocument } from "./errors";
import { onEvent, onLoss } from "./live";
import { api, me } from "./session";

/** Which events make a document stale: kinds of subject, narrowed to a show or a task where the event names one. */
export interface Topic {
  kinds: string[];
  show?: string;
  task?: string;
}

export interface Resource<T> {
  data: Signal<T | null>;
  error: Signal<ErrorDocument | null>;
  loading: Signal<boolean>;
  etag: string | null;
  reload(): Promise<void>;
  /** Shows a document that another call returned, without asking again. */
  replace(data: T): void;
}

interface Held extends Resource<unknown> {
  topics: Topic[];
  holders: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const kCoalesceMs = 120;
/** How long a document that nobody shows is kept, for going back to a page. */
const kKeepMs = 30000;
const resources = new Map<string, Held>();

function idIn(event: StudioEvent, name: string): string | null {
  const value = event.after?.[name] ?? event.before?.[name];
  return typeof value === "string" ? value : null;
}

export function matches(topic: Topic, event: StudioEvent): boolean {
  if (!topic.kinds.includes(event.subject_kind)) return false;
  if (topic.show && event.show_id && event.show_id !== topic.show) return false;
  if (!topic.task) return true;
  const task = event.subject_kind === "task" ? event.subject_id : (idIn(event, "task_id") ?? idIn(event, "task"));
  return task === null || task === topic.task;
}

function create(path: string, query: Query | undefined, topics: Topic[]): Held {
  let turn = 0;
  const held: Held = {
    data: signal<unknown>(null),
    error: signal<ErrorDocument | null>(null),
    loading: signal(false),
    etag: null,
    topics,
    holders: 0,
    timer: undefined,
    async reload() {
      const mine = ++turn;
      held.loading.value = true;
      try {
        const answer = await api.request<unknown>("GET", path, query ? { query } : {});
        if (mine !== turn) return;
        held.etag = answer.etag;
        held.data.value = answer.data;
        held.error.value = null;
      } catch (thrown) {
        if (mine !== turn) return;
        if (thrown instanceof ApiError && thrown.isSignedOut) me.value = null;
        held.error.value = asErrorDocument(thrown);
      } finally {
        if (mine === turn) held.loading.value = false;
      }
    },
    replace(data) {
      turn += 1;
      held.loading.value = false;
      held.data.value = data;
    },
  };
  return held;
}

function reloadSoon(held: Held): void {
  if (held.timer !== undefined) return;
  held.timer = setTimeout(() => {
    held.timer = undefined;
    void held.reload();
  }, kCoalesceMs);
}

onEvent((event) => {
  for (const [key, held] of resources) {
    if (!held.topics.some((topic) => matches(topic, event))) continue;
    if (held.holders > 0) reloadSoon(held);
    else resources.delete(key);
  }
});

onLoss(() => {
  for (const [key, held] of resources) {
    if (held.holders > 0) reloadSoon(held);
    else resources.delete(key);
  }
});

// What was kept for one person is nothing to show to the next one who signs in.
let keptFor: string | null = null;
effect(() => {
  const person = me.value?.person.id ?? null;
  if (person === keptFor) return;
  keptFor = person;
  for (const [key, held] of resources) if (held.holders === 0) resources.delete(key);
});

/** The handle of a document; null as path gives an empty one (nothing is asked). */
export function useResource<T>(
  path: string | null,
  options: { query?: Query; topics?: Topic[] } = {},
): Resource<T> {
  const key = path === null ? "" : path + queryString(options.query);
  const held = useMemo(() => {
    const found = resources.get(key);
    if (found) {
      if (options.topics) found.topics = options.topics;
      return found;
    }
    const made = create(path ?? "", options.query, options.topics ?? []);
    if (path !== null) resources.set(key, made);
    return made;
  }, [key]);

  useEffect(() => {
    if (path === null) return;
    held.holders += 1;
    if (resources.get(key) !== held) resources.set(key, held);
    if (held.data.peek() === null && !held.loading.peek()) void held.reload();
    return () => {
      held.holders -= 1;
      if (held.holders > 0) return;
      setTimeout(() => {
        if (held.holders === 0 && resources.get(key) === held) resources.delete(key);
      }, kKeepMs);
    };
  }, [held]);

  return held as unknown as Resource<T>;
}
