// The size of a picture: presets of the show's proportions, with or without its overscan, or any.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Show } from "../../model/documents";
import { overscanShare, sizePresets } from "../../model/recipe";
import { formatNumber, t } from "../../words";
import type { SettingsProps } from "./generate_panel";

export function SizeFields({ settings, set, show }: SettingsProps & { show: Show | null }): JSX.Element {
  const [withOverscan, setWithOverscan] = useState(true);
  const share = show ? overscanShare(show.settings) : 0;
  const presets = sizePresets(show?.settings ?? {}, withOverscan && share > 0);
  const current = presets.find((preset) => preset.width === settings.width && preset.height === settings.height);

  function toggleOverscan(on: boolean): void {
    setWithOverscan(on);
    const same = current && sizePresets(show?.settings ?? {}, on).find((preset) => preset.id === current.id);
    if (same) set({ width: same.width, height: same.height });
  }
  const side = (name: "width" | "height"): JSX.Element => (
    <input
      class="input"
      type="number"
      min="64"
      max="8192"
      step="8"
      aria-label={t(`size.${name}`)}
      value={settings[name]}
      onChange={(event) => set({ [name]: Math.max(64, Math.round(Number(event.currentTarget.value) / 8) * 8) })}
    />
  );
  return (
    <div class="field">
      <div class="row spread">
        <span class="label">{t("size.title")}</span>
        {share > 0 && (
          <label class="check check-small">
            <input type="checkbox" checked={withOverscan} onChange={(event) => toggleOverscan(event.currentTarget.checked)} />
            {t("size.overscan", { share: formatNumber(share * 100) })}
          </label>
        )}
      </div>
      <div class="size-row">
        <select
          class="input"
          aria-label={t("size.preset")}
          value={current?.id ?? ""}
          onChange={(event) => {
            const preset = presets.find((each) => each.id === event.currentTarget.value);
            if (preset) set({ width: preset.width, height: preset.height });
          }}
        >
          {!current && <option value="">{t("size.own")}</option>}
          {presets.map((preset) => (
            <option key={preset.id} value={preset.id}>
              {t(`size.${preset.id}`)}
            </option>
          ))}
        </select>
        {side("width")}
        <span aria-hidden="true">×</span>
        {side("height")}
      </div>
    </div>
  );
}
