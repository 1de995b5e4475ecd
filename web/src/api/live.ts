// What happens in the studio, as it happens: one stream for the page, shared out to whoever listens.
//
// Events carry ids and the stream resumes after the last one seen, so nothing is lost while the connection is down.
// Job progress and previews carry none: they are only ever the latest.
import { signal } from "@preact/signals";
import type { JobProgress, StudioEvent } from "../model/documents";
import { openStream, type Stream, type StreamMessage, type StreamState } from "./event_stream";
import { api, me } from "./session";

export const streamState = signal<StreamState>("closed");

type EventListener = (event: StudioEvent) => void;
type ProgressListener = (progress: JobProgress) => void;

const eventListeners = new Set<EventListener>();
const progressListeners = new Set<ProgressListener>();
const previewListeners = new Set<ProgressListener>();
let stream: Stream | null = null;

function subscribe<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Each returns the function that ends the subscription. */
export const onEvent = (listener: EventListener): (() => void) => subscribe(eventListeners, listener);
export const onJobProgress = (listener: ProgressListener): (() => void) => subscribe(progressListeners, listener);
export const onJobPreview = (listener: ProgressListener): (() => void) => subscribe(previewListeners, listener);

export function receive(message: StreamMessage): void {
  let data: unknown;
  try {
    data = JSON.parse(message.data);
  } catch {
    return;
  }
  if (message.event === "job:progress") {
    for (const listener of progressListeners) listener(data as JobProgress);
  } else if (message.event === "job:preview") {
    for (const listener of previewListeners) listener(data as JobProgress);
  } else {
    for (const listener of eventListeners) listener(data as StudioEvent);
  }
}

export function startLive(): void {
  if (stream) return;
  stream = openStream({
    url: api.url("/events/stream"),
    fetch: api.fetch,
    onMessage: receive,
    onState: (state) => {
      streamState.value = state;
    },
    onRefused: (status) => {
      stream = null;
      if (status === 401) me.value = null;
    },
  });
}

export function stopLive(): void {
  stream?.close();
  stream = null;
}
