// Server-sent events over fetch, so that a new connection can say where the last one ended.
//
// The browser's own EventSource gives up for good when a proxy or a restarting server answers anything but 200,
// and cannot be told a first Last-Event-ID. This reader keeps the id of the last whole event, waits longer after
// each failure (up to kLongestWait) and asks to go on from there.

export interface StreamMessage {
  event: string;
  data: string;
  id: string | null;
}

/** Cuts text into events (HTML standard, 9.2.6); what is not complete yet stays for the next call. */
export class EventStreamParser {
  private buffer = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;
  retryMs: number | null = null;
  /** The id of the last whole event, also of one without data: the server says with it where a stream begins. */
  lastEventId: string | null = null;

  push(text: string): StreamMessage[] {
    this.buffer += text;
    const messages: StreamMessage[] = [];
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.buffer);
      // A lone carriage return at the end may be half of a pair.
      if (!end || (end[0] === "\r" && end.index === this.buffer.length - 1)) return messages;
      const line = this.buffer.slice(0, end.index);
      this.buffer = this.buffer.slice(end.index + end[0].length);
      const message = this.line(line);
      if (message) messages.push(message);
    }
  }

  private line(line: string): StreamMessage | null {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  private dispatch(): StreamMessage | null {
    const message = { event: this.event || "message", data: this.data.join("\n"), id: this.id };
    if (this.id !== null) this.lastEventId = this.id;
    const empty = this.data.length === 0;
    this.event = "";
    this.data = [];
    this.id = null;
    return empty ? null : message;
  }
}

export type StreamState = "connecting" | "open" | "waiting" | "closed";

export interface StreamOptions {
  url: string;
  fetch: typeof fetch;
  onMessage(message: StreamMessage): void;
  onState?(state: StreamState): void;
  /** Called when the server refuses the stream (401, 403, 404): no further try is made. */
  onRefused?(status: number): void;
  lastEventId?: string | null;
  firstWaitMs?: number;
}

export interface Stream {
  close(): void;
  readonly lastEventId: string | null;
}

const kFirstWait = 500;
const kLongestWait = 15000;

export function openStream(options: StreamOptions): Stream {
  const firstWait = options.firstWaitMs ?? kFirstWait;
  let lastEventId = options.lastEventId ?? null;
  let wait = firstWait;
  let closed = false;
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = (state: StreamState): void => options.onState?.(state);

  async function connect(): Promise<void> {
    say("connecting");
    abort = new AbortController();
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (lastEventId !== null) headers["Last-Event-ID"] = lastEventId;
      const response = await options.fetch(options.url, {
        headers,
        signal: abort.signal,
        credentials: "same-origin",
        cache: "no-store",
      });
      if ([401, 403, 404].includes(response.status)) {
        closed = true;
        say("closed");
        options.onRefused?.(response.status);
        return;
      }
      if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`);
      say("open");
      wait = firstWait;
      await read(response.body);
    } catch {
      // A cut connection, a server that restarts: the next try goes on from the last event.
    }
    if (closed) return;
    say("waiting");
    timer = setTimeout(() => void connect(), wait * (0.75 + 0.5 * Math.random()));
    wait = Math.min(wait * 2, kLongestWait);
  }

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || closed) return;
      for (const message of parser.push(decoder.decode(value, { stream: true }))) {
        options.onMessage(message);
        if (message.id !== null) lastEventId = message.id;
      }
      if (parser.lastEventId !== null) lastEventId = parser.lastEventId;
      if (parser.retryMs !== null) wait = parser.retryMs;
    }
  }

  void connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      abort.abort();
      say("closed");
    },
    get lastEventId() {
      return lastEventId;
    },
  };
}
