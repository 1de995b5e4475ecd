// Which assets are in a shot (or in which shots an asset is), how many of each, and what for.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { segment } from "../../api/client";
import { api } from "../../api/session";
import { useResource } from "../../api/store";
import type { CastingLink, Entity, Page } from "../../model/documents";
import { Dialog } from "../../parts/dialog";
import { ErrorBox } from "../../parts/error_box";
import { reportError } from "../../parts/notices";
import { fileUrl, Thumbnail } from "../../parts/picture";
import { t } from "../../words";

interface CastingDialogProps {
  showCode: string;
  entity: Entity;
  mayEdit: boolean;
  close(): void;
}

export function CastingDialog({ showCode, entity, mayEdit, close }: CastingDialogProps): JSX.Element {
  const path = `/entities/${entity.id}/casting`;
  const casting = useResource<Page<CastingLink>>(path, { topics: [{ kinds: ["entity", "casting", "shot", "asset"] }] });
  const assets = useResource<Page<Entity>>(entity.kind === "shot" ? `/shows/${segment(showCode)}/entities` : null, { query: { kind: "asset", limit: 500 } });
  const [adding, setAdding] = useState("");
  const links = casting.data.value?.items ?? [];
  const editable = mayEdit && entity.kind === "shot";

  async function change(asset: Entity, count: number, label: string): Promise<void> {
    if (count < 1) await api.remove(`${path}/${asset.id}`);
    else await api.put(`${path}/${asset.id}`, { count, label });
    await casting.reload();
  }

  const free = (assets.data.value?.items ?? []).filter((asset) => !links.some((link) => link.entity.id === asset.id));
  return (
    <Dialog title={t("board.casting_of", { path: entity.path })} close={close} wide>
      {casting.error.value && <ErrorBox error={casting.error.value} />}
      {links.length === 0 && <p class="muted">{t("board.no_casting")}</p>}
      {links.map((link) => {
        const other = link.entity;
        return (
          <div class="casting-row" key={other.id}>
            <Thumbnail url={other.thumbnail ? fileUrl(showCode, other.thumbnail) : null} alt="" />
            <span class="clip">
              {other.name} <span class="faint">{other.path}</span>
            </span>
            <input
              class="input"
              type="number"
              min="1"
              value={link.count}
              disabled={!editable}
              aria-label={t("board.casting_count")}
              onChange={(event) => change(other, Number(event.currentTarget.value), link.label).catch(reportError)}
            />
            <input
              class="input"
              value={link.label}
              disabled={!editable}
              aria-label={t("board.casting_label")}
              onChange={(event) => change(other, link.count, event.currentTarget.value).catch(reportError)}
            />
            {editable && (
              <button type="button" class="icon-button" aria-label={t("common.remove")} title={t("common.remove")} onClick={() => change(other, 0, "").catch(reportError)}>
                ×
              </button>
            )}
          </div>
        );
      })}
      {editable && (
        <div class="row" style={{ marginTop: "12px" }}>
          <select class="input" aria-label={t("kind.asset")} value={adding} onChange={(event) => setAdding(event.currentTarget.value)}>
            <option value="">{t("board.choose_asset")}</option>
            {free.map((asset) => (
              <option key={asset.id} value={asset.id}>
                {asset.name} ({asset.path})
              </option>
            ))}
          </select>
          <button
            type="button"
            class="button"
            disabled={!adding}
            onClick={() => {
              const asset = free.find((each) => each.id === adding);
              setAdding("");
              if (asset) change(asset, 1, "").catch(reportError);
            }}
          >
            {t("common.add")}
          </button>
        </div>
      )}
    </Dialog>
  );
}
