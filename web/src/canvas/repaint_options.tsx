// What else a repaint can be told: what not to paint, with which model, how much of the picture is looked at, what the
// engine finds under the mask at first, and the seed.
import type { JSX } from "preact";
import { useResource } from "../api/store";
import type { ModelFile, Page } from "../model/documents";
import { randomSeed } from "../model/recipe";
import { t } from "../words";
import type { CanvasDesk } from "./canvas_desk";
import { kFills, type Fill } from "./desk";
import type { Editor } from "./editor";
import { Slider } from "./fields";

const kPadding = 48;

export function RepaintOptions({ desk, editor }: { desk: CanvasDesk; editor: Editor }): JSX.Element {
  const wish = editor.desk.value;
  const models = useResource<Page<ModelFile>>("/models", { query: { show: desk.task.value!.show_id } });
  const checkpoints = (models.data.value?.items ?? []).filter((model) => model.kind === "checkpoint" && model.allowed);
  return (
    <details class="repaint-options">
      <summary>{t("canvas.more")}</summary>
      <label class="field">
        <span class="label">{t("field.negative")}</span>
        <textarea class="input" rows={2} value={wish.negative ?? String(desk.recipe.value?.negative ?? "")} onInput={(event) => editor.setDesk({ negative: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span class="label">{t("field.model")}</span>
        <select class="input" value={wish.model} onChange={(event) => editor.setDesk({ model: event.currentTarget.value })}>
          <option value="">{t("canvas.model_of_take")}</option>
          {checkpoints.map((model) => (
            <option key={model.name} value={model.name}>
              {model.name} ({model.family})
            </option>
          ))}
        </select>
      </label>
      <div class="fields-2">
        <label class="field">
          <span class="label">{t("canvas.look_at")}</span>
          <select class="input" value={wish.padding === null ? "whole" : "part"} onChange={(event) => editor.setDesk({ padding: event.currentTarget.value === "part" ? kPadding : null })}>
            <option value="whole">{t("canvas.look_at.whole")}</option>
            <option value="part">{t("canvas.look_at.part")}</option>
          </select>
        </label>
        <label class="field">
          <span class="label">{t("canvas.fill_with")}</span>
          <select class="input" value={wish.fill} onChange={(event) => editor.setDesk({ fill: event.currentTarget.value as Fill })}>
            {kFills.map((fill) => (
              <option key={fill} value={fill}>
                {t(`canvas.fill_with.${fill}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {wish.padding !== null && <Slider label={t("canvas.padding")} value={wish.padding} min={0} max={256} step={8} text={`${wish.padding} px`} change={(padding) => editor.setDesk({ padding })} />}
      <div class="row">
        <label class="check">
          <input type="checkbox" checked={wish.seed !== null} onChange={(event) => editor.setDesk({ seed: event.currentTarget.checked ? randomSeed() : null })} />
          {t("canvas.lock_seed")}
        </label>
        {wish.seed !== null && (
          <input class="input mono grow" type="number" min={0} aria-label={t("field.seed")} value={wish.seed} onChange={(event) => editor.setDesk({ seed: Math.max(0, Math.floor(Number(event.currentTarget.value) || 0)) })} />
        )}
      </div>
    </details>
  );
}
