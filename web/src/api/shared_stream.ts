// One event stream for all tabs of a browser, which allows a server only six connections over HTTP/1.1.
//
// The tab that holds the lock reads the stream and tells the others over a broadcast channel; the browser gives the
// lock to the next tab when it closes or crashes, and that one goes on after the last event it saw itself. Every event
// names the one before it: a tab that missed one (it was frozen) hears so and loads everything again. Where a browser
// has no locks (they want a secure context: HTTPS, or this machine) each tab reads a stream of its own.
import { openStream, type Stream, type StreamMessage, type StreamOptions, type StreamState } from "./event_stream";

type Told =
  | { kind: "message"; message: StreamMessage; before: string | null }
  | { kind: "state"; state: StreamState; last: string | null }
  | { kind: "refused"; status: number }
  | { kind: "hello" };

export interface SharedOptions extends StreamOptions {
  /** Events were missed: whatever is on screen may be old. */
  onLost(): void;
  locks?: Pick<LockManager, "request"> | undefined;
  /** Without it, a stream of its own. */
  channel?: BroadcastChannel | undefined;
}

const kLock = "maquette.events";

export function openSharedStream(options: SharedOptions): Stream {
  const { locks, channel } = options;
  if (!locks || !channel) return openStream(options);

  let last: string | null = null;
  let own: Stream | null = null;
  let state: StreamState = "connecting";
  let release = (): void => {};
  const leave = new AbortController();
  const tell = (told: Told): void => channel.postMessage(told);
  const isLater = (a: string, b: string): boolean => Number(a) > Number(b);

  function say(next: StreamState): void {
    state = next;
    options.onState?.(next);
  }

  function hear(told: Told): void {
    if (told.kind === "hello") {
      if (own) tell({ kind: "state", state, last: own.lastEventId ?? last });
    } else if (own) {
      // Another tab that thinks it reads: it has lost the lock meanwhile.
    } else if (told.kind === "state") {
      if (last !== null && told.last !== null && isLater(told.last, last)) options.onLost();
      last = told.last ?? last;
      say(told.state);
    } else if (told.kind === "refused") {
      close();
      options.onRefused?.(told.status);
    } else {
      const { message, before } = told;
      if (message.id !== null) {
        if (last !== null && !isLater(message.id, last)) return;
        if (last !== null && before !== null && isLater(before, last)) options.onLost();
        last = message.id;
      }
      options.onMessage(message);
    }
  }

  function read(): void {
    own = openStream({
      ...options,
      lastEventId: last,
      onMessage: (message) => {
        tell({ kind: "message", message, before: own?.lastEventId ?? last });
        if (message.id !== null) last = message.id;
        options.onMessage(message);
      },
      onState: (next) => {
        say(next);
        if (next !== "closed") tell({ kind: "state", state: next, last: own?.lastEventId ?? last });
      },
      onRefused: (status) => {
        tell({ kind: "refused", status });
        close();
        options.onRefused?.(status);
      },
    });
  }

  function close(): void {
    leave.abort();
    channel!.onmessage = null;
    channel!.close();
    own?.close();
    own = null;
    release();
    say("closed");
  }

  channel.onmessage = (event: MessageEvent<Told>) => hear(event.data);
  tell({ kind: "hello" });
  locks
    .request(kLock, { signal: leave.signal }, () => {
      read();
      return new Promise<void>((done) => {
        release = done;
      });
    })
    .catch(() => {
      // The tab was closed while it waited for the lock.
    });

  return {
    close,
    get lastEventId() {
      return own?.lastEventId ?? last;
    },
  };
}
