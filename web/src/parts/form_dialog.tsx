// A dialog with a form: its fields, the server's refusal, and one button that does it.
import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { asErrorDocument } from "../api/errors";
import type { ErrorDocument } from "../model/documents";
import { t } from "../words";
import { Dialog } from "./dialog";
import { ErrorBox } from "./error_box";

interface FormDialogProps {
  title: string;
  submit: string;
  close(): void;
  /** Does it; the dialog closes where it does not throw. */
  perform(form: FormData): Promise<void>;
  children: ComponentChildren;
  danger?: boolean;
  wide?: boolean;
}

export function FormDialog({ title, submit, close, perform, children, danger, wide }: FormDialogProps): JSX.Element {
  const form = useId();
  const [error, setError] = useState<ErrorDocument | null>(null);
  const [busy, setBusy] = useState(false);

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await perform(new FormData(event.currentTarget as HTMLFormElement));
      close();
    } catch (thrown) {
      setError(asErrorDocument(thrown));
      setBusy(false);
    }
  }

  const foot = (
    <>
      <button type="button" class="button" onClick={close}>
        {t("common.cancel")}
      </button>
      <button type="submit" form={form} class={danger ? "button button-danger" : "button button-primary"} disabled={busy}>
        {submit}
      </button>
    </>
  );
  return (
    <Dialog title={title} close={close} foot={foot} wide={wide ?? false}>
      <form id={form} class="stack" onSubmit={send}>
        {children}
        {error && <ErrorBox error={error} />}
      </form>
    </Dialog>
  );
}

interface TextFieldProps {
  label: string;
  name: string;
  value?: string;
  note?: string;
  required?: boolean;
  autofocus?: boolean;
  lines?: number;
  type?: string;
  pattern?: string;
}

/** A labelled field of a form; with lines, one for longer texts. */
export function TextField({ label, name, value, note, required, autofocus, lines, type, pattern }: TextFieldProps): JSX.Element {
  const common = { class: "input", name, required, "data-autofocus": autofocus ? "" : undefined };
  return (
    <label class="field">
      <span class="label">{label}</span>
      {lines ? <textarea {...common} rows={lines} defaultValue={value} /> : <input {...common} type={type ?? "text"} pattern={pattern} defaultValue={value} />}
      {note && <span class="field-note">{note}</span>}
    </label>
  );
}
