import { afterEach, describe, expect, it, vi } from "vitest";
import type { Stream } from "./event_stream";
import { openSharedStream } from "./shared_stream";

/** Locks as browsers give them: to one at a time, in the order of asking. */
class Locks {
  private queue: (() => void)[] = [];
  private held = false;

  request = (async (_: string, options: { signal: AbortSignal }, work: () => Promise<void>) => {
    if (this.held) {
      await new Promise<void>((turn, fail) => {
        this.queue.push(turn);
        options.signal.addEventListener("abort", () => {
          this.queue = this.queue.filter((other) => other !== turn);
          fail(new DOMException("aborted", "AbortError"));
        });
      });
    }
    this.held = true;
    await work();
    this.held = false;
    this.queue.shift()?.();
  }) as unknown as LockManager["request"];
}

class Server {
  asked: (string | null)[] = [];
  private write: ((text: string) => void) | null = null;
  answer: Response | null = null;

  fetch = (async (_: string, init: RequestInit) => {
    this.asked.push((init.headers as Record<string, string>)["Last-Event-ID"] ?? null);
    if (this.answer) return this.answer;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.write = (text) => controller.enqueue(new TextEncoder().encode(text));
        init.signal?.addEventListener("abort", () => controller.close());
      },
    });
    return new Response(body);
  }) as unknown as typeof fetch;

  send(id: number): void {
    this.write!(`id: ${id}\ndata: ${id}\n\n`);
  }
}

describe("one stream for all tabs", () => {
  const tabs: Stream[] = [];
  afterEach(() => {
    for (const tab of tabs.splice(0)) tab.close();
  });

  function open(server: Server, locks: Locks | undefined, name: string) {
    const got: string[] = [];
    const onLost = vi.fn();
    const onRefused = vi.fn();
    const channel = new BroadcastChannel(name);
    const states: string[] = [];
    const stream = openSharedStream({
      url: "/stream", fetch: server.fetch, firstWaitMs: 1, locks, channel,
      onMessage: (message) => got.push(message.data), onState: (state) => states.push(state), onLost, onRefused,
    });
    tabs.push(stream);
    return { stream, got, onLost, onRefused, states, channel };
  }

  it("is read by one tab, and by the next one where that closes, after the last event", async () => {
    const server = new Server();
    const locks = new Locks();
    const first = open(server, locks, "a");
    const second = open(server, locks, "a");
    const third = open(server, locks, "a");
    await vi.waitFor(() => expect(second.states).toContain("open"));
    server.send(5);
    server.send(6);
    await vi.waitFor(() => expect(third.got).toEqual(["5", "6"]));
    expect(first.got).toEqual(["5", "6"]);
    expect(second.got).toEqual(["5", "6"]);
    expect(server.asked).toEqual([null]);
    first.stream.close();
    await vi.waitFor(() => expect(server.asked).toEqual([null, "6"]));
    await vi.waitFor(() => expect(second.states.at(-1)).toBe("open"));
    server.send(7);
    await vi.waitFor(() => expect(third.got).toEqual(["5", "6", "7"]));
    expect(second.got).toEqual(["5", "6", "7"]);
    expect(second.onLost).not.toHaveBeenCalled();
    expect(third.onLost).not.toHaveBeenCalled();
  });

  it("tells a tab that missed an event, and never tells one twice", async () => {
    const server = new Server();
    const locks = new Locks();
    open(server, locks, "b");
    const second = open(server, locks, "b");
    await vi.waitFor(() => expect(second.states).toContain("open"));
    server.send(1);
    await vi.waitFor(() => expect(second.got).toEqual(["1"]));
    const other = new BroadcastChannel("b");
    const message = (id: string) => ({ event: "message", data: id, id });
    other.postMessage({ kind: "message", message: message("1"), before: null });
    other.postMessage({ kind: "message", message: message("4"), before: "3" });
    await vi.waitFor(() => expect(second.got).toEqual(["1", "4"]));
    expect(second.onLost).toHaveBeenCalledTimes(1);
    other.close();
  });

  it("ends in all tabs where the server refuses it", async () => {
    const server = new Server();
    server.answer = new Response("", { status: 401 });
    const locks = new Locks();
    const first = open(server, locks, "c");
    const second = open(server, locks, "c");
    await vi.waitFor(() => expect(first.onRefused).toHaveBeenCalledWith(401));
    await vi.waitFor(() => expect(second.onRefused).toHaveBeenCalledWith(401));
  });

  it("is each tab's own where the browser has no locks", async () => {
    const server = new Server();
    open(server, undefined, "d");
    open(server, undefined, "d");
    await vi.waitFor(() => expect(server.asked).toHaveLength(2));
  });
});
