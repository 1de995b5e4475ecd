// The layers, the topmost first: choosing, hiding, locking, naming, moving, and what each kind has of its own.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ActionButton } from "../parts/actions";
import { t } from "../words";
import { kLayerActions, kLayerDown, kLayerUp, kRemoveLayer, type CanvasContext } from "./canvas_actions";
import { activeLayer, kRegionColors, type Layer, type LayerChange } from "./document";
import type { Editor } from "./editor";
import { Icon, Slider, type IconName } from "./fields";

const kKindIcons: Record<Layer["kind"], IconName> = { paint: "brush", blockout: "fill", mask: "rectangle", region: "lasso" };

function Toggle({ on, label, icons, change }: { on: boolean; label: string; icons: [IconName, IconName]; change(): void }): JSX.Element {
  return (
    <button type="button" class={`icon-button layer-toggle ${on ? "" : "is-off"}`} aria-label={label} title={label} aria-pressed={on} onClick={change}>
      <Icon name={on ? icons[0] : icons[1]} />
    </button>
  );
}

function LayerRow({ editor, layer, index }: { editor: Editor; layer: Layer; index: number }): JSX.Element {
  const [renaming, rename] = useState(false);
  const active = editor.state.value.active === layer.id;
  const marked = layer.kind === "mask" || layer.kind === "region";
  return (
    <li
      class={`layer ${active ? "is-active" : ""} ${layer.visible ? "" : "is-hidden"}`}
      draggable={!renaming}
      onDragStart={(event) => event.dataTransfer?.setData("text/layer", layer.id)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const id = event.dataTransfer?.getData("text/layer");
        if (id) editor.moveLayer(id, index);
      }}
    >
      <Toggle on={layer.visible} label={t("canvas.visible")} icons={["eye", "hidden"]} change={() => editor.change(layer.id, { visible: !layer.visible })} />
      <span class="layer-kind" style={marked ? { color: layer.color } : {}}>
        <Icon name={kKindIcons[layer.kind]} />
      </span>
      {renaming ? (
        <input
          class="input grow"
          aria-label={t("canvas.layer_title")}
          value={layer.name}
          ref={(field) => field?.focus()}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
          }}
          onBlur={(event) => {
            const name = event.currentTarget.value.trim();
            if (name && name !== layer.name) editor.change(layer.id, { name });
            rename(false);
          }}
        />
      ) : (
        <button
          type="button"
          class="layer-name grow clip"
          aria-current={active ? "true" : undefined}
          title={t("canvas.rename_hint")}
          onClick={() => editor.activate(layer.id)}
          onDblClick={() => rename(true)}
          onKeyDown={(event) => {
            if (event.key === "F2") rename(true);
          }}
        >
          {layer.name}
        </button>
      )}
      {layer.opacity < 1 && <span class="faint mono">{Math.round(layer.opacity * 100)}</span>}
      <Toggle on={layer.locked} label={t("canvas.locked")} icons={["lock", "open"]} change={() => editor.change(layer.id, { locked: !layer.locked })} />
    </li>
  );
}

/** The settings of the active layer. Every drag of a slider is one step of undo. */
function LayerSettings({ editor, layer }: { editor: Editor; layer: Layer }): JSX.Element {
  const set = (change: LayerChange): void => editor.change(layer.id, change, `${layer.id} ${Object.keys(change).join()}`);
  return (
    <div class="layer-settings">
      <Slider label={t("canvas.opacity")} value={Math.round(layer.opacity * 100)} min={0} max={100} text={`${Math.round(layer.opacity * 100)} %`} change={(value) => set({ opacity: value / 100 })} />
      {layer.kind === "mask" && (
        <>
          <Slider label={t("canvas.grow")} value={layer.grow} min={0} max={128} text={`${layer.grow} px`} change={(grow) => set({ grow })} />
          <Slider label={t("canvas.feather")} value={layer.feather} min={0} max={128} text={`${layer.feather} px`} change={(feather) => set({ feather })} />
        </>
      )}
      {layer.kind === "region" && (
        <>
          <label class="field">
            <span class="label">{t("canvas.region_prompt")}</span>
            <textarea class="input" rows={2} value={layer.prompt} onInput={(event) => set({ prompt: event.currentTarget.value })} />
          </label>
          <div class="region-colors" role="group" aria-label={t("canvas.color")}>
            {kRegionColors.map((color) => (
              <button key={color} type="button" class="swatch" aria-pressed={layer.color === color} aria-label={color} style={{ backgroundColor: color }} onClick={() => set({ color })} />
            ))}
          </div>
          <Slider label={t("canvas.weight")} value={layer.weight} min={0} max={2} step={0.05} text={layer.weight.toFixed(2)} change={(weight) => set({ weight })} />
        </>
      )}
      {layer.kind === "blockout" && (
        <>
          <div class="segments" role="radiogroup" aria-label={t("canvas.use")}>
            {(["init", "scribble"] as const).map((use) => (
              <button key={use} type="button" role="radio" class="button button-small" aria-checked={layer.use === use} aria-pressed={layer.use === use} onClick={() => set({ use })}>
                {t(`canvas.use.${use}`)}
              </button>
            ))}
          </div>
          <Slider label={t("canvas.strength")} value={layer.strength} min={0} max={layer.use === "init" ? 1 : 2} step={0.05} text={layer.strength.toFixed(2)} change={(strength) => set({ strength })} />
        </>
      )}
    </div>
  );
}

const kShort = { "canvas.add.paint": "canvas.short.paint", "canvas.add.mask": "canvas.short.mask", "canvas.add.region": "canvas.short.region", "canvas.add.blockout": "canvas.short.blockout" } as const;

export function LayerPanel({ editor, context }: { editor: Editor; context: CanvasContext }): JSX.Element {
  const state = editor.state.value;
  const active = activeLayer(state);
  return (
    <section class="dock dock-layers" aria-label={t("canvas.layers")}>
      <header class="dock-head">
        <h2>{t("canvas.layers")}</h2>
        <div class="row dock-buttons">
          <ActionButton action={kLayerUp} context={context} class="icon-button">
            <Icon name="up" />
          </ActionButton>
          <ActionButton action={kLayerDown} context={context} class="icon-button">
            <Icon name="down" />
          </ActionButton>
          <ActionButton action={kRemoveLayer} context={context} class="icon-button">
            <Icon name="bin" />
          </ActionButton>
        </div>
      </header>
      <div class="add-layers" role="group" aria-label={t("canvas.add_layer")}>
        {kLayerActions.map((action) => (
          <ActionButton key={action.id} action={action} context={context} class="button button-small">
            + {t(kShort[action.id as keyof typeof kShort])}
          </ActionButton>
        ))}
      </div>
      <ul class="layers">
        {state.layers.map((layer, index) => <LayerRow key={layer.id} editor={editor} layer={layer} index={index} />).reverse()}
        <li class="layer layer-base">
          <span class="faint">{state.parent ? t("canvas.base_take") : t("canvas.base_empty")}</span>
        </li>
      </ul>
      {active && <LayerSettings editor={editor} layer={active} />}
    </section>
  );
}
