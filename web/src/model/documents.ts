// The documents of the studio's HTTP interface, field by field as the server sends them.
// Names are the server's (snake_case); times are ISO strings, ids are UUIDs, absent is null.

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
  /** Row number of the first item, where the server can start in the middle of a list. */
  offset?: number;
}

export interface Named {
  id: string;
  name: string;
}

export interface Person {
  id: string;
  login: string;
  name: string;
  language: string;
  email?: string | null;
  roles?: Record<string, string[]>;
  active?: boolean;
  must_change_password?: boolean;
  version?: number;
}

/** GET /me. Roles and permissions are keyed by show id; "" holds those of the whole studio. */
export interface Me {
  person: Person;
  roles: Record<string, string[]>;
  permissions: Record<string, string[]>;
  csrf: string;
  single_user: boolean;
  /** The program's version. */
  program: string;
}

export interface ShowSettings {
  width?: number;
  height?: number;
  overscan?: number;
  fps?: number;
  path_template?: string;
  max_retakes?: number | null;
  color_config?: string;
  [name: string]: unknown;
}

export interface Show {
  id: string;
  code: string;
  name: string;
  root?: string;
  status: string;
  settings: ShowSettings;
  counts: { shots: number; assets: number; tasks: number; takes: number };
  version: number;
}

export interface TaskStatus {
  id: string;
  code: string;
  name: string;
  color: string;
  position: number;
  is_default: boolean;
  is_wip: boolean;
  is_done: boolean;
  is_retake: boolean;
  is_feedback_request: boolean;
  is_artist_allowed: boolean;
  is_client_allowed: boolean;
  archived: boolean;
}

export interface TaskType {
  id: string;
  code: string;
  name: string;
  color?: string;
  /** Absent or empty: for everything. */
  for_kind?: string;
}

export interface AssetType {
  id: string;
  code: string;
  name: string;
}

export type EntityKind = "episode" | "sequence" | "shot" | "asset";

export interface Entity {
  id: string;
  show_id: string;
  parent_id: string | null;
  kind: EntityKind;
  asset_type: string | null;
  code: string;
  path: string;
  name: string;
  brief: string;
  status: string;
  data: Record<string, unknown>;
  thumbnail: string | null;
  version: number;
}

/** Of a shot, its assets; of an asset, the shots it is in. */
export interface CastingLink {
  entity: Entity;
  count: number;
  label: string;
}

/** A task as the board shows it; task_type and status are codes, ids or whole records. */
export interface BoardTask {
  id: string;
  task_type: TaskType | string;
  status: TaskStatus | string;
  take_count: number;
  retake_count: number;
  approved_take_id: string | null;
  thumbnail: string | null;
}

export interface BoardRow {
  entity: Entity;
  tasks: BoardTask[];
  casting_count: number;
}

export interface FileReference {
  sha256: string;
  name: string;
}

export interface Task {
  id: string;
  show_id: string;
  show_code: string;
  entity: { id: string; kind: EntityKind; path: string; name: string };
  task_type: TaskType;
  status: TaskStatus;
  brief: string;
  priority: number;
  revision: number;
  retake_count: number;
  max_retakes: number | null;
  approved_take_id: string | null;
  take_count: number;
  assignees: Named[];
  references: FileReference[];
  due_at: string | null;
  reference: string;
  version: number;
}

export interface Comment {
  id: string;
  text: string;
  person: Named | null;
  guest: string | null;
  status: TaskStatus | null;
  take_id: string | null;
  annotation_id: string | null;
  said_at: string;
  created_at: string;
}

export interface Approval {
  take_id: string | null;
  person: Named | null;
  role: string;
  reason: string;
  at: string;
}

export type Verdict = "validated" | "rejected" | "neutral";
export type TakeState = "proposed" | "approved" | "withdrawn" | "purged";

export interface Take {
  id: string;
  show_id: string;
  task_id: string;
  reference: string;
  revision: number;
  number: number;
  label: string;
  origin: "generated" | "edited" | "imported" | "composite";
  title: string;
  sha256: string;
  thumbnail: string | null;
  width: number;
  height: number;
  /** Text where it does not fit a JavaScript number. */
  seed: number | string | null;
  model: string | null;
  prompt: string | null;
  job_id: string | null;
  state: TakeState;
  marks: {
    stars: number | null;
    validated: number;
    rejected: number;
    mine: { stars: number | null; verdict: Verdict | null } | null;
  };
  parents: { id: string; label: string; relation: string; thumbnail: string | null }[];
  proof: Record<string, unknown> | null;
  created_by: Named | null;
  created_at: string;
  version: number;
}

export interface TakeFile {
  representation: string;
  name: string;
  sha256: string;
  bytes: number;
  media_type: string;
}

export interface Lineage {
  takes: Take[];
  edges: { take: string; parent: string; relation: string }[];
}

export interface Difference {
  fields: { name: string; a: unknown; b: unknown }[];
  pictures: { psnr: number | null; max_difference: number; changed_share: number } | null;
  who: unknown[];
}

/** A file as a recipe names it: by name, as "sha256:<hex>", or both as the engine wrote them. */
export type RecipeFile = string | { path?: string; sha256?: string };

/** The engine's recipe (src/base/recipe.h); fields that are not here pass through unchanged. */
export interface Recipe {
  model?: RecipeFile;
  prompt?: string;
  negative?: string;
  width?: number;
  height?: number;
  steps?: number;
  cfg?: number;
  sampler?: string;
  schedule?: string;
  seed?: number;
  init?: RecipeFile;
  strength?: number;
  mask?: RecipeFile;
  controls?: { kind: string; model: RecipeFile; image: RecipeFile; weight?: number; start?: number; end?: number }[];
  loras?: { file: RecipeFile; unet_weight?: number; text_weight?: number }[];
  tile_x?: boolean;
  tile_y?: boolean;
  [field: string]: unknown;
}

export type JobState = "queued" | "running" | "done" | "failed" | "canceled";

export interface Job {
  id: string;
  show_id: string;
  task_id: string | null;
  task_reference: string | null;
  kind: string;
  priority: number;
  state: JobState;
  count: number;
  made: number;
  progress: number;
  phase: string | null;
  seconds_left: number | null;
  position: number | null;
  model: string | null;
  attempts: number;
  error: ErrorDocument | string | null;
  created_by: Named | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  takes: string[];
}

/** Data of the stream's job:progress and job:preview. */
export interface JobProgress {
  id: string;
  progress: number;
  phase: string | null;
  step: number;
  steps: number;
  seconds_left: number | null;
  made: number;
}

export interface Playlist {
  id: string;
  show_id: string;
  name: string;
  description: string;
  items: Take[];
  version: number;
}

export interface ModelFile {
  name: string;
  path: string;
  family: string;
  kind: string;
  bytes: number;
  allowed: boolean;
}

export interface Samplers {
  samplers: { name: string; description: string }[];
  schedules: string[];
}

export interface TokenCount {
  tokens: number;
  limit: number;
  chunks: number;
  words: { text: string; weight: number }[];
}

export interface RoleTable {
  roles: string[];
  actions: string[];
  table: Record<string, string[]>;
}

export interface StudioEvent {
  seq: number;
  id: string;
  show_id: string | null;
  at: string;
  person: Named | null;
  role: string | null;
  action: string;
  subject_kind: string;
  subject_id: string;
  subject_name: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface Upload {
  sha256: string;
  bytes: number;
  media_type: string;
  width?: number;
  height?: number;
}

export interface DeliveredFile {
  take: string;
  reference: string;
  format: string;
  name: string;
  sha256: string;
  bytes: number;
}

/** A folder of files that was handed over; its manifest. */
export interface Delivery {
  name: string;
  made_at?: string;
  folder?: string;
  files: DeliveredFile[];
}

export interface ImportCounts {
  created: number;
  updated: number;
  lines: number;
}

export interface Backup {
  folder: string;
  files: number;
  bytes: number;
}

type FileFault = string | { sha256?: string; takes?: string[]; found?: string };

/** GET /doctor. */
export interface DoctorReport {
  healthy: boolean;
  problems: number;
  /** What the database says of itself; absent for PostgreSQL. */
  database?: string;
  /** Folders of deliveries and backups that were cut short. */
  unfinished?: string[];
  shows: { code: string; files: number; bytes: number; missing: FileFault[]; altered: FileFault[]; orphaned: FileFault[] }[];
}

/** The five fields of every refusal, the same as on the terminal. */
export interface ErrorDocument {
  code: string;
  what: string;
  fields: Record<string, unknown>;
  hint: string | null;
}
