import { describe, expect, it } from "vitest";
import { createClient } from "../api/client";
import { Autosave } from "./autosave";
import { newState } from "./document";
import { kEmptyDesk } from "./desk";
import { History } from "./history";

/** The server's side of one canvas: a document with a version. */
class Store {
  version = 0;
  document: unknown = null;
  puts = 0;
  fail = false;

  fetch = async (_: unknown, init: RequestInit = {}): Promise<Response> => {
    const refuse = (status: number, code: string): Response => Response.json({ error: { code, what: code } }, { status });
    if (this.fail) return refuse(500, "failed");
    if (init.method !== "PUT") {
      if (this.version === 0) return refuse(404, "not-found");
      return Response.json({ document: this.document }, { headers: { ETag: `"${this.version}"` } });
    }
    this.puts += 1;
    const match = new Headers(init.headers).get("If-Match");
    if (match ? match !== `"${this.version}"` : this.version > 0) return refuse(412, "conflict");
    this.document = (JSON.parse(String(init.body)) as { document: unknown }).document;
    this.version += 1;
    return Response.json({}, { headers: { ETag: `"${this.version}"` } });
  };
}

const document = () => new History(newState({ width: 8, height: 8 }, null)).toDocument(kEmptyDesk);
const newAutosave = (store: Store): Autosave =>
  new Autosave({ client: createClient(store.fetch as typeof fetch), path: "/tasks/t/canvas", document, waitMs: 5 });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe("saving by itself", () => {
  it("stores a burst of changes once, a while after the last", async () => {
    const store = new Store();
    const save = newAutosave(store);
    await save.load();
    for (let i = 0; i < 10; i += 1) save.changed();
    expect(save.state.value).toBe("waiting");
    await pause(40);
    expect(store.puts).toBe(1);
    expect(save.state.value).toBe("saved");
  });

  it("never writes over what another window stored", async () => {
    const store = new Store();
    const [mine, theirs] = [newAutosave(store), newAutosave(store)];
    for (const one of [mine, theirs]) await one.load();
    theirs.changed();
    await theirs.flush();
    mine.changed();
    await mine.flush();
    expect(mine.state.value).toBe("conflict");
    expect(store.version).toBe(1);
    // Further changes do not try again behind the person's back.
    mine.changed();
    await mine.flush();
    expect(store.version).toBe(1);
    await mine.keepMine();
    expect(mine.state.value).toBe("saved");
    expect(store.version).toBe(2);
  });

  it("can give up its own for the other one", async () => {
    const store = new Store();
    const [mine, theirs] = [newAutosave(store), newAutosave(store)];
    for (const one of [mine, theirs]) await one.load();
    theirs.changed();
    await theirs.flush();
    mine.changed();
    await mine.flush();
    expect(await mine.takeTheirs()).toEqual(store.document);
    expect(mine.hasUnsaved).toBe(false);
    mine.changed();
    await mine.flush();
    expect(mine.state.value).toBe("saved");
  });

  it("keeps what could not be stored", async () => {
    const store = new Store();
    const save = newAutosave(store);
    await save.load();
    store.fail = true;
    save.changed();
    await save.flush();
    expect(save.state.value).toBe("failed");
    expect(save.hasUnsaved).toBe(true);
    store.fail = false;
    await save.flush();
    expect(save.state.value).toBe("saved");
    save.close();
  });
});
