// The one door to the server: JSON in and out, ETag and If-Match, the CSRF header, errors as ApiError.
import { ApiError, errorDocument } from "./errors";

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Answer<T> {
  data: T;
  /** The document's version as the server quoted it, for If-Match. */
  etag: string | null;
}

export interface RequestOptions {
  query?: Query;
  /** Sent as JSON, or raw where it is a Blob or bytes. */
  body?: unknown;
  ifMatch?: string | number | null;
  signal?: AbortSignal;
}

export interface Client {
  request<T>(method: string, path: string, options?: RequestOptions): Promise<Answer<T>>;
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  post<T>(path: string, body?: unknown, query?: Query): Promise<T>;
  put<T>(path: string, body?: unknown, ifMatch?: string | number | null): Promise<T>;
  patch<T>(path: string, body: unknown, ifMatch?: string | number | null): Promise<T>;
  remove<T>(path: string, query?: Query): Promise<T>;
  /** The address of a path below the interface, for pictures and downloads. */
  url(path: string, query?: Query): string;
  setCsrf(token: string): void;
  fetch: typeof fetch;
}

export const kApiRoot = "/api/v1";

export function queryString(query: Query | undefined): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  }
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

/** A path value: an id or a reference such as "lanterns/sq010/sh020:background". */
export function segment(value: string): string {
  return encodeURIComponent(value);
}

function encodeBody(body: unknown, headers: Record<string, string>): BodyInit | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Blob || body instanceof ArrayBuffer || body instanceof Uint8Array) {
    headers["Content-Type"] = (body instanceof Blob && body.type) || "application/octet-stream";
    return body as BodyInit;
  }
  headers["Content-Type"] = "application/json";
  return JSON.stringify(body);
}

async function readBody(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  const text = await response.text();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function createClient(fetcher: typeof fetch = (...call) => fetch(...call), root = kApiRoot): Client {
  let csrf = "";

  const url = (path: string, query?: Query): string => root + path + queryString(query);

  async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
    const ifMatch = options.ifMatch;
    if (ifMatch !== null && ifMatch !== undefined) {
      const text = String(ifMatch);
      headers["If-Match"] = text.startsWith('"') ? text : `"${text}"`;
    }
    const body = encodeBody(options.body, headers);
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = body;
    if (options.signal) init.signal = options.signal;

    const response = await fetcher(url(path, options.query), init);
    const document = await readBody(response);
    if (!response.ok) throw new ApiError(response.status, errorDocument(document, response.status));
    return { data: document as T, etag: response.headers.get("ETag") };
  }

  return {
    request,
    url,
    fetch: fetcher,
    setCsrf: (token) => {
      csrf = token;
    },
    get: async <T>(path: string, query?: Query, signal?: AbortSignal) => {
      const options: RequestOptions = {};
      if (query) options.query = query;
      if (signal) options.signal = signal;
      return (await request<T>("GET", path, options)).data;
    },
    post: async <T>(path: string, body?: unknown, query?: Query) =>
      (await request<T>("POST", path, query ? { body, query } : { body })).data,
    put: async <T>(path: string, body?: unknown, ifMatch?: string | number | null) =>
      (await request<T>("PUT", path, { body, ifMatch: ifMatch ?? null })).data,
    patch: async <T>(path: string, body: unknown, ifMatch?: string | number | null) =>
      (await request<T>("PATCH", path, { body, ifMatch: ifMatch ?? null })).data,
    remove: async <T>(path: string, query?: Query) =>
      (await request<T>("DELETE", path, query ? { query } : {})).data,
  };
}
