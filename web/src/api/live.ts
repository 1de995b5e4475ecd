// What happens in the studio, as it happens: one stream for the browser (shared_stream.ts), handed to whoever listens.
//
// Events carry ids and the stream resumes after the last one seen, so nothing is lost while the connection is down.
// Job progress and previews carry none: they are only ever the latest.
import { signal } from "@preact/signals";
import type { JobProgress, StudioEvent } from "../model/documents";
import type { Stream, StreamMessage, StreamState } from "./event_stream";
import { api, me } from "./session";
import { openSharedStream } from "./shared_stream";

export const streamState = signal<StreamState>("closed");

/** True once documents may be loaded: what happens from now on is heard. */
export const isListening = signal(false);
/** How long the page waits for the stream before it is drawn without. */
const kPatienceMs = 250;

type EventListener = (event: StudioEvent) => void;
type ProgressListener = (progress: JobProgress) => void;

const eventListeners = new Set<EventListener>();
const progressListeners = new Set<ProgressListener>();
const previewListeners = new Set<ProgressListener>();
const lossListeners = new Set<() => void>();
let stream: Stream | null = null;

function subscribe<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Each returns the function that ends the subscription. */
export const onEvent = (listener: EventListener): (() => void) => subscribe(eventListeners, listener);
export const onJobProgress = (listener: ProgressListener): (() => void) => subscribe(progressListeners, listener);
export const onJobPreview = (listener: ProgressListener): (() => void) => subscribe(previewListeners, listener);

/** Called where events may have been missed: what is on screen is to be loaded again. */
export const onLoss = (listener: () => void): (() => void) => subscribe(lossListeners, listener);

function sayLost(): void {
  for (const listener of lossListeners) listener();
}

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
  let isReading = false;
  const patience = setTimeout(() => {
    isListening.value = true;
  }, kPatienceMs);
  stream = openSharedStream({
    locks: globalThis.navigator?.locks,
    channel: typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("maquette.events"),
    onLost: sayLost,
    url: api.url("/events/stream"),
    fetch: api.fetch,
    onMessage: receive,
    onState: (state) => {
      streamState.value = state;
      if (state !== "open" || isReading) return;
      isReading = true;
      clearTimeout(patience);
      // Drawn before the stream was open: what happened in between was not heard.
      if (isListening.peek()) sayLost();
      isListening.value = true;
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
  isListening.value = false;
}
