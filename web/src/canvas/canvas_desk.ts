// Everything of one open canvas: task and take, the stored document, the editor, saving, repainting.
import { effect, signal, type Signal } from "@preact/signals";
import { segment } from "../api/client";
import { asErrorDocument } from "../api/errors";
import { api } from "../api/session";
import type { ErrorDocument, ModelFile, Page, Recipe, Show, Take, Task } from "../model/documents";
import { notify, reportError } from "../parts/notices";
import { t } from "../words";
import { Autosave } from "./autosave";
import { rgbOf } from "./color";
import { newState, type LayerKind } from "./document";
import { Editor, type Refusal } from "./editor";
import type { Size } from "./geometry";
import { kEmptyDesk, type Desk } from "./desk";
import { History, type CanvasDocument } from "./history";
import { bakeHeavyLayers } from "./baking";
import { bitmapPixels, loadBitmap, loadPixels, maskGround, showFile, sized, takePicture } from "./pictures";
import type { Pixels } from "./pixels";
import { RepaintWatch } from "./repaint_watch";
import { Screen } from "./screen";
import { StageView } from "./stage_view";
import { CanvasTools } from "./tools";
import { generateFromBlockout, repaint, saveAsTake, upload, type RepaintWish } from "./work";

export interface OpenCanvas {
  editor: Editor;
  screen: Screen;
  tools: CanvasTools;
}

/** The stored canvas lies over another take than the one that was asked for. */
export interface Choice {
  stored: History;
  desk: Desk;
  wanted: Take;
  storedTake: Take | null;
}

export interface CanvasAddress {
  task: string;
  take: string | null;
  /** A mask's file, from a note of a review. */
  mask: string | null;
}

const kNewSize: Size = { width: 1024, height: 768 };

export const layerName = (kind: LayerKind, number: number): string => t(`canvas.layer_name.${kind}`, { n: number });

export class CanvasDesk {
  readonly stage = new StageView(1);
  readonly task: Signal<Task | null> = signal<Task | null>(null);
  readonly parent: Signal<Take | null> = signal<Take | null>(null);
  readonly recipe: Signal<Recipe | null> = signal<Recipe | null>(null);
  readonly open: Signal<OpenCanvas | null> = signal<OpenCanvas | null>(null);
  readonly choice: Signal<Choice | null> = signal<Choice | null>(null);
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  readonly busy: Signal<"repaint" | "save" | null> = signal<"repaint" | "save" | null>(null);
  readonly autosave: Autosave;
  readonly repaints: RepaintWatch;
  private stops: (() => void)[] = [];
  private closed = false;

  constructor(readonly address: CanvasAddress) {
    this.autosave = new Autosave({
      client: api,
      path: `/tasks/${segment(address.task)}/canvas`,
      document: () => this.document(),
    });
    this.repaints = new RepaintWatch(api, (take) => notify("canvas.take_arrived", { label: take.label }));
    this.load().catch((thrown: unknown) => {
      this.error.value = asErrorDocument(thrown);
    });
  }

  private async document(): Promise<CanvasDocument> {
    const { editor } = this.open.peek()!;
    const show = this.task.peek()!.show_id;
    await bakeHeavyLayers(editor, (file) => upload(api, show, file));
    return editor.toDocument();
  }

  private async load(): Promise<void> {
    const [task, document] = await Promise.all([api.get<Task>(`/tasks/${segment(this.address.task)}`), this.autosave.load()]);
    if (this.closed) return;
    this.task.value = task;
    const stored = History.fromDocument(document);
    const asked = this.address.take;
    const wanted = asked ? await this.take(asked) : null;
    if (stored && wanted && stored.history.state.parent !== wanted.id) {
      const parent = stored.history.state.parent;
      const storedTake = parent ? await this.take(parent).catch(() => null) : null;
      this.choice.value = { stored: stored.history, desk: stored.desk, wanted, storedTake };
      return;
    }
    if (stored) return this.start(stored.history, stored.desk);
    const first = wanted ?? (task.approved_take_id ? await this.take(task.approved_take_id) : await this.newestTake(task));
    if (first) return this.startOver(first);
    const { settings } = await api.get<Show>(`/shows/${segment(task.show_id)}`);
    await this.startOver(null, { width: settings.width ?? kNewSize.width, height: settings.height ?? kNewSize.height });
  }

  private take(id: string): Promise<Take> {
    return api.get<Take>(`/takes/${segment(id)}`);
  }

  private async newestTake(task: Task): Promise<Take | null> {
    const takes = await api.get<Page<Take>>(`/tasks/${segment(task.id)}/takes`);
    return takes.items.reduce<Take | null>((newest, take) => (!newest || take.created_at > newest.created_at ? take : newest), null);
  }

  /** A fresh canvas over a take, or an empty one. */
  async startOver(take: Take | null, size: Size = take ?? kNewSize): Promise<void> {
    this.choice.value = null;
    const state = newState({ width: size.width, height: size.height }, take?.id ?? null);
    await this.start(new History(state), kEmptyDesk);
  }

  /** The stored canvas; `over` puts its layers over another take. */
  async goOn(choice: Choice, over: Take | null): Promise<void> {
    this.choice.value = null;
    await this.start(choice.stored, choice.desk);
    if (over) this.open.peek()?.editor.edit({ kind: "parent", take: over.id });
  }

  private async start(history: History, desk: Desk): Promise<void> {
    if (this.closed) return;
    this.end();
    const editor = new Editor(history, desk, layerName);
    const screen = new Screen(editor);
    const tools = new CanvasTools(editor, screen, (why) => this.refused(why));
    this.stage.setPicture(history.state);
    this.open.value = { editor, screen, tools };
    let known = editor.unsaved.peek();
    let parent: string | null | undefined;
    this.stops.push(
      effect(() => {
        const count = editor.unsaved.value;
        if (count !== known) this.autosave.changed();
        known = count;
      }),
      effect(() => {
        const wanted = editor.state.value.parent;
        if (wanted === parent) return;
        parent = wanted;
        this.showParent(editor, screen, wanted).catch(reportError);
      }),
    );
    await this.loadGrounds(editor);
    if (this.address.mask) await this.addMask(editor, this.address.mask);
  }

  private async showParent(editor: Editor, screen: Screen, id: string | null): Promise<void> {
    if (!id) {
      screen.base = null;
      editor.base.value = null;
      this.parent.value = null;
      editor.drawn.value += 1;
      return;
    }
    const [take, bitmap] = await Promise.all([this.take(id), loadBitmap(takePicture(id))]);
    if (editor.state.peek().parent !== id || this.closed) return;
    this.parent.value = take;
    screen.base = bitmap;
    const size = editor.state.peek();
    editor.base.value = bitmapPixels(await createImageBitmap(bitmap, sized(bitmap, size)));
    editor.drawn.value += 1;
    // What was painted by hand has none.
    this.recipe.value = take.origin === "edited" ? null : await api.get<Recipe>(`/takes/${segment(id)}/recipe`).catch(() => null);
    const words = this.recipe.value?.prompt;
    if (words && editor.desk.peek().prompt === "") editor.desk.value = { ...editor.desk.peek(), prompt: words };
  }

  private async loadGrounds(editor: Editor): Promise<void> {
    const show = this.task.peek()!.show_id;
    await Promise.all(
      editor.layersWithPictures().map(async (layer) => {
        const pixels = await loadPixels(showFile(show, layer.picture!), editor.state.peek());
        editor.setGround(layer, this.groundOf(layer.kind, layer.color, pixels));
      }),
    );
  }

  private groundOf(kind: LayerKind, color: string, pixels: Pixels): Pixels {
    return kind === "mask" || kind === "region" ? maskGround(pixels, rgbOf(color)) : pixels;
  }

  /** A note's drawing as the mask of the next take. The server has grown it; softening it is the layer's. */
  private async addMask(editor: Editor, sha256: string): Promise<void> {
    if (editor.state.peek().layers.some((layer) => layer.picture === sha256)) return;
    const layer = editor.addLayer("mask", { picture: sha256, name: t("canvas.mask_of_note"), grow: 0 });
    await this.loadGrounds(editor);
    editor.activate(layer.id);
  }

  refused(why: Refusal): void {
    const texts = { "no-layer": "canvas.refused.no_layer", locked: "canvas.refused.locked", hidden: "canvas.refused.hidden", "nothing-selected": "canvas.refused.nothing_selected" } as const;
    notify(texts[why]);
  }

  async repaint(wish: RepaintWish): Promise<void> {
    const open = this.open.peek();
    const task = this.task.peek();
    const parent = this.parent.peek();
    if (!open || !task || this.busy.peek()) return;
    this.busy.value = "repaint";
    try {
      if (!open.editor.repaintTarget()) {
        const settings = this.recipe.peek() ?? { model: await this.firstModel() };
        const job = await generateFromBlockout(api, open.editor, task, settings, wish);
        if (job) this.repaints.add({ job, mask: null, parent: parent?.id ?? null });
        else notify("canvas.refused.no_mask");
        return;
      }
      if (!parent) return notify("canvas.refused.no_parent");
      // A picture from outside has no recipe, and so no model.
      const model = wish.model || (this.recipe.peek()?.model ? "" : await this.firstModel());
      this.repaints.add(await repaint(api, open.editor, task, parent, { ...wish, model }));
    } finally {
      this.busy.value = null;
    }
  }

  private async firstModel(): Promise<string> {
    const models = await api.get<Page<ModelFile>>("/models", { show: this.task.peek()!.show_id });
    return models.items.find((model) => model.kind === "checkpoint" && model.allowed)?.name ?? "";
  }

  async saveTake(title: string): Promise<Take | null> {
    const open = this.open.peek();
    const task = this.task.peek();
    if (!open || !task || this.busy.peek()) return null;
    this.busy.value = "save";
    try {
      const take = await saveAsTake(api, open.editor, task, title);
      notify("canvas.take_saved", { label: take.label });
      return take;
    } finally {
      this.busy.value = null;
    }
  }

  /** After a conflict: what was stored elsewhere is shown. */
  async takeTheirs(): Promise<void> {
    const stored = History.fromDocument(await this.autosave.takeTheirs());
    if (stored) await this.start(stored.history, stored.desk);
  }

  private end(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  close(): void {
    this.closed = true;
    this.end();
    if (this.open.peek()) this.autosave.close();
    this.repaints.close();
  }
}
