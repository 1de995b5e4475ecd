// Pictures that guide a picture: the one it starts from, and control pictures.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { api } from "../../api/session";
import type { ModelFile, Take, Task, Upload } from "../../model/documents";
import { reportError } from "../../parts/notices";
import { fileUrl, Thumbnail } from "../../parts/picture";
import { t } from "../../words";
import type { SettingsProps } from "./generate_panel";

/** A button that uploads a picture to the show and tells its hash. */
function UploadButton({ task, label, done }: { task: Task; label: string; done(sha256: string): void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  async function chosen(): Promise<void> {
    const file = input.current?.files?.[0];
    if (!file) return;
    const upload = await api.post<Upload>(`/shows/${task.show_id}/uploads`, file);
    if (input.current) input.current.value = "";
    done(upload.sha256);
  }
  return (
    <>
      <button type="button" class="button button-small" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input ref={input} type="file" accept="image/*" hidden onChange={() => chosen().catch(reportError)} />
    </>
  );
}

export function InitFields({ settings, set, task, takes }: SettingsProps & { task: Task; takes: Take[] }): JSX.Element {
  const { init } = settings;
  const take = takes.find((each) => each.sha256 === init);
  return (
    <div class="field">
      <div class="row spread">
        <span class="label">{t("generate.init")}</span>
        {!init && <UploadButton task={task} label={t("generate.choose_picture")} done={(sha256) => set({ init: sha256 })} />}
      </div>
      {init && (
        <div class="init-row">
          <Thumbnail url={fileUrl(task.show_id, init)} alt={take?.label ?? ""} class="init-picture" />
          <div class="grow stack-small">
            <span>{take?.label ?? t("generate.own_picture")}</span>
            <label class="row">
              <span class="label">{t("generate.strength")}</span>
              <input type="range" class="grow" min="0" max="1" step="0.05" value={settings.strength} aria-label={t("generate.strength")} onInput={(event) => set({ strength: Number(event.currentTarget.value) })} />
              <span class="slider-value">{settings.strength.toFixed(2)}</span>
            </label>
          </div>
          <button type="button" class="icon-button" aria-label={t("generate.remove_init")} title={t("common.remove")} onClick={() => set({ init: null })}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}

const kControlKinds = ["none", "canny", "lineart", "scribble", "invert", "depth", "segmentation", "normal", "pose"];

export function ControlFields({ settings, set, task, models }: SettingsProps & { task: Task; models: ModelFile[] }): JSX.Element | null {
  const nets = models.filter((model) => /control|t2i/i.test(model.kind));
  if (nets.length === 0 && settings.controls.length === 0) return null;
  const change = (index: number, part: object | null): void =>
    set({ controls: settings.controls.flatMap((control, at) => (at !== index ? [control] : part === null ? [] : [{ ...control, ...part }])) });
  const first = nets.find((model) => model.allowed)?.name ?? "";
  return (
    <div class="field">
      <div class="row spread">
        <span class="label">{t("generate.controls")}</span>
        {first && <UploadButton task={task} label={t("generate.add_control")} done={(sha256) => set({ controls: [...settings.controls, { kind: "none", model: first, sha256, weight: 1 }] })} />}
      </div>
      {settings.controls.map((control, index) => (
        <div key={index} class="init-row">
          <Thumbnail url={fileUrl(task.show_id, control.sha256)} alt="" class="init-picture" />
          <div class="grow stack-small">
            <div class="row">
              <select class="input" aria-label={t("generate.control_model")} value={control.model} onChange={(event) => change(index, { model: event.currentTarget.value })}>
                {!nets.some((model) => model.name === control.model) && <option value={control.model}>{control.model}</option>}
                {nets.map((model) => (
                  <option key={model.name} value={model.name} disabled={!model.allowed}>
                    {model.name}
                  </option>
                ))}
              </select>
              <select class="input" aria-label={t("generate.control_kind")} value={control.kind} onChange={(event) => change(index, { kind: event.currentTarget.value })}>
                {(kControlKinds.includes(control.kind) ? kControlKinds : [control.kind, ...kControlKinds]).map((kind) => (
                  <option key={kind} value={kind}>
                    {kind === "none" ? t("generate.control_as_is") : kind}
                  </option>
                ))}
              </select>
            </div>
            <label class="row">
              <span class="label">{t("generate.weight")}</span>
              <input type="range" class="grow" min="0" max="2" step="0.05" value={control.weight} aria-label={t("generate.weight_of", { name: control.model })} onInput={(event) => change(index, { weight: Number(event.currentTarget.value) })} />
              <span class="slider-value">{control.weight.toFixed(2)}</span>
            </label>
          </div>
          <button type="button" class="icon-button" aria-label={t("generate.remove_named", { name: control.model })} title={t("common.remove")} onClick={() => change(index, null)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
