// How the picture is sampled: presets, or sampler, schedule, steps and guidance one by one.
import type { JSX } from "preact";
import type { Samplers } from "../../model/documents";
import { kSamplerPresets } from "../../model/recipe";
import { Segments } from "../../parts/segments";
import { t } from "../../words";
import type { SettingsProps } from "./generate_panel";

export function SamplerFields({ settings, set, samplers }: SettingsProps & { samplers: Samplers | null }): JSX.Element {
  const current = kSamplerPresets.find(
    (preset) => preset.sampler === settings.sampler && preset.schedule === settings.schedule && preset.steps === settings.steps && preset.cfg === settings.cfg,
  );
  const choice = (name: "sampler" | "schedule", values: string[]): JSX.Element => (
    <label class="field">
      <span class="label">{t(`field.${name}`)}</span>
      <select class="input" value={settings[name]} onChange={(event) => set({ [name]: event.currentTarget.value })}>
        <option value="">{t("sampler.models_own")}</option>
        {!values.includes(settings[name]) && settings[name] && <option value={settings[name]}>{settings[name]}</option>}
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div class="stack-small">
      <div class="row row-wrap spread">
        <span class="label">{t("sampler.title")}</span>
        <Segments
          label={t("sampler.preset")}
          value={current?.id ?? ("" as "fast")}
          options={kSamplerPresets.map((preset) => ({ value: preset.id, label: t(`sampler.${preset.id}`), title: `${preset.sampler}, ${preset.schedule}, ${preset.steps}, ${preset.cfg}` }))}
          choose={(id) => {
            const { sampler, schedule, steps, cfg } = kSamplerPresets.find((preset) => preset.id === id)!;
            set({ sampler, schedule, steps, cfg });
          }}
        />
      </div>
      <div class="fields-4">
        {choice("sampler", (samplers?.samplers ?? []).map((sampler) => sampler.name))}
        {choice("schedule", samplers?.schedules ?? [])}
        <label class="field">
          <span class="label">{t("field.steps")}</span>
          <input class="input" type="number" min="1" max="200" value={settings.steps} onChange={(event) => set({ steps: Math.max(1, Math.floor(Number(event.currentTarget.value))) })} />
        </label>
        <label class="field">
          <span class="label">{t("field.cfg")}</span>
          <input class="input" type="number" min="0" max="40" step="0.5" value={settings.cfg} onChange={(event) => set({ cfg: Number(event.currentTarget.value) })} />
        </label>
      </div>
    </div>
  );
}
