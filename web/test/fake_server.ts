// A studio in memory that answers as the HTTP contract says: for tests of the page and for its screenshots.
//
//   const studio = new FakeStudio();           in Vitest: globalThis.fetch = studio.fetch
//   await serve(studio, 8123)                  in a browser: the built page and the interface on loopback
//
// Jobs move only when advance() is called, so that tests decide when takes arrive.
import type { BoardRow, Entity, Job, StudioEvent, Take, Task } from "../src/model/documents";
import { at, kAssetTypes, kModels, kProof, kRoles, kStatuses, kTable, kTaskTypes, newId, permissionsOf, pictureHash, seedData, type Data } from "./fake_data";
import { landscape } from "./fake_pictures";

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  values: string[];
  body: Record<string, unknown>;
  bytes: Uint8Array;
  headers: Headers;
}

type Handler = (call: Call) => unknown;

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    what: string,
    readonly fields: Record<string, unknown> = {},
    readonly hint: string | null = null,
  ) {
    super(what);
  }
}

const kBigShow = 100000;
const kPicture = Symbol("picture");

export class FakeStudio {
  data: Data = seedData();
  signedIn = true;
  password = "lanterns";
  /** Every request, for tests that count them. */
  requests: string[] = [];
  private routes: [string, RegExp, Handler][] = [];
  private streams = new Set<{ send(text: string): void; end(): void }>();
  private uploads = new Map<string, Uint8Array>();
  private pictures = new Map<string, Buffer>();
  private deliveries: object[] = [];
  private said: { id: string; take: string; text: string; author: string; is_guest: boolean; said_at: string; drawing: unknown[] }[] = [];

  constructor() {
    this.addSession();
    this.addShows();
    this.addTasks();
    this.addTakes();
    this.addJobs();
    this.addReview();
    this.addStudio();
  }

  fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input), "http://studio.test");
    const headers = new Headers(init.headers as HeadersInit);
    const method = init.method ?? "GET";
    this.requests.push(`${method} ${url.pathname}${url.search}`);
    if (url.pathname === "/api/v1/events/stream") return this.stream(headers, init.signal ?? null);
    const bytes = await bodyBytes(init.body);
    const isJson = headers.get("Content-Type") === "application/json";
    return this.answer({
      method,
      path: url.pathname.replace(/^\/api\/v1/, ""),
      query: url.searchParams,
      values: [],
      body: isJson ? (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>) : {},
      bytes,
      headers,
    });
  };

  private answer(call: Call): Response {
    try {
      if (!this.signedIn && !/^\/(sessions|shared)/.test(call.path)) throw new Refusal(401, "refused", "nobody is signed in");
      if (call.method !== "GET" && this.signedIn && !call.path.startsWith("/s") && call.headers.get("X-CSRF-Token") !== this.data.me.csrf) {
        throw new Refusal(403, "refused", "the request carries no valid CSRF token");
      }
      for (const [method, pattern, handler] of this.routes) {
        const found = method === call.method ? pattern.exec(call.path) : null;
        if (!found) continue;
        const result = handler({ ...call, values: found.slice(1).map(decodeURIComponent) });
        return this.respond(call, result);
      }
      throw new Refusal(404, "not-found", `there is no ${call.method} ${call.path}`);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      const error = { code: thrown.code, what: thrown.message, fields: thrown.fields, hint: thrown.hint };
      return json({ error }, thrown.status);
    }
  }

  private respond(call: Call, result: unknown): Response {
    if (result && typeof result === "object" && kPicture in result) {
      const picture = (result as { [kPicture]: Buffer })[kPicture];
      return new Response(new Uint8Array(picture), { headers: { "Content-Type": "image/png", "Cache-Control": "max-age=31536000, immutable" } });
    }
    const version = (result as { version?: number } | null)?.version;
    const created = call.method === "POST" && (result as { id?: string } | null)?.id !== undefined;
    return json(result ?? {}, created ? 201 : 200, typeof version === "number" ? { ETag: `"${version}"` } : {});
  }

  private on(method: string, pattern: string, handler: Handler): void {
    this.routes.push([method, new RegExp(`^${pattern.replace(/\{\w+\}/g, "([^/]+)")}$`), handler]);
  }

  // Live ------------------------------------------------------------------------------------------------------------

  private stream(headers: Headers, signal: AbortSignal | null): Response {
    const after = Number(headers.get("Last-Event-ID") ?? this.data.events.length);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const listener = {
          send: (text: string) => controller.enqueue(encoder.encode(text)),
          end: () => {
            this.streams.delete(listener);
            try {
              controller.close();
            } catch {
              // The reader went first.
            }
          },
        };
        this.streams.add(listener);
        signal?.addEventListener("abort", listener.end);
        listener.send(": welcome\n\n");
        for (const event of this.data.events.slice(after)) listener.send(eventText(event));
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  }

  /** Ends all streams, as a restart of the server does. */
  cutStreams(): void {
    for (const stream of [...this.streams]) stream.end();
  }

  record(action: string, subject: { id: string; name: string }, fill: Partial<StudioEvent> = {}): void {
    const me = this.data.me.person;
    const event: StudioEvent = {
      seq: this.data.events.length + 1,
      id: newId(),
      show_id: this.data.shows[0]!.id,
      at: new Date().toISOString(),
      person: { id: me.id, name: me.name },
      role: "art-director",
      action,
      subject_kind: action.split(":")[0]!,
      subject_id: subject.id,
      subject_name: subject.name,
      before: null,
      after: null,
      ...fill,
    };
    this.data.events.push(event);
    for (const stream of this.streams) stream.send(eventText(event));
  }

  progress(job: Job, step: number, steps: number): void {
    const data = { id: job.id, progress: step / steps, phase: "sampling", step, steps, seconds_left: Math.round((steps - step) * 2.4), made: job.made };
    Object.assign(job, { progress: data.progress, phase: data.phase, seconds_left: data.seconds_left });
    for (const kind of ["job:progress", "job:preview"]) {
      for (const stream of this.streams) stream.send(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  /** Finishes the picture that the job is at; the job is done with its last one. */
  finishPicture(job: Job): Take {
    const task = this.task(job.task_id!);
    const take = this.addTake(task, "generated", { job_id: job.id, model: job.model });
    job.made += 1;
    job.takes.push(take.id);
    job.state = job.made === job.count ? "done" : "running";
    this.record(job.state === "done" ? "job:done" : "job:picture", { id: job.id, name: task.reference }, { after: { task_id: task.id } });
    return take;
  }

  // Finding ---------------------------------------------------------------------------------------------------------

  private show(key: string) {
    return this.data.shows.find((show) => show.id === key || show.code === key) ?? missing("show", key);
  }
  task(key: string): Task {
    return this.data.tasks.find((task) => task.id === key || task.reference === key) ?? missing("task", key);
  }
  take(key: string): Take {
    return this.data.takes.find((take) => take.id === key || take.reference === key) ?? missing("take", key);
  }
  private entity(key: string): Entity {
    return this.data.entities.find((each) => each.id === key || `lanterns/${each.path}` === key) ?? missing("entity", key);
  }
  private job(key: string): Job {
    return this.data.jobs.find((job) => job.id === key) ?? missing("job", key);
  }

  private changed<T extends { version: number }>(call: Call, document: T, change: object): T {
    const wanted = call.headers.get("If-Match");
    if (wanted && wanted !== `"${document.version}"`) {
      throw new Refusal(412, "conflict", "somebody else changed it since you opened it", { found: wanted, expected: `"${document.version}"` }, "load it again and repeat the change");
    }
    return Object.assign(document, change, { version: document.version + 1 });
  }

  // Routes ----------------------------------------------------------------------------------------------------------

  private addSession(): void {
    this.on("GET", "/me", () => this.data.me);
    this.on("PATCH", "/me", ({ body }) => (Object.assign(this.data.me.person, body), this.data.me));
    this.on("POST", "/sessions", ({ body }) => {
      const person = this.data.people.find((each) => each.login === body.login);
      if (!person || body.password !== this.password) {
        throw new Refusal(401, "refused", "the login or the password is wrong", { login: body.login }, "an administrator can set a new password");
      }
      this.signedIn = true;
      const roles = person.roles ?? {};
      this.data.me = { ...this.data.me, person, roles, permissions: permissionsOf(roles) };
      return this.data.me;
    });
    this.on("DELETE", "/sessions/current", () => ((this.signedIn = false), null));
    this.on("POST", "/me/change-password", ({ body }) => {
      if (body.old !== this.password) throw new Refusal(403, "refused", "the current password is wrong");
      if (String(body.new).length < 10) {
        throw new Refusal(400, "usage", "the new password is too short", { found: `${String(body.new).length} characters`, expected: "at least 10" });
      }
      this.password = String(body.new);
      this.data.me.person.must_change_password = false;
      return null;
    });
    this.on("GET", "/api-tokens", () => page([]));
    this.on("POST", "/api-tokens", ({ body }) => ({ id: newId(), ...body, token: "mqt_0123456789abcdef" }));
  }

  private addShows(): void {
    this.on("GET", "/shows", () => page(this.data.shows));
    this.on("POST", "/shows", ({ body }) => {
      const show = { ...this.data.shows[0]!, id: newId(), code: String(body.code), name: String(body.name), counts: { shots: 0, assets: 0, tasks: 0, takes: 0 }, version: 1 };
      this.data.shows.push(show);
      this.record("show:create", { id: show.id, name: show.name }, { show_id: show.id });
      return show;
    });
    this.on("GET", "/shows/{show}", ({ values }) => this.show(values[0]!));
    this.on("PATCH", "/shows/{show}", (call) => {
      const show = this.changed(call, this.show(call.values[0]!), call.body);
      this.record("show:update", { id: show.id, name: show.name });
      return show;
    });
    this.on("GET", "/shows/{show}/statuses", () => page(kStatuses));
    this.on("GET", "/shows/{show}/task-types", () => page(kTaskTypes));
    this.on("GET", "/shows/{show}/asset-types", () => page(kAssetTypes));
    this.on("POST", "/shows/{show}/task-types", ({ body }) => {
      const made = { id: newId(), code: String(body.code), name: String(body.name), color: String(body.color), for_kind: String(body.for_kind ?? "") };
      kTaskTypes.push(made);
      return made;
    });
    this.on("POST", "/shows/{show}/asset-types", ({ body }) => ({ id: newId(), ...body }));
    this.on("POST", "/shows/{show}/statuses", ({ body }) => ({ ...kStatuses[0]!, ...body, id: newId() }));
    this.on("PATCH", "/shows/{show}/statuses/{status}", ({ values, body }) => Object.assign(kStatuses.find((each) => each.id === values[1])!, body));
    this.on("GET", "/shows/{show}/model-limits", ({ values }) => this.data.limits[this.show(values[0]!).id] ?? {});
    this.on("PUT", "/shows/{show}/model-limits", ({ values, body }) => (this.data.limits[this.show(values[0]!).id] = body as Record<string, string[]>));
    this.on("GET", "/shows/{show}/entities", ({ values, query }) => {
      const show = this.show(values[0]!);
      const search = (query.get("search") ?? "").toLowerCase();
      const items = this.data.entities.filter(
        (each) =>
          each.show_id === show.id &&
          (!query.get("kind") || each.kind === query.get("kind")) &&
          (!query.get("parent") || each.parent_id === query.get("parent")) &&
          `${each.path} ${each.name}`.toLowerCase().includes(search),
      );
      return window(items, query);
    });
    this.on("POST", "/shows/{show}/entities", ({ values, body }) => this.createEntity(this.show(values[0]!).id, body));
    this.on("GET", "/entities/{entity}", ({ values }) => this.entity(values[0]!));
    this.on("PATCH", "/entities/{entity}", (call) => this.changed(call, this.entity(call.values[0]!), call.body));
    this.on("GET", "/entities/{entity}/casting", ({ values }) => {
      const id = this.entity(values[0]!).id;
      const links = this.data.castings.filter((link) => link.shot === id || link.asset === id);
      return page(links.map((link) => ({ count: link.count, label: link.label, entity: this.entity(link.shot === id ? link.asset : link.shot) })));
    });
    this.on("PUT", "/entities/{entity}/casting/{asset}", ({ values, body }) => {
      const [shot, asset] = [this.entity(values[0]!).id, this.entity(values[1]!).id];
      const found = this.data.castings.find((link) => link.shot === shot && link.asset === asset);
      if (found) Object.assign(found, body);
      else this.data.castings.push({ shot, asset, count: Number(body.count), label: String(body.label ?? "") });
      this.record("shot:casting-update", { id: shot, name: this.entity(shot).path });
      return null;
    });
    this.on("DELETE", "/entities/{entity}/casting/{asset}", ({ values }) => {
      const [shot, asset] = [this.entity(values[0]!).id, this.entity(values[1]!).id];
      this.data.castings = this.data.castings.filter((link) => link.shot !== shot || link.asset !== asset);
      this.record("shot:casting-update", { id: shot, name: this.entity(shot).path });
      return null;
    });
    this.on("GET", "/shows/{show}/board", ({ values, query }) => this.board(this.show(values[0]!).code, query));
  }

  private createEntity(showId: string, body: Record<string, unknown>): Entity {
    const parent = body.parent ? this.entity(String(body.parent)) : null;
    const code = String(body.code);
    const path = parent ? `${parent.path}/${code}` : body.kind === "asset" ? `${String(body.asset_type)}/${code}` : code;
    if (this.data.entities.some((each) => each.show_id === showId && each.path === path)) {
      throw new Refusal(409, "conflict", "there is already one of that code", { found: path }, "choose another code");
    }
    const made: Entity = { id: newId(), show_id: showId, parent_id: parent?.id ?? null, kind: body.kind as Entity["kind"], asset_type: (body.asset_type as string) ?? null, code, path, name: String(body.name ?? ""), brief: String(body.brief ?? ""), status: "running", data: {}, thumbnail: null, version: 1 };
    this.data.entities.push(made);
    this.record(`${made.kind}:create`, { id: made.id, name: made.path }, { show_id: showId });
    return made;
  }

  private row(entity: Entity): BoardRow {
    const tasks = this.data.tasks.filter((task) => task.entity.id === entity.id);
    return {
      entity,
      casting_count: this.data.castings.filter((link) => link.shot === entity.id || link.asset === entity.id).length,
      tasks: tasks.map((task) => ({ id: task.id, task_type: task.task_type, status: task.status, take_count: task.take_count, retake_count: task.retake_count, approved_take_id: task.approved_take_id, thumbnail: entity.thumbnail })),
    };
  }

  private board(show: string, query: URLSearchParams): unknown {
    if (show === "atlas") return bigBoard(query);
    const search = (query.get("search") ?? "").toLowerCase();
    const rows = this.data.entities
      .filter((each) => each.kind === (query.get("kind") ?? "shot") && `${each.path} ${each.name}`.toLowerCase().includes(search))
      .map((each) => this.row(each))
      .filter((row) => !query.get("status") || row.tasks.some((task) => typeof task.status === "object" && task.status.code === query.get("status")))
      .filter((row) => !query.get("task_type") || row.tasks.some((task) => typeof task.task_type === "object" && task.task_type.code === query.get("task_type")));
    return window(rows, query);
  }

  private addTasks(): void {
    this.on("GET", "/shows/{show}/tasks", ({ values, query }) => {
      const show = this.show(values[0]!);
      const search = (query.get("search") ?? "").toLowerCase();
      return window(
        this.data.tasks.filter(
          (task) =>
            task.show_id === show.id &&
            (!query.get("assignee") || task.assignees.some((each) => each.id === query.get("assignee"))) &&
            (!query.get("entity") || task.entity.id === query.get("entity")) &&
            (!query.get("status") || task.status.code === query.get("status")) &&
            task.reference.includes(search),
        ),
        query,
      );
    });
    this.on("POST", "/entities/{entity}/tasks", ({ values, body }) => {
      const entity = this.entity(values[0]!);
      const type = kTaskTypes.find((each) => each.code === body.task_type || each.id === body.task_type)!;
      const task: Task = { ...this.data.tasks[0]!, id: newId(), entity: { id: entity.id, kind: entity.kind, path: entity.path, name: entity.name }, task_type: type, status: kStatuses[0]!, brief: String(body.brief ?? ""), revision: 1, retake_count: 0, approved_take_id: null, take_count: 0, assignees: [], references: [], due_at: null, reference: `lanterns/${entity.path}:${type.code}`, version: 1 };
      this.data.tasks.push(task);
      this.record("task:create", { id: task.id, name: task.reference });
      return task;
    });
    this.on("GET", "/tasks/{task}", ({ values }) => this.task(values[0]!));
    this.on("PATCH", "/tasks/{task}", (call) => {
      const task = this.task(call.values[0]!);
      const change = { ...call.body };
      if (Number(change.max_retakes) < 0) change.max_retakes = null;
      if (change.due_at === "") change.due_at = null;
      if (Array.isArray(change.assignees)) change.assignees = this.data.people.filter((each) => (change.assignees as string[]).includes(each.id)).map(({ id, name }) => ({ id, name }));
      this.changed(call, task, change);
      this.record("task:update", { id: task.id, name: task.reference });
      return task;
    });
    this.on("PUT", "/tasks/{task}/references/{sha256}", ({ values, body }) => {
      const task = this.task(values[0]!);
      task.references.push({ sha256: values[1]!, name: String(body.name) });
      this.record("task:update", { id: task.id, name: task.reference });
      return null;
    });
    this.on("DELETE", "/tasks/{task}/references/{sha256}", ({ values }) => {
      const task = this.task(values[0]!);
      task.references = task.references.filter((each) => each.sha256 !== values[1]);
      this.record("task:update", { id: task.id, name: task.reference });
      return null;
    });
    this.on("GET", "/tasks/{task}/comments", ({ values, query }) => window(this.data.comments.filter((each) => each.task_id === this.task(values[0]!).id), query));
    this.on("POST", "/tasks/{task}/comments", ({ values, body }) => {
      const task = this.task(values[0]!);
      const status = kStatuses.find((each) => each.id === body.status || each.code === body.status) ?? null;
      if (status?.is_retake) {
        task.retake_count += 1;
        task.revision += 1;
      }
      const me = this.data.me.person;
      const now = new Date().toISOString();
      const comment = { id: newId(), task_id: task.id, text: String(body.text ?? ""), person: { id: me.id, name: me.name }, guest: null, status, take_id: (body.take as string) ?? null, annotation_id: (body.annotation as string) ?? null, said_at: now, created_at: now };
      this.data.comments.push(comment);
      if (status) Object.assign(task, { status, version: task.version + 1 });
      this.record("comment:new", { id: comment.id, name: task.reference }, { after: { task_id: task.id } });
      return comment;
    });
    this.on("GET", "/tasks/{task}/approvals", ({ values }) => page(this.data.approvals.filter((each) => each.task_id === this.task(values[0]!).id)));
    this.on("POST", "/tasks/{task}/unapprove", ({ values, body }) => this.approve(this.task(values[0]!), null, String(body.reason ?? "")));
    this.on("GET", "/tasks/{task}/canvas", ({ values }) => this.data.canvases.get(this.task(values[0]!).id) ?? missing("canvas", values[0]!));
    this.on("PUT", "/tasks/{task}/canvas", (call) => {
      const task = this.task(call.values[0]!);
      const held = this.data.canvases.get(task.id) ?? { document: null, version: 0 };
      this.data.canvases.set(task.id, this.changed(call, held, { document: call.body.document }));
      return held;
    });
  }

  private approve(task: Task, take: Take | null, reason: string): Task {
    for (const other of this.data.takes) if (other.task_id === task.id && other.state === "approved") other.state = "proposed";
    if (take) take.state = "approved";
    task.approved_take_id = take?.id ?? null;
    const me = this.data.me.person;
    this.data.approvals.push({ task_id: task.id, take_id: task.approved_take_id, person: { id: me.id, name: me.name }, role: "art-director", reason, at: new Date().toISOString() });
    this.record("take:approve", { id: take?.id ?? task.id, name: take?.reference ?? task.reference }, { after: { task_id: task.id } });
    return task;
  }

  addTake(task: Task, origin: Take["origin"], fill: Partial<Take> = {}): Take {
    const number = this.data.takes.filter((other) => other.task_id === task.id && other.revision === task.revision).length + 1;
    const label = `v${String(task.revision).padStart(3, "0")} t${String(number).padStart(2, "0")}`;
    const scene = this.data.tasks.indexOf(task);
    const hash = pictureHash(scene, 100 + this.data.takes.length);
    const me = this.data.me.person;
    const take: Take = { id: newId(), show_id: task.show_id, task_id: task.id, reference: `${task.reference}/${label.replace(" ", "/")}`, revision: task.revision, number, label, origin, title: "", sha256: hash, thumbnail: hash, width: 1920, height: 1080, seed: origin === "generated" ? 777 + number : null, model: null, prompt: null, job_id: null, state: "proposed", marks: { stars: null, validated: 0, rejected: 0, mine: null }, parents: [], proof: null, created_by: { id: me.id, name: me.name }, created_at: new Date().toISOString(), version: 1, ...fill };
    this.data.takes.push(take);
    task.take_count += 1;
    this.record("take:new", { id: take.id, name: take.reference }, { after: { task: task.id } });
    return take;
  }

  private addTakes(): void {
    this.on("GET", "/tasks/{task}/takes", ({ values, query }) => {
      const task = this.task(values[0]!);
      const items = this.data.takes.filter((take) => take.task_id === task.id && (query.get("state") === "all" || take.state === "proposed" || take.state === "approved"));
      return window(items, query);
    });
    this.on("POST", "/tasks/{task}/takes", ({ values, query }) => this.addTake(this.task(values[0]!), (query.get("origin") ?? "imported") as Take["origin"], { title: query.get("title") ?? "" }));
    this.on("GET", "/shows/{show}/takes", ({ query }) => {
      const search = (query.get("search") ?? "").toLowerCase();
      return window(
        this.data.takes.filter((take) => `${take.reference} ${take.prompt ?? ""} ${take.title}`.toLowerCase().includes(search) && (!query.get("origin") || take.origin === query.get("origin")) && (!query.get("state") || take.state === query.get("state"))).reverse(),
        query,
      );
    });
    this.on("GET", "/takes/{take}", ({ values }) => this.take(values[0]!));
    this.on("PATCH", "/takes/{take}", (call) => this.changed(call, this.take(call.values[0]!), call.body));
    this.on("GET", "/takes/{take}/recipe", ({ values }) => this.data.recipes.get(this.take(values[0]!).id) ?? missing("recipe", values[0]!));
    this.on("GET", "/takes/{take}/files", ({ values }) => {
      const take = this.take(values[0]!);
      return page([{ representation: "png", name: `${take.label.replace(" ", "_")}.png`, sha256: take.sha256, bytes: 3_412_006, media_type: "image/png" }]);
    });
    this.on("PUT", "/takes/{take}/files/{representation}/{name}", () => null);
    this.on("PUT", "/takes/{take}/mark", ({ values, body }) => {
      const take = this.take(values[0]!);
      const mine = { stars: (body.stars as number) ?? 0, verdict: (body.verdict as "neutral") ?? "neutral" };
      take.marks = { stars: mine.stars || null, validated: mine.verdict === ("validated" as string) ? 1 : 0, rejected: mine.verdict === ("rejected" as string) ? 1 : 0, mine };
      this.record("take:mark", { id: take.id, name: take.reference }, { after: { task_id: take.task_id } });
      return take;
    });
    this.on("POST", "/takes/{take}/approve", ({ values, body }) => {
      const take = this.take(values[0]!);
      this.approve(this.task(take.task_id), take, String(body.reason ?? ""));
      return take;
    });
    for (const [verb, state] of [["withdraw", "withdrawn"], ["restore", "proposed"], ["purge", "purged"]] as const) {
      this.on("POST", `/takes/{take}/${verb}`, ({ values }) => {
        const take = this.take(values[0]!);
        if (take.state === "approved") throw new Refusal(409, "conflict", "the approved take cannot be withdrawn", { take: take.reference }, "approve another one first, or take the approval back");
        take.state = state;
        this.record(`take:${verb}`, { id: take.id, name: take.reference }, { after: { task_id: take.task_id } });
        return take;
      });
    }
    this.on("GET", "/takes/{take}/lineage", ({ values }) => this.lineage(this.take(values[0]!)));
    this.on("GET", "/takes/{take}/difference/{other}", ({ values }) => {
      const [a, b] = values.map((key) => this.take(key!)) as [Take, Take];
      const [ra, rb] = [this.data.recipes.get(a.id) ?? {}, this.data.recipes.get(b.id) ?? {}];
      const names = [...new Set([...Object.keys(ra), ...Object.keys(rb)])].filter((name) => JSON.stringify(ra[name]) !== JSON.stringify(rb[name]));
      return { fields: names.map((name) => ({ name, a: ra[name] ?? null, b: rb[name] ?? null })), pictures: { psnr: 24.6, max_difference: 0.71, changed_share: 0.312 }, who: [] };
    });
    this.on("GET", "/takes/{take}/annotations", ({ values }) => page(this.data.annotations.filter((each) => each.take_id === this.take(values[0]!).id)));
    this.on("POST", "/takes/{take}/annotations", ({ values, body }) => {
      const made = { id: newId(), take_id: this.take(values[0]!).id, person: this.data.me.person, created_at: new Date().toISOString(), version: 1, ...body };
      this.data.annotations.push(made);
      return made;
    });
    this.on("PATCH", "/annotations/{id}", ({ values, body }) => Object.assign(this.data.annotations.find((each) => each.id === values[0])!, body));
    this.on("POST", "/annotations/{id}/remove", ({ values }) => ((this.data.annotations = this.data.annotations.filter((each) => each.id !== values[0])), null));
    this.on("POST", "/annotations/{id}/mask", () => ({ sha256: pictureHash(7, 7), width: 1920, height: 1080 }));
    this.on("POST", "/takes/{take}/prove", ({ values }) => Object.assign(this.take(values[0]!), { proof: kProof }));
    this.on("GET", "/takes/{take}/seam", () => ({ x: 0.8, y: 1.3 }));
    this.on("GET", "/takes/{take}/picture", ({ values }) => this.picture(this.take(values[0]!).sha256, 960));
    this.on("GET", "/takes/{take}/thumbnail", ({ values }) => this.picture(this.take(values[0]!).thumbnail!, 320));
    this.on("GET", "/shows/{show}/files/{sha256}", ({ values }) => this.picture(values[1]!, 480));
    this.on("POST", "/shows/{show}/uploads", ({ bytes, headers }) => {
      const sha256 = pictureHash(90 + this.uploads.size, 1);
      this.uploads.set(sha256, bytes);
      return { sha256, bytes: bytes.length, media_type: headers.get("Content-Type"), width: 1920, height: 1080 };
    });
  }

  private lineage(take: Take): unknown {
    const takes = new Map([[take.id, take]]);
    const edges: { take: string; parent: string; relation: string }[] = [];
    // Up to every ancestor and down to every descendant.
    for (let grew = true; grew; ) {
      grew = false;
      for (const other of this.data.takes) {
        for (const parent of other.parents) {
          if (takes.has(other.id) === takes.has(parent.id)) continue;
          takes.set(other.id, other);
          takes.set(parent.id, this.take(parent.id));
          grew = true;
        }
      }
    }
    for (const other of takes.values()) for (const parent of other.parents) edges.push({ take: other.id, parent: parent.id, relation: parent.relation });
    return { takes: [...takes.values()], edges };
  }

  private picture(sha256: string, width: number): { [kPicture]: Buffer } {
    const key = `${sha256}/${width}`;
    let found = this.pictures.get(key);
    if (!found) {
      const scene = parseInt(sha256.slice(0, 8), 16) || 0;
      const variation = parseInt(sha256.slice(8, 16), 16) || 0;
      const square = scene >= 40 && scene < 60;
      found = landscape(scene, variation, width, square ? width : Math.round((width * 9) / 16));
      this.pictures.set(key, found);
    }
    return { [kPicture]: found };
  }

  private addJobs(): void {
    this.on("POST", "/tasks/{task}/jobs", ({ values, body }) => {
      const task = this.task(values[0]!);
      const recipe = body.recipe as { model?: string };
      const me = this.data.me.person;
      const job: Job = { id: newId(), show_id: task.show_id, task_id: task.id, task_reference: task.reference, kind: String(body.kind), priority: 20, state: "queued", count: Number(body.count ?? 1), made: 0, progress: 0, phase: null, seconds_left: null, position: this.data.jobs.filter((each) => each.state === "queued").length + 1, model: recipe.model ?? null, attempts: 0, error: null, created_by: { id: me.id, name: me.name }, created_at: new Date().toISOString(), started_at: null, finished_at: null, takes: [] };
      this.data.jobs.push(job);
      this.record("job:create", { id: job.id, name: task.reference }, { after: { task_id: task.id } });
      return job;
    });
    this.on("GET", "/jobs", ({ query }) => {
      const items = this.data.jobs.filter((job) => (!query.get("task") || job.task_id === query.get("task")) && (!query.get("state") || job.state === query.get("state")));
      return window(items, query);
    });
    this.on("GET", "/jobs/{job}", ({ values }) => this.job(values[0]!));
    this.on("POST", "/jobs/{job}/cancel", ({ values }) => this.jobState(values[0]!, "canceled"));
    this.on("POST", "/jobs/{job}/retry", ({ values }) => this.jobState(values[0]!, "queued"));
    this.on("PATCH", "/jobs/{job}", ({ values, body }) => Object.assign(this.job(values[0]!), body));
    this.on("GET", "/jobs/{job}/preview", ({ values }) => this.picture(pictureHash(1, 60 + this.job(values[0]!).made), 240));
  }

  private jobState(key: string, state: Job["state"]): Job {
    const job = this.job(key);
    job.state = state;
    this.record(`job:${state === "queued" ? "retry" : "cancel"}`, { id: job.id, name: job.task_reference ?? "" }, { after: { task_id: job.task_id } });
    return job;
  }

  private addReview(): void {
    const find = (key: string) => this.data.playlists.find((each) => each.id === key) ?? missing("playlist", key);
    this.on("GET", "/shows/{show}/playlists", () => page(this.data.playlists));
    this.on("POST", "/shows/{show}/playlists", ({ values, body }) => {
      const ids = (body.takes as string[] | undefined) ?? [];
      const made = { id: newId(), show_id: this.show(values[0]!).id, name: String(body.name), description: String(body.description ?? ""), items: ids.map((id) => this.take(id)), version: 1 };
      this.data.playlists.push(made);
      this.record("playlist:create", { id: made.id, name: made.name });
      return made;
    });
    this.on("GET", "/playlists/{playlist}", ({ values }) => find(values[0]!));
    this.on("PATCH", "/playlists/{playlist}", (call) => {
      const { takes, ...rest } = call.body;
      const items = Array.isArray(takes) ? { items: (takes as string[]).map((id) => this.take(id)) } : {};
      const playlist = this.changed(call, find(call.values[0]!), { ...rest, ...items });
      this.record("playlist:update", { id: playlist.id, name: playlist.name });
      return playlist;
    });
    this.on("GET", "/playlists/{playlist}/links", () => page([]));
    this.on("POST", "/playlists/{playlist}/links", ({ body }) => ({ id: newId(), url: "/shared/k3y-for-guests", token: "k3y-for-guests", ...body }));
    this.on("POST", "/share-links/{id}/revoke", () => null);
    this.on("POST", "/shared/{token}/open", ({ body }) => {
      if (body.password !== "guest") throw new Refusal(403, "refused", "the password is wrong");
      return null;
    });
    this.on("GET", "/shared/{token}", () => {
      const { id, name, description, items } = this.data.playlists[0]!;
      const takes = items.map(({ id, reference, label, title, width, height }) => ({ id, reference, label, title, width, height }));
      return { playlist: { id, name, description, show: "Lanterns" }, takes, guest: "Client", can_comment: true };
    });
    this.on("GET", "/shared/{token}/takes/{take}/comments", ({ values }) => page(this.said.filter((each) => each.take === values[1])));
    this.on("GET", "/shared/{token}/takes/{take}/thumbnail", ({ values }) => this.picture(this.take(values[1]!).sha256, 320));
    this.on("GET", "/shared/{token}/takes/{take}/picture", ({ values }) => this.picture(this.take(values[1]!).sha256, 960));
    this.on("POST", "/shared/{token}/takes/{take}/comments", ({ values, body }) => {
      const drawing = (body.drawing as unknown[] | undefined) ?? [];
      this.said.push({ id: newId(), take: values[1]!, text: String(body.text), author: "Client", is_guest: true, said_at: new Date().toISOString(), drawing });
      return { done: true };
    });
  }

  private addStudio(): void {
    this.on("GET", "/models", () => page(kModels));
    this.on("GET", "/samplers", () => ({ samplers: ["euler", "euler-a", "heun", "dpm++2m", "dpm++2m-sde", "dpm++sde", "unipc", "ddim", "lcm"].map((name) => ({ name, description: name })), schedules: ["normal", "karras", "exponential", "sgm-uniform", "beta"] }));
    this.on("POST", "/count-tokens", ({ body }) => {
      const prompt = String(body.prompt ?? "");
      const tokens = prompt.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}():]/gu)?.length ?? 0;
      return { tokens, limit: 75, chunks: Math.max(1, Math.ceil(tokens / 75)), words: [{ text: prompt, weight: 1 }] };
    });
    this.on("GET", "/people", ({ query }) => window(this.data.people, query));
    this.on("POST", "/people", ({ body }) => {
      if (this.data.people.some((each) => each.login === body.login)) throw new Refusal(409, "conflict", "there is already a person of that login", { login: body.login });
      const person = { id: newId(), login: String(body.login), name: String(body.name), email: String(body.email ?? ""), language: "en", active: true, roles: (body.roles as Record<string, string[]>) ?? {}, version: 1 };
      this.data.people.push(person);
      this.record("person:create", { id: person.id, name: person.name }, { show_id: null });
      return person;
    });
    const person = (key: string) => this.data.people.find((each) => each.id === key) ?? missing("person", key);
    this.on("GET", "/people/{person}", ({ values }) => person(values[0]!));
    this.on("PATCH", "/people/{person}", ({ values, body }) => Object.assign(person(values[0]!), body));
    for (const method of ["PUT", "DELETE"]) {
      this.on(method, "/people/{person}/roles/{role}", ({ values, query }) => {
        const who = person(values[0]!);
        const show = query.get("show") ?? "";
        const held = new Set(who.roles?.[show] ?? []);
        if (method === "PUT") held.add(values[1]!);
        else held.delete(values[1]!);
        who.roles = { ...who.roles, [show]: [...held] };
        this.record("person:roles", { id: who.id, name: who.name }, { show_id: null });
        return null;
      });
    }
    this.on("GET", "/roles", () => ({ roles: kRoles, actions: Object.keys(kTable), table: kTable }));
    this.on("GET", "/events", ({ query }) => {
      const items = this.data.events
        .filter((event) => (!query.get("action") || event.action.startsWith(query.get("action")!)) && (!query.get("person") || event.person?.id === query.get("person")) && (!query.get("subject") || event.subject_id === query.get("subject")))
        .reverse();
      return window(items, query);
    });
    this.on("GET", "/shows/{show}/deliveries", () => page(this.deliveries));
    this.on("POST", "/shows/{show}/deliveries", ({ body }) => {
      const formats = body.formats as string[];
      if (formats.length === 0) throw new Refusal(400, "usage", "a delivery has no format", { expected: "png16, tiff16, exr, ora, psd" });
      const approved = this.data.takes.filter((take) => take.state === "approved");
      const files = approved.flatMap((take) =>
        formats.map((format, n) => ({ take: take.id, reference: take.reference, format, name: `${take.reference.replace(/[^a-z0-9]+/g, "_")}.${format}`, sha256: pictureHash(n, 3), bytes: 14_200_000 + n })),
      );
      const made = { name: String(body.name ?? "2026-11-23T180000"), made_at: at(400), files };
      this.deliveries.unshift(made);
      this.record("show:deliver", { id: this.data.shows[0]!.id, name: "Lanterns" });
      return { ...made, folder: `delivery/${made.name}`, manifest: "manifest.json" };
    });
    this.on("POST", "/shows/{show}/import", ({ query, bytes }) => {
      if (query.get("what") === "edl" && !new TextDecoder().decode(bytes).includes("TITLE")) {
        throw new Refusal(422, "bad-file", "this is no edit decision list", { where: "line 1", expected: "TITLE: or an event" });
      }
      const lines = new TextDecoder().decode(bytes).trim().split("\n").length - 1;
      return { created: lines, updated: 0, lines };
    });
    this.on("GET", "/doctor", () => ({
      database: "ok", healthy: false, problems: 1,
      shows: [{ code: "lanterns", files: 412, bytes: 1_860_000_000, missing: [], altered: [{ sha256: pictureHash(1, 1), takes: ["lanterns/sq010/sh020:background/v001/t02"], found: pictureHash(1, 2) }], orphaned: [] }],
    }));
    this.on("POST", "/backups", ({ body }) => ({ folder: `/srv/studio/backups/${String(body.name ?? "backup-2026-11-23")}`, files: 412, bytes: 1_860_000_000 }));
  }
}

function missing(kind: string, key: string): never {
  throw new Refusal(404, "not-found", `there is no ${kind} "${key}"`);
}

function page<T>(items: T[]): { items: T[]; next: null; total: number } {
  return { items, next: null, total: items.length };
}

/** A page of a list: the cursor is the row to go on from, "offset" starts anywhere. */
function window<T>(items: T[], query: URLSearchParams): unknown {
  const limit = Math.min(500, Number(query.get("limit") ?? 50));
  const offset = Number(query.get("offset") ?? query.get("after") ?? 0);
  const end = offset + limit;
  return { items: items.slice(offset, end), next: end < items.length ? String(end) : null, total: items.length, offset };
}

function bigBoard(query: URLSearchParams): unknown {
  const limit = Math.min(500, Number(query.get("limit") ?? 50));
  const offset = Number(query.get("offset") ?? query.get("after") ?? 0);
  const end = Math.min(kBigShow, offset + limit);
  const items: BoardRow[] = [];
  for (let n = offset; n < end; n += 1) {
    const code = `sh${String((n % 250) * 10 + 10).padStart(4, "0")}`;
    const path = `sq${String(Math.floor(n / 250) * 10 + 10).padStart(4, "0")}/${code}`;
    items.push({
      entity: { id: `big-${n}`, show_id: "atlas", parent_id: null, kind: "shot", asset_type: null, code, path, name: `Shot ${n + 1}`, brief: "", status: "running", data: {}, thumbnail: null, version: 1 },
      tasks: [{ id: `big-task-${n}`, task_type: kTaskTypes[0]!, status: kStatuses[n % kStatuses.length]!, take_count: n % 9, retake_count: n % 3, approved_take_id: null, thumbnail: null }],
      casting_count: n % 7,
    });
  }
  return { items, next: end < kBigShow ? String(end) : null, total: kBigShow, offset };
}

function eventText(event: StudioEvent): string {
  return `id: ${event.seq}\nevent: ${event.action}\ndata: ${JSON.stringify(event)}\n\n`;
}

function json(body: unknown, status: number, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

async function bodyBytes(body: RequestInit["body"]): Promise<Uint8Array> {
  if (body === null || body === undefined) return new Uint8Array();
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  return new Uint8Array(await new Response(body as Blob).arrayBuffer());
}

export { at };
