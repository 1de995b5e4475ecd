import { afterEach, describe, expect, it, vi } from "vitest";
import { EventStreamParser, openStream, type Stream } from "./event_stream";

describe("EventStreamParser", () => {
  const text = 'retry: 50\n: hello\nid: 7\nevent: take:create\ndata: {"a":1}\ndata: b\r\n\r\nevent: none\n\ndata:x\n\n';
  const expected = [
    { event: "take:create", data: '{"a":1}\nb', id: "7" },
    { event: "message", data: "x", id: null },
  ];
  it("reads events however the bytes are cut", () => {
    for (const size of [1, 2, 3, 7, text.length]) {
      const parser = new EventStreamParser();
      const got = [];
      for (let at = 0; at < text.length; at += size) got.push(...parser.push(text.slice(at, at + size)));
      expect(got, `pieces of ${size}`).toEqual(expected);
      expect(parser.retryMs).toBe(50);
    }
  });
  it("keeps what is not complete", () => {
    const parser = new EventStreamParser();
    expect(parser.push("id: 1\ndata: half")).toEqual([]);
    expect(parser.push(" and half\n\n")).toEqual([{ event: "message", data: "half and half", id: "1" }]);
  });
});

describe("openStream", () => {
  let stream: Stream | null = null;
  afterEach(() => stream?.close());

  it("goes on from where the first stream began, though nothing happened in it", async () => {
    const answers = [() => new Response("retry: 1\nid: 41\n\n"), () => new Response("id: 42\ndata: missed\n\n"), () => new Response("", { status: 401 })];
    const asked: (string | null)[] = [];
    const got: string[] = [];
    const refused = vi.fn();
    stream = openStream({
      url: "/stream",
      firstWaitMs: 1,
      fetch: (async (_: string, init: RequestInit) => {
        asked.push((init.headers as Record<string, string>)["Last-Event-ID"] ?? null);
        return answers[asked.length - 1]!();
      }) as unknown as typeof fetch,
      onMessage: (message) => got.push(message.data),
      onRefused: refused,
    });
    await vi.waitFor(() => expect(refused).toHaveBeenCalled());
    expect(got).toEqual(["missed"]);
    expect(asked).toEqual([null, "41", "42"]);
  });

  it("goes on after the last event, over cuts and failing servers, and gives up when refused", async () => {
    const answers: (() => Response | Promise<Response>)[] = [
      () => new Response("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: lo"),
      () => new Response("busy", { status: 503 }),
      () => Promise.reject(new TypeError("connection refused")),
      () => new Response("id: 3\ndata: c\n\n"),
      () => new Response("", { status: 401 }),
    ];
    const asked: (string | null)[] = [];
    const got: string[] = [];
    const refused = vi.fn();
    stream = openStream({
      url: "/stream",
      firstWaitMs: 1,
      fetch: (async (_: string, init: RequestInit) => {
        asked.push((init.headers as Record<string, string>)["Last-Event-ID"] ?? null);
        return answers[asked.length - 1]!();
      }) as unknown as typeof fetch,
      onMessage: (message) => got.push(message.data),
      onRefused: refused,
    });
    await vi.waitFor(() => expect(refused).toHaveBeenCalledWith(401));
    expect(got).toEqual(["a", "b", "c"]);
    expect(asked).toEqual([null, "2", "2", "2", "3"]);
  });
});
