// The adapters (LoRA and relatives) of a picture, each with its weight.
import type { JSX } from "preact";
import type { ModelFile } from "../../model/documents";
import { t } from "../../words";
import type { SettingsProps } from "./generate_panel";

export function AdapterFields({ settings, set, models }: SettingsProps & { models: ModelFile[] }): JSX.Element | null {
  const known = models.filter((model) => model.kind === "lora");
  const free = known.filter((model) => model.allowed && !settings.loras.some((lora) => lora.name === model.name));
  if (known.length === 0 && settings.loras.length === 0) return null;
  const change = (name: string, weight: number | null): void =>
    set({ loras: settings.loras.flatMap((lora) => (lora.name !== name ? [lora] : weight === null ? [] : [{ name, weight }])) });
  return (
    <div class="field">
      <span class="label">{t("generate.adapters")}</span>
      {settings.loras.map((lora) => (
        <div key={lora.name} class="weight-row">
          <span class="clip" title={lora.name}>
            {lora.name}
          </span>
          <input type="range" min="-1" max="2" step="0.05" value={lora.weight} aria-label={t("generate.weight_of", { name: lora.name })} onInput={(event) => change(lora.name, Number(event.currentTarget.value))} />
          <input class="input" type="number" step="0.05" value={lora.weight} aria-label={t("generate.weight_of", { name: lora.name })} onChange={(event) => change(lora.name, Number(event.currentTarget.value))} />
          <button type="button" class="icon-button" aria-label={t("generate.remove_named", { name: lora.name })} title={t("common.remove")} onClick={() => change(lora.name, null)}>
            ×
          </button>
        </div>
      ))}
      {free.length > 0 && (
        <select
          class="input"
          value=""
          aria-label={t("generate.add_adapter")}
          onChange={(event) => {
            const name = event.currentTarget.value;
            event.currentTarget.value = "";
            if (name) set({ loras: [...settings.loras, { name, weight: 0.8 }] });
          }}
        >
          <option value="">{t("generate.add_adapter")}</option>
          {free.map((model) => (
            <option key={model.name} value={model.name}>
              {model.name} ({model.family})
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
