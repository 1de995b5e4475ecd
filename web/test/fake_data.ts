// What is in the fake studio when it starts: the show "Lanterns", a show of 100,000 shots, people, models.
import type { Comment, Entity, Job, Me, ModelFile, Person, Playlist, Show, StudioEvent, Take, Task, TaskStatus, TaskType } from "../src/model/documents";

export const kRoles = ["artist", "art-director", "technician", "trainer", "auditor", "producer", "administrator"];
const kRoleTable: Record<string, string> = {
  "show.read": "adtmupx",
  "show.create": "-----px",
  "show.edit": "-----px",
  "structure.edit": "-d---px",
  "task.edit": "-d---px",
  "comment.write": "adtmupx",
  "status.any": "-d---px",
  "take.file": "adtm--x",
  "take.generate": "adtm--x",
  "take.mark": "ad---px",
  "take.approve": "-d-----",
  "take.withdraw": "-d---px",
  "take.purge": "-----px",
  "annotation.write": "adtm-px",
  "playlist.edit": "ad---px",
  "link.create": "-d---px",
  "job.manage": "-dt--px",
  "library.read": "adtmupx",
  "library.edit": "--t---x",
  "person.read": "adtmupx",
  "person.edit": "------x",
  "event.read": "adtmupx",
  "delivery.make": "adt--px",
  "studio.check": "--t-u-x",
  "studio.backup": "--t---x",
  "token.own": "adtmupx",
};

export const kTable: Record<string, string[]> = Object.fromEntries(
  Object.entries(kRoleTable).map(([action, letters]) => [action, kRoles.filter((_, index) => letters[index] !== "-")]),
);

export function permissionsOf(roles: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(roles).map(([show, held]) => [
      show,
      Object.keys(kTable).filter((action) => kTable[action]!.some((role) => held.includes(role))),
    ]),
  );
}

const kEpoch = Date.parse("2026-11-16T08:00:00.000Z");
export const at = (minutes: number): string => new Date(kEpoch + minutes * 60000).toISOString();

let counter = 0;
export function newId(): string {
  counter += 1;
  return `0193a000-0000-7000-8000-${counter.toString(16).padStart(12, "0")}`;
}

/** 64 hex digits that name a picture: its scene and variation can be read from them. */
export function pictureHash(scene: number, variation: number): string {
  return `${scene.toString(16).padStart(8, "0")}${variation.toString(16).padStart(8, "0")}`.padEnd(64, "a");
}

function status(code: string, name: string, color: string, flags: Partial<TaskStatus>): TaskStatus {
  return {
    id: `status-${code}`,
    code,
    name,
    color,
    position: 0,
    is_default: false,
    is_wip: false,
    is_done: false,
    is_retake: false,
    is_feedback_request: false,
    is_artist_allowed: true,
    is_client_allowed: false,
    archived: false,
    ...flags,
  };
}

/** What the engine says of a repainted part; pictures of the fake studio are made of nothing. */
export const kProof = { outside_unchanged: true, outside_pixels: 1889280, changed_pixels: 0, seam_drift: { inside_levels: 21.4, outside_levels: 0, inside_delta_e: 7.6, shift: [0.8, -0.4, 0.3], shift_delta_e: 0.62, step: 6.7, step_before: 6.1 } };

export const kStatuses: TaskStatus[] = [
  status("todo", "Todo", "#f5f5f5", { is_default: true }),
  status("ready", "Ready", "#fbc02d", {}),
  status("wip", "WIP", "#3273dc", { is_wip: true }),
  status("wfa", "Waiting For Approval", "#ab26ff", { is_feedback_request: true }),
  status("retake", "Retake", "#ff3860", { is_retake: true, is_artist_allowed: false }),
  status("done", "Done", "#22d160", { is_done: true, is_artist_allowed: false }),
].map((each, position) => ({ ...each, position }));

export const kTaskTypes: TaskType[] = [
  { id: "type-background", code: "background", name: "Background", color: "#8d6e63", for_kind: "shot" },
  { id: "type-layout", code: "layout", name: "Layout", color: "#607d8b", for_kind: "shot" },
  { id: "type-concept", code: "concept", name: "Concept", color: "#9c8400", for_kind: "asset" },
  { id: "type-texture", code: "texture", name: "Texture", color: "#00838f", for_kind: "asset" },
];

export const kAssetTypes = ["background", "texture", "set-element", "prop", "concept"].map((code) => ({
  id: `asset-type-${code}`,
  code,
  name: code.replace("-", " ").replace(/^./, (c) => c.toUpperCase()),
}));

export const kModels: ModelFile[] = [
  { name: "starter", path: "models/starter", family: "sd1", kind: "checkpoint", bytes: 21_400_000, allowed: true },
  { name: "backgrounds-xl", path: "models/backgrounds-xl.safetensors", family: "sdxl", kind: "checkpoint", bytes: 6_938_000_000, allowed: true },
  { name: "matte-v3", path: "models/matte-v3.safetensors", family: "sd1", kind: "checkpoint", bytes: 2_132_000_000, allowed: true },
  { name: "inpaint-v2", path: "models/inpaint-v2.safetensors", family: "sd2", kind: "checkpoint", bytes: 5_214_000_000, allowed: false },
  { name: "lanterns-style", path: "loras/lanterns-style.safetensors", family: "sdxl", kind: "lora", bytes: 228_000_000, allowed: true },
  { name: "gouache-paper", path: "loras/gouache-paper.safetensors", family: "sd1", kind: "lora", bytes: 37_900_000, allowed: true },
  { name: "night-rim-light", path: "loras/night-rim-light.safetensors", family: "sdxl", kind: "lora", bytes: 114_000_000, allowed: true },
  { name: "lineart", path: "controlnets/lineart.safetensors", family: "sd1", kind: "controlnet", bytes: 723_000_000, allowed: true },
  { name: "depth-xl", path: "controlnets/depth-xl.safetensors", family: "sdxl", kind: "controlnet", bytes: 2_502_000_000, allowed: true },
  { name: "esrgan-thick-x4", path: "models/esrgan-thick-x4.safetensors", family: "esrgan", kind: "upscaler", bytes: 20_900_000, allowed: true },
];

export interface Data {
  people: Person[];
  me: Me;
  shows: Show[];
  entities: Entity[];
  castings: { shot: string; asset: string; count: number; label: string }[];
  tasks: Task[];
  takes: Take[];
  recipes: Map<string, Record<string, unknown>>;
  comments: (Comment & { task_id: string })[];
  approvals: { task_id: string; take_id: string | null; person: { id: string; name: string }; role: string; reason: string; at: string }[];
  jobs: Job[];
  playlists: Playlist[];
  events: StudioEvent[];
  limits: Record<string, Record<string, string[]>>;
  annotations: Record<string, unknown>[];
  canvases: Map<string, { document: unknown; version: number }>;
}

const kPeople: [string, string, string][] = [
  ["ines", "Inès Caron", "art-director"],
  ["tomas", "Tomás Ruiz", "artist"],
  ["mei", "Mei Tanaka", "artist"],
  ["ada", "Ada Okafor", "producer"],
  ["jonas", "Jonas Lindqvist", "technician"],
  ["root", "Studio administrator", "administrator"],
];

const kShots: [string, string, string, string][] = [
  ["sq010/sh010", "The harbour at dusk", "done", "Wide on the harbour, lanterns lit along the quay, the last boats coming in. Warm low sun behind the masts, fog on the water. Leave the lower third calm for the characters."],
  ["sq010/sh020", "Lanterns over the bridge", "wfa", "Same evening, ten minutes later. The bridge seen from the water, paper lanterns rising. The sky has lost its orange: keep it in the lights only. Overscan on the left, the camera pans."],
  ["sq010/sh030", "Mira at the window", "wip", "Through the window frame: roofs in blue hour, one lit attic across the street."],
  ["sq010/sh040", "Roofs, blue hour", "retake", "Establishing, high angle over the roofs. The chimney on the right distracts from the attic light."],
  ["sq020/sh010", "The paper maker’s yard", "ready", "Morning after. Wet paper on lines, flat light, no shadows yet."],
  ["sq020/sh020", "Stairs to the mill", "todo", "Long stairs, mossy stone, the mill wheel turning out of frame. Continuity with sq020/sh010."],
  ["sq020/sh030", "Mill interior", "todo", "Dark interior, one shaft of light with dust. Room for two characters left of the light."],
  ["sq020/sh040", "The drying loft", "wip", "Rows of hanging sheets, depth by overlapping only, no perspective lines."],
  ["sq030/sh010", "Night market", "wfa", "Crowded stalls in two planes, the far plane out of focus."],
  ["sq030/sh020", "Alley behind the market", "todo", "Narrow, wet cobbles, one lantern. The alley must read at thumbnail size."],
  ["sq030/sh030", "River, lanterns adrift", "done", "Last image of the sequence. Lanterns drifting out of frame to the right."],
];

const kAssets: [string, string, string, string][] = [
  ["harbour", "background", "Harbour", "Reusable plate of the harbour, four times of day."],
  ["mill", "background", "Paper mill", "The mill from the yard side."],
  ["paper-lantern", "prop", "Paper lantern", "Folded paper, a visible seam, lit from inside."],
  ["rowing-boat", "prop", "Rowing boat", "Clinker built, one oar missing."],
  ["wet-cobbles", "texture", "Wet cobbles", "Tiles in both directions, 1 m repeat."],
  ["washi", "texture", "Washi paper", "Tiles in both directions, long fibres."],
  ["market-stall", "set-element", "Market stall", "Two sizes, awning separate."],
  ["mira-room", "concept", "Mira’s room", "Mood only."],
];

const kPrompts = [
  "harbour at dusk, (paper lanterns:1.2) along the quay, masts against low sun, fog on water, gouache background painting",
  "stone bridge seen from the water at night, (rising paper lanterns:1.3), deep blue sky, reflections, gouache background painting",
  "roofs in blue hour seen through a window frame, one (lit attic:1.2), soft edges, gouache background painting",
];

export function seedData(): Data {
  const people: Person[] = kPeople.map(([login, name, role]) => ({
    id: newId(),
    login,
    name,
    email: `${login}@lanterns.example`,
    language: "en",
    active: true,
    roles: { "": role === "artist" ? [] : [role] },
    version: 1,
  }));
  const director = people[0]!;
  const artist = people[1]!;
  const lanternsId = newId();
  const atlasId = newId();
  for (const person of people.slice(1, 3)) person.roles = { "": [], [lanternsId]: ["artist"] };
  director.roles = { "": ["art-director", "producer"] };

  const settings = { width: 1920, height: 1080, overscan: 0.1, fps: 24, path_template: "{show}_{sequence}_{shot}_{task}_v{version:03}", max_retakes: 5, color_config: "" };
  const shows: Show[] = [
    { id: lanternsId, code: "lanterns", name: "Lanterns", root: "lanterns", status: "open", settings, counts: { shots: 11, assets: 8, tasks: 0, takes: 0 }, version: 3 },
    { id: atlasId, code: "atlas", name: "Atlas of Tides", root: "atlas", status: "open", settings: { ...settings, width: 2048, height: 858, fps: 25 }, counts: { shots: 100000, assets: 0, tasks: 100000, takes: 412380 }, version: 1 },
  ];

  const roles = { "": ["art-director", "producer"] };
  const data: Data = {
    people,
    me: { person: director, roles, permissions: permissionsOf(roles), csrf: "csrf-for-tests", single_user: false, program: "0.4.0" },
    shows,
    entities: [],
    castings: [],
    tasks: [],
    takes: [],
    recipes: new Map(),
    comments: [],
    approvals: [],
    jobs: [],
    playlists: [],
    events: [],
    limits: { [lanternsId]: { artist: ["starter", "backgrounds-xl", "lanterns-style"] } },
    annotations: [],
    canvases: new Map(),
  };

  const sequences = new Map<string, Entity>();
  const newEntity = (fill: Partial<Entity>): Entity => {
    const made: Entity = { id: newId(), show_id: lanternsId, parent_id: null, kind: "shot", asset_type: null, code: "", path: "", name: "", brief: "", status: "running", data: {}, thumbnail: null, version: 1, ...fill };
    data.entities.push(made);
    return made;
  };
  const newTask = (entity: Entity, type: TaskType, statusCode: string, brief: string): Task => {
    const made: Task = {
      id: newId(),
      show_id: lanternsId,
      show_code: "lanterns",
      entity: { id: entity.id, kind: entity.kind, path: entity.path, name: entity.name },
      task_type: type,
      status: kStatuses.find((each) => each.code === statusCode)!,
      brief,
      priority: 0,
      revision: 1,
      retake_count: statusCode === "retake" ? 1 : 0,
      max_retakes: 5,
      approved_take_id: null,
      take_count: 0,
      assignees: [],
      references: [],
      due_at: null,
      reference: `lanterns/${entity.path}:${type.code}`,
      version: 1,
    };
    data.tasks.push(made);
    return made;
  };
  let minute = 0;
  const newTake = (task: Task, scene: number, variation: number, fill: Partial<Take> = {}): Take => {
    task.take_count += 1;
    const number = data.takes.filter((other) => other.task_id === task.id && other.revision === task.revision).length + 1;
    const label = `v${String(task.revision).padStart(3, "0")} t${String(number).padStart(2, "0")}`;
    minute += 7;
    const made: Take = {
      id: newId(),
      show_id: lanternsId,
      task_id: task.id,
      reference: `${task.reference}/${label.replace(" ", "/")}`,
      revision: task.revision,
      number,
      label,
      origin: "generated",
      title: "",
      sha256: pictureHash(scene, variation),
      thumbnail: pictureHash(scene, variation),
      width: 1920,
      height: 1080,
      seed: 40000 + variation * 17,
      model: "backgrounds-xl",
      prompt: kPrompts[scene % kPrompts.length]!,
      job_id: null,
      state: "proposed",
      marks: { stars: null, validated: 0, rejected: 0, mine: null },
      parents: [],
      proof: null,
      created_by: { id: artist.id, name: artist.name },
      created_at: at(minute),
      version: 1,
      ...fill,
    };
    data.takes.push(made);
    data.recipes.set(made.id, {
      model: { path: "backgrounds-xl", sha256: "c0ffee".padEnd(64, "0") },
      prompt: made.prompt,
      negative: "text, watermark, people, (oversaturated:1.1)",
      width: 1216,
      height: 688,
      steps: 28,
      cfg: 6.5,
      sampler: "dpm++2m",
      schedule: "karras",
      seed: Number(made.seed),
      loras: [{ file: { path: "lanterns-style" }, unet_weight: 0.8, text_weight: 0.8 }],
    });
    return made;
  };

  kShots.forEach(([path, name, statusCode, brief], index) => {
    const [sequenceCode, code] = path.split("/") as [string, string];
    if (!sequences.has(sequenceCode)) {
      const names: Record<string, string> = { sq010: "The festival", sq020: "The paper mill", sq030: "After midnight" };
      sequences.set(sequenceCode, newEntity({ kind: "sequence", code: sequenceCode, path: sequenceCode, name: names[sequenceCode]! }));
    }
    const shot = newEntity({ parent_id: sequences.get(sequenceCode)!.id, code, path, name, brief, data: { frames: 48 + index * 12 } });
    const task = newTask(shot, kTaskTypes[0]!, statusCode, brief);
    task.assignees = [people[1 + (index % 2)]!].map(({ id, name: who }) => ({ id, name: who }));
    if (index % 3 === 0) newTask(shot, kTaskTypes[1]!, index === 0 ? "done" : "todo", "Layout pencil, camera and overscan.");
    if (statusCode === "todo" || statusCode === "ready") return;
    const made = Array.from({ length: index === 1 ? 5 : 2 + (index % 4) }, (_, v) => newTake(task, index, v + 1));
    shot.thumbnail = made[0]!.thumbnail;
    if (statusCode === "done") {
      made[0]!.state = "approved";
      task.approved_take_id = made[0]!.id;
      data.approvals.push({ task_id: task.id, take_id: made[0]!.id, person: { id: director.id, name: director.name }, role: "art-director", reason: "Light and depth are right.", at: at(minute + 3) });
    }
  });

  // The task that the tests and the screenshots look at closely: two revisions, an approval that moved, a retake of a
  // region, a paint-over, a picture from outside, a withdrawn take.
  const bridge = data.tasks.find((task) => task.reference === "lanterns/sq010/sh020:background")!;
  const first = data.takes.filter((take) => take.task_id === bridge.id);
  first[0]!.marks = { stars: 3, validated: 0, rejected: 0, mine: { stars: 3, verdict: "neutral" } };
  first[1]!.marks = { stars: 4.5, validated: 2, rejected: 0, mine: { stars: 4, verdict: "validated" } };
  first[2]!.marks = { stars: 1, validated: 0, rejected: 1, mine: { stars: 1, verdict: "rejected" } };
  first[4]!.state = "withdrawn";
  bridge.revision = 2;
  bridge.retake_count = 1;
  bridge.priority = 2;
  bridge.due_at = "2026-11-27T18:00:00.000Z";
  const parent = { id: first[1]!.id, label: first[1]!.label, thumbnail: first[1]!.thumbnail };
  const retaken = newTake(bridge, 1, 21, {
    parents: [{ ...parent, relation: "retake" }],
    proof: kProof,
    marks: { stars: 5, validated: 2, rejected: 0, mine: { stars: 5, verdict: "validated" } },
  });
  newTake(bridge, 1, 22, { parents: [{ ...parent, relation: "retake" }] });
  const painted = newTake(bridge, 1, 21, {
    origin: "edited",
    title: "Chimney painted out",
    seed: null,
    model: null,
    prompt: null,
    parents: [{ id: retaken.id, label: retaken.label, relation: "source", thumbnail: retaken.thumbnail }],
    state: "approved",
    marks: { stars: 5, validated: 1, rejected: 0, mine: null },
  });
  newTake(bridge, 1, 30, { origin: "imported", title: "bridge_sketch_03.png", seed: null, model: null, prompt: null });
  bridge.approved_take_id = painted.id;
  bridge.references = [
    { sha256: pictureHash(0, 90), name: "harbour_dusk_ref.png" },
    { sha256: pictureHash(2, 91), name: "bridge_photo.png" },
  ];
  data.approvals.push(
    { task_id: bridge.id, take_id: first[1]!.id, person: { id: director.id, name: director.name }, role: "art-director", reason: "Best composition of the first round.", at: at(200) },
    { task_id: bridge.id, take_id: painted.id, person: { id: director.id, name: director.name }, role: "art-director", reason: "Chimney gone, lights kept.", at: at(320) },
  );
  const say = (person: Person, text: string, code: string | null, take: Take | null, minutes: number): void => {
    data.comments.push({
      id: newId(),
      task_id: bridge.id,
      text,
      person: { id: person.id, name: person.name },
      guest: null,
      status: kStatuses.find((each) => each.code === code) ?? null,
      take_id: take?.id ?? null,
      annotation_id: null,
      said_at: at(minutes),
      created_at: at(minutes),
    });
  };
  say(artist, "Five proposals, fog from none to heavy.", "wfa", first[0]!, 60);
  say(director, "t02 has the right depth. The chimney on the right fights with the lanterns: please take it out, nothing else.", "retake", first[1]!, 95);
  say(artist, "Retake of the region only, then painted the last edge by hand.", "wfa", painted, 240);

  kAssets.forEach(([code, type, name, brief], index) => {
    const asset = newEntity({ kind: "asset", asset_type: type, code, path: `${type}/${code}`, name, brief, thumbnail: pictureHash(40 + index, 1) });
    const task = newTask(asset, kTaskTypes[type === "texture" ? 3 : 2]!, index % 3 === 0 ? "done" : "wip", brief);
    const take = newTake(task, 40 + index, 1, { width: 1024, height: 1024 });
    if (index % 3 === 0) {
      take.state = "approved";
      task.approved_take_id = take.id;
    }
  });
  const shots = data.entities.filter((entity) => entity.kind === "shot");
  const assets = data.entities.filter((entity) => entity.kind === "asset");
  shots.forEach((shot, index) => {
    for (const step of [0, 2, 3].slice(0, 1 + (index % 3))) {
      const asset = assets[(index + step) % assets.length]!;
      data.castings.push({ shot: shot.id, asset: asset.id, count: step === 2 ? 14 : 1, label: step === 2 ? "animate" : "fixed" });
    }
  });
  shows[0]!.counts = { shots: shots.length, assets: assets.length, tasks: data.tasks.length, takes: data.takes.length };

  const job = (task: Task, fill: Partial<Job>): void => {
    data.jobs.push({
      id: newId(), show_id: lanternsId, task_id: task.id, task_reference: task.reference, kind: "generate", priority: 20, state: "queued", count: 4, made: 0, progress: 0, phase: null, seconds_left: null, position: null, model: "backgrounds-xl", attempts: 0, error: null, created_by: { id: artist.id, name: artist.name }, created_at: at(340), started_at: null, finished_at: null, takes: [], ...fill,
    });
  };
  job(bridge, { state: "running", made: 1, progress: 0.46, phase: "sampling", seconds_left: 74, started_at: at(341) });
  job(data.tasks[3]!, { kind: "retake", priority: 0, position: 1, count: 2, seconds_left: 160 });
  job(data.tasks[4]!, { kind: "preview", priority: 10, position: 2, count: 8, model: "starter", seconds_left: 190 });
  job(data.tasks[0]!, { state: "done", made: 4, progress: 1, started_at: at(300), finished_at: at(309) });
  job(data.tasks[7]!, {
    state: "failed", made: 0, attempts: 3, started_at: at(280), finished_at: at(281), model: "inpaint-v2",
    error: { code: "no-memory", what: "the job would not fit in memory; nothing was started", fields: { found: "9.1 GB free", expected: "11.4 GB" }, hint: "choose a smaller picture or --tile-size 768" },
  });

  data.playlists.push({ id: newId(), show_id: lanternsId, name: "Dailies 16 November", description: "Festival sequence", items: data.takes.slice(0, 6), version: 1 });

  const actions: [string, string, string][] = [
    ["show:create", "show", "Lanterns"],
    ["task:create", "task", bridge.reference],
    ["take:new", "take", `${bridge.reference}/v001/t01`],
    ["take:mark", "take", `${bridge.reference}/v001/t02`],
    ["comment:new", "comment", bridge.reference],
    ["task:status-changed", "task", bridge.reference],
    ["job:create", "job", bridge.reference],
    ["take:new", "take", `${bridge.reference}/v002/t01`],
    ["take:approve", "take", `${bridge.reference}/v002/t03`],
    ["take:withdraw", "take", `${bridge.reference}/v001/t05`],
  ];
  for (let n = 0; n < 120; n += 1) {
    const [action, kind, name] = actions[n % actions.length]!;
    const who = people[n % 4]!;
    data.events.push({
      seq: n + 1, id: newId(), show_id: lanternsId, at: at(n * 3), person: { id: who.id, name: who.name },
      role: n % 4 === 0 ? "art-director" : n % 4 === 3 ? "producer" : "artist", action, subject_kind: kind,
      subject_id: kind === "task" ? bridge.id : newId(), subject_name: name,
      before: action === "task:status-changed" ? { status: "wip" } : null,
      after: action === "task:status-changed" ? { status: "wfa" } : action === "take:mark" ? { stars: 4, verdict: "validated" } : null,
    });
  }
  return data;
}
