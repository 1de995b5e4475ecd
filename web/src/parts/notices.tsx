// Short notices at the foot of the page: what was done, and what could not be done with the server's five fields.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { asErrorDocument } from "../api/errors";
import type { ErrorDocument } from "../model/documents";
import { t, type Fill, type WordKey } from "../words";
import { ErrorBox } from "./error_box";
import "./notices.css";

interface Notice {
  id: number;
  text?: string;
  error?: ErrorDocument;
}

const kShownMs = 4000;
const notices = signal<readonly Notice[]>([]);
let lastId = 0;

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

function add(notice: Omit<Notice, "id">): number {
  const id = ++lastId;
  notices.value = [...notices.value.slice(-3), { ...notice, id }];
  return id;
}

export function notify(key: WordKey, fill?: Fill): void {
  const id = add({ text: t(key, fill) });
  setTimeout(() => dismiss(id), kShownMs);
}

/** Errors stay until they are closed: they say what to do. */
export function reportError(thrown: unknown): void {
  if (thrown instanceof DOMException && thrown.name === "AbortError") return;
  add({ error: asErrorDocument(thrown) });
}

export function Notices(): JSX.Element {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={notice.error ? "notice notice-error" : "notice"}>
          {notice.error ? <ErrorBox error={notice.error} /> : notice.text}
          <button type="button" class="icon-button" aria-label={t("common.close")} onClick={() => dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
