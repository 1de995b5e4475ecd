import { describe, expect, it } from "vitest";
import { createClient, queryString } from "./client";
import { ApiError } from "./errors";

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

function client(answer: () => Response): { client: ReturnType<typeof createClient>; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    sent.push({ url, method: init.method!, headers: init.headers as Record<string, string>, body: init.body });
    return answer();
  }) as unknown as typeof fetch;
  return { client: createClient(fetcher), sent };
}

describe("the client", () => {
  it("sends the CSRF token with changes only, and versions as If-Match", async () => {
    const { client: api, sent } = client(() => new Response('{"version":4}', { headers: { ETag: '"4"' } }));
    api.setCsrf("secret");
    await api.get("/me");
    await api.patch("/tasks/1", { brief: "b" }, 3);
    await api.patch("/tasks/1", {}, '"W3"');
    expect(sent.map((each) => each.headers["X-CSRF-Token"])).toEqual([undefined, "secret", "secret"]);
    expect(sent.map((each) => each.headers["If-Match"])).toEqual([undefined, '"3"', '"W3"']);
    expect(sent[1]).toMatchObject({ url: "/api/v1/tasks/1", method: "PATCH", body: '{"brief":"b"}' });
    expect((await api.request("GET", "/tasks/1")).etag).toBe('"4"');
  });
  it("sends pictures as they are", async () => {
    const { client: api, sent } = client(() => new Response("{}"));
    const picture = new Blob(["x"], { type: "image/png" });
    await api.post("/tasks/1/takes", picture, { origin: "imported", title: "a b&c" });
    expect(sent[0]).toMatchObject({ url: "/api/v1/tasks/1/takes?origin=imported&title=a%20b%26c", body: picture });
    expect(sent[0]!.headers["Content-Type"]).toBe("image/png");
  });
  it("throws the server's five fields", async () => {
    const error = { code: "conflict", what: "somebody else changed it", fields: { found: '"3"', expected: '"4"' }, hint: "load it again" };
    const { client: api } = client(() => new Response(JSON.stringify({ error }), { status: 412 }));
    const thrown = await api.patch("/tasks/1", {}).catch((each: unknown) => each);
    expect(thrown).toBeInstanceOf(ApiError);
    expect((thrown as ApiError).document).toEqual(error);
    expect((thrown as ApiError).isStale).toBe(true);
  });
  it("makes an error of what is none", async () => {
    const { client: api } = client(() => new Response("<html>bad gateway", { status: 502 }));
    const thrown = (await api.get("/me").catch((each: unknown) => each)) as ApiError;
    expect(thrown.document).toEqual({ code: "failed", what: "the server answered 502", fields: {}, hint: null });
  });
  it("leaves empty values out of addresses", () => {
    expect(queryString({ a: "", b: null, c: undefined, d: false, e: 0, f: "é/" })).toBe("?e=0&f=%C3%A9%2F");
  });
});
