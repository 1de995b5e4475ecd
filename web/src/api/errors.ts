// What went wrong, as the server said it: code, what, where, found, expected, hint.
import type { ErrorDocument } from "../model/documents";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly document: ErrorDocument,
  ) {
    super(document.what);
    this.name = "ApiError";
  }

  get code(): string {
    return this.document.code;
  }

  /** True where the document was changed by somebody else since it was read. */
  get isStale(): boolean {
    return this.status === 412;
  }

  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** An answer that is no error document (a proxy's page, a cut connection) becomes one. */
export function errorDocument(body: unknown, status: number): ErrorDocument {
  const error = (body as { error?: Partial<ErrorDocument> } | null)?.error;
  if (error && typeof error.what === "string") {
    return {
      code: error.code ?? "failed",
      what: error.what,
      fields: error.fields ?? {},
      hint: error.hint ?? null,
    };
  }
  return { code: "failed", what: `the server answered ${status}`, fields: {}, hint: null };
}

/** Any thrown value as an error document, for showing. */
export function asErrorDocument(thrown: unknown): ErrorDocument {
  if (thrown instanceof ApiError) return thrown.document;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "failed", what, fields: {}, hint: null };
}
