// The questions the canvas asks: over which take, whose version, under what title.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { reportError } from "../parts/notices";
import { Dialog } from "../parts/dialog";
import { t } from "../words";
import type { CanvasDesk, Choice } from "./canvas_desk";

/** The stored canvas lies over another take. Nothing is given up without being asked for. */
export function ChoiceDialog({ desk, choice, close }: { desk: CanvasDesk; choice: Choice; close(): void }): JSX.Element {
  const stored = choice.storedTake?.label ?? t("canvas.choice.empty");
  const wanted = choice.wanted.label;
  const go = (work: Promise<void>): void => void work.catch(reportError);
  return (
    <Dialog title={t("canvas.choice.title")} close={close}>
      <p class="muted">{t("canvas.choice.text", { stored, wanted })}</p>
      <div class="stack choices">
        <button type="button" class="button button-primary" data-autofocus onClick={() => go(desk.goOn(choice, choice.wanted))}>
          {t("canvas.choice.move", { wanted })}
        </button>
        <button type="button" class="button" onClick={() => go(desk.goOn(choice, null))}>
          {t("canvas.choice.go_on", { stored })}
        </button>
        <button type="button" class="button button-danger" onClick={() => go(desk.startOver(choice.wanted))}>
          {t("canvas.choice.anew", { wanted })}
        </button>
      </div>
    </Dialog>
  );
}

export function ConflictDialog({ desk }: { desk: CanvasDesk }): JSX.Element {
  const [hidden, hide] = useState(false);
  if (hidden) return <></>;
  const keep = (): void => void desk.autosave.keepMine().catch(reportError);
  return (
    <Dialog
      title={t("canvas.conflict.title")}
      close={() => hide(true)}
      foot={
        <>
          <button type="button" class="button" onClick={() => void desk.takeTheirs().catch(reportError)}>
            {t("canvas.conflict.theirs")}
          </button>
          <button type="button" class="button button-primary" data-autofocus onClick={keep}>
            {t("canvas.conflict.mine")}
          </button>
        </>
      }
    >
      <p>{t("canvas.conflict.text")}</p>
    </Dialog>
  );
}

export function SaveDialog({ desk, close }: { desk: CanvasDesk; close(): void }): JSX.Element {
  const [title, setTitle] = useState("");
  const busy = desk.busy.value === "save";
  const save = (): void => {
    desk
      .saveTake(title.trim())
      .then((take) => {
        if (take) close();
      })
      .catch(reportError);
  };
  return (
    <Dialog
      title={t("canvas.save_take")}
      close={close}
      foot={
        <button type="button" class="button button-primary" disabled={busy} onClick={save}>
          {busy ? t("canvas.saving") : t("canvas.save_take")}
        </button>
      }
    >
      <p class="muted">{t("canvas.save_text")}</p>
      <label class="field">
        <span class="label">{t("canvas.take_title")}</span>
        <input
          class="input"
          data-autofocus
          value={title}
          maxLength={120}
          onInput={(event) => setTitle(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") save();
          }}
        />
      </label>
    </Dialog>
  );
}
