// Pictures of a show: thumbnails that keep their place while they load.
import type { JSX } from "preact";
import { segment } from "../api/client";
import { api } from "../api/session";
import type { Take } from "../model/documents";
import "./picture.css";

export function fileUrl(showKey: string, sha256: string): string {
  return api.url(`/shows/${segment(showKey)}/files/${sha256}`);
}

export function thumbnailUrl(take: Pick<Take, "id">): string {
  return api.url(`/takes/${take.id}/thumbnail`);
}

export function pictureUrl(take: Pick<Take, "id">): string {
  return api.url(`/takes/${take.id}/picture`);
}

/** A thumbnail in a box of its own proportions; an empty box where there is none. */
export function Thumbnail({ url, alt, class: extra }: { url: string | null; alt: string; class?: string }): JSX.Element {
  return (
    <span class={extra ? `thumbnail ${extra}` : "thumbnail"}>
      {url && <img src={url} alt={alt} loading="lazy" decoding="async" draggable={false} />}
    </span>
  );
}
