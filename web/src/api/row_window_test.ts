import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RowWindow } from "./row_window";

const kRows = 100_000;
let asked: string[] = [];
let knowsOffsets = true;

function answer(url: string): Response {
  const query = new URL(url, "http://studio.test").searchParams;
  asked.push(query.get("offset") ?? `after ${query.get("after") ?? "nothing"}`);
  const offset = Number((knowsOffsets ? query.get("offset") : null) ?? query.get("after") ?? 0);
  const limit = Number(query.get("limit"));
  const items = Array.from({ length: Math.min(limit, kRows - offset) }, (_, n) => offset + n);
  const next = offset + limit < kRows ? String(offset + limit) : null;
  return new Response(JSON.stringify({ items, next, total: kRows, ...(knowsOffsets ? { offset } : {}) }));
}

beforeEach(() => {
  asked = [];
  knowsOffsets = true;
  vi.stubGlobal("fetch", async (url: string) => answer(url));
});
afterEach(() => vi.unstubAllGlobals());

describe("RowWindow", () => {
  it("jumps to the middle of 100,000 rows with one request", async () => {
    const rows = new RowWindow<number>("/board", { kind: "shot" });
    await vi.waitFor(() => expect(rows.total.value).toBe(kRows));
    rows.ensure(50_020, 50_030);
    await vi.waitFor(() => expect(rows.row(50_025)).toBe(50_025));
    expect(asked).toEqual(["after nothing", "50000"]);
    rows.close();
  });
  it("asks for nothing that only flew by", async () => {
    const rows = new RowWindow<number>("/board", {});
    for (let row = 0; row <= 90_000; row += 500) rows.ensure(row, row + 12);
    await vi.waitFor(() => expect(rows.row(90_000)).toBe(90_000));
    expect(asked.length).toBeLessThanOrEqual(3);
    rows.close();
  });
  it("forgets far pages, not those on screen", async () => {
    const rows = new RowWindow<number>("/board", {});
    for (let page = 0; page < 60; page += 6) {
      rows.ensure(page * 100, page * 100 + 599);
      await vi.waitFor(() => expect(rows.row(page * 100 + 599)).toBe(page * 100 + 599), { interval: 5 });
    }
    expect(rows.row(0)).toBeNull();
    expect(rows.row(5900)).toBe(5900);
    rows.close();
  });
  it("walks by cursors where the server knows no offsets", async () => {
    knowsOffsets = false;
    const rows = new RowWindow<number>("/board", {});
    await vi.waitFor(() => expect(rows.total.value).toBe(kRows));
    rows.ensure(1450, 1460);
    await vi.waitFor(() => expect(rows.row(1455)).toBe(1455));
    expect(asked).toEqual(["after nothing", "after 100", "after 600", "after 1100"]);
    rows.close();
  });
});
