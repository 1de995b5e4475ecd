// Everything that decides a picture, and making N of it.
import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { Job, ModelFile, Samplers, Show, Take, Task } from "../../model/documents";
import { kMaxCount, kSeedLimit, previewOf, randomSeed, toRecipe, type GenerateSettings } from "../../model/recipe";
import { keysText } from "../../parts/keys";
import { notify, reportError } from "../../parts/notices";
import { Segments } from "../../parts/segments";
import { t } from "../../words";
import { AdapterFields } from "./adapter_fields";
import { ControlFields, InitFields } from "./picture_fields";
import { PromptField } from "./prompt_field";
import { SamplerFields } from "./sampler_fields";
import { SizeFields } from "./size_fields";

interface GeneratePanelProps {
  task: Task;
  show: Show | null;
  models: ModelFile[];
  settings: GenerateSettings;
  change(part: Partial<GenerateSettings>): void;
  takes: Take[];
  handle: RefObject<{ submit(): void }>;
  close(): void;
}

type Quality = "preview" | "final";

/** Fields that every group of the panel is given. */
export interface SettingsProps {
  settings: GenerateSettings;
  set(change: Partial<GenerateSettings>): void;
}

function SeedFields({ settings, set }: SettingsProps): JSX.Element {
  return (
    <div class="seed-row">
      <label class="field grow">
        <span class="label">{t("field.seed")}</span>
        <input
          class="input mono"
          type="number"
          min="0"
          max={kSeedLimit - 1}
          value={settings.seed}
          disabled={!settings.seedLocked}
          onChange={(event) => set({ seed: Math.max(0, Math.floor(Number(event.currentTarget.value))) })}
        />
      </label>
      <label class="check" title={t("generate.lock_note")}>
        <input type="checkbox" checked={settings.seedLocked} onChange={(event) => set({ seedLocked: event.currentTarget.checked })} />
        {t("generate.lock")}
      </label>
      <button type="button" class="icon-button" aria-label={t("generate.new_seed")} title={t("generate.new_seed")} onClick={() => set({ seed: randomSeed(), seedLocked: true })}>
        ↻
      </button>
    </div>
  );
}

function Rest({ settings, set }: SettingsProps): JSX.Element | null {
  const names = Object.keys(settings.rest);
  if (names.length === 0) return null;
  return (
    <div class="rest">
      <span class="label">{t("generate.rest")}</span>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          class="rest-field"
          title={t("generate.rest_drop", { value: JSON.stringify(settings.rest[name]).slice(0, 120) })}
          onClick={() => set({ rest: Object.fromEntries(Object.entries(settings.rest).filter(([other]) => other !== name)) })}
        >
          {name} <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  );
}

export function GeneratePanel({ task, show, models, settings, change, takes, handle, close }: GeneratePanelProps): JSX.Element {
  const samplers = useResource<Samplers>("/samplers");
  const [quality, setQuality] = useState<Quality>("final");
  const [busy, setBusy] = useState(false);
  const set = change;
  const checkpoints = models.filter((model) => model.kind === "checkpoint");
  const model = settings.model || checkpoints.find((each) => each.allowed)?.name || "";
  const possible = may("take.generate", task.show_id) && model !== "" && settings.prompt.trim() !== "";

  async function submit(): Promise<void> {
    if (!possible || busy) return;
    const seed = settings.seedLocked ? settings.seed : randomSeed();
    const wanted = { ...settings, model, seed };
    set({ seed, model });
    setBusy(true);
    try {
      const recipe = toRecipe(quality === "preview" ? previewOf(wanted) : wanted);
      const parent = wanted.init ? takes.find((take) => take.sha256 === wanted.init) : undefined;
      await api.post<Job>(`/tasks/${task.id}/jobs`, {
        kind: quality === "preview" ? "preview" : "generate",
        recipe,
        count: wanted.count,
        ...(parent ? { parent: parent.id, relation: "init" } : {}),
      });
      notify("generate.queued", { n: wanted.count });
    } catch (thrown) {
      reportError(thrown);
    } finally {
      setBusy(false);
    }
  }
  // With the drawing itself: a key may follow before the frame is on the screen.
  useLayoutEffect(() => {
    handle.current = { submit: () => void submit() };
  });

  return (
    <section class="generate" aria-label={t("action.generate_panel")}>
      <header class="panel-head">
        <h2>{t("action.generate_panel")}</h2>
        <button type="button" class="icon-button" aria-label={t("common.close")} title={`${t("common.close")} (G)`} onClick={close}>
          ×
        </button>
      </header>
      <div class="generate-body">
        <PromptField id="prompt" label={t("field.prompt")} rows={5} value={settings.prompt} dialect={settings.rest.dialect as string | undefined} change={(prompt) => set({ prompt })} />
        <PromptField id="negative" label={t("field.negative")} rows={2} value={settings.negative} dialect={settings.rest.dialect as string | undefined} change={(negative) => set({ negative })} />
        <label class="field">
          <span class="label">{t("field.model")}</span>
          <select class="input" value={model} onChange={(event) => set({ model: event.currentTarget.value })}>
            {!checkpoints.some((each) => each.name === model) && <option value={model}>{model || t("generate.no_model")}</option>}
            {checkpoints.map((each) => (
              <option key={each.name} value={each.name} disabled={!each.allowed}>
                {each.name} ({each.family}){each.allowed ? "" : ` · ${t("library.not_allowed")}`}
              </option>
            ))}
          </select>
        </label>
        <AdapterFields settings={settings} set={set} models={models} />
        <SizeFields settings={settings} set={set} show={show} />
        <SamplerFields settings={settings} set={set} samplers={samplers.data.value} />
        <SeedFields settings={settings} set={set} />
        <InitFields settings={settings} set={set} task={task} takes={takes} />
        <ControlFields settings={settings} set={set} task={task} models={models} />
        <div class="row row-wrap">
          <span class="label">{t("generate.tile")}</span>
          <label class="check">
            <input type="checkbox" checked={settings.tileX} onChange={(event) => set({ tileX: event.currentTarget.checked })} />
            {t("generate.tile_x")}
          </label>
          <label class="check">
            <input type="checkbox" checked={settings.tileY} onChange={(event) => set({ tileY: event.currentTarget.checked })} />
            {t("generate.tile_y")}
          </label>
        </div>
        <Rest settings={settings} set={set} />
      </div>
      <footer class="generate-foot">
        <Segments
          label={t("generate.quality")}
          value={quality}
          options={[
            { value: "preview", label: t("generate.preview"), title: t("generate.preview_note") },
            { value: "final", label: t("generate.final") },
          ]}
          choose={(wanted: Quality) => setQuality(wanted)}
        />
        <input
          class="input generate-count"
          type="number"
          min="1"
          max={kMaxCount}
          aria-label={t("generate.count")}
          title={t("generate.count")}
          value={settings.count}
          onChange={(event) => set({ count: Math.max(1, Math.min(kMaxCount, Math.floor(Number(event.currentTarget.value)) || 1)) })}
        />
        <button type="button" class="button button-primary grow" disabled={!possible || busy} title={`${t("action.generate")} (${keysText("Mod+Enter")})`} onClick={() => void submit()}>
          {t("action.generate")}
        </button>
      </footer>
    </section>
  );
}
