// A prompt: Ctrl+Up and Ctrl+Down change the weight of what is selected; the server counts its tokens while one types.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api/session";
import type { TokenCount } from "../../model/documents";
import { changeWeight, weightedParts } from "../../model/emphasis";
import { formatNumber, t } from "../../words";

interface PromptFieldProps {
  id: string;
  label: string;
  value: string;
  rows: number;
  dialect: string | undefined;
  change(value: string): void;
}

const kCountMs = 250;

function useTokenCount(prompt: string, dialect: string | undefined): TokenCount | null {
  const [count, setCount] = useState<TokenCount | null>(null);
  useEffect(() => {
    if (prompt.trim() === "") {
      setCount(null);
      return;
    }
    let isLatest = true;
    const timer = setTimeout(() => {
      api
        .post<TokenCount>("/count-tokens", dialect ? { prompt, dialect } : { prompt })
        .then((answer) => isLatest && setCount(answer))
        // A count that cannot be had leaves the field as useful as before.
        .catch(() => isLatest && setCount(null));
    }, kCountMs);
    return () => {
      isLatest = false;
      clearTimeout(timer);
    };
  }, [prompt, dialect]);
  return count;
}

export function PromptField({ id, label, value, rows, dialect, change }: PromptFieldProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const count = useTokenCount(value, dialect);
  const parts = weightedParts(value);

  function weigh(direction: 1 | -1): void {
    const field = area.current!;
    const changed = changeWeight({ text: field.value, start: field.selectionStart, end: field.selectionEnd }, direction);
    if (!changed) return;
    field.value = changed.text;
    field.setSelectionRange(changed.start, changed.end);
    change(changed.text);
  }

  return (
    <div class="field">
      <div class="row spread">
        <label class="label" for={id}>
          {label}
        </label>
        {count && (
          <span class={count.tokens > count.limit ? "tokens tokens-many" : "tokens"} title={t("prompt.tokens_note", { limit: count.limit })}>
            {count.chunks > 1 ? t("prompt.tokens_chunks", { tokens: count.tokens, chunks: count.chunks }) : t("prompt.tokens", { tokens: count.tokens, limit: count.limit })}
          </span>
        )}
      </div>
      <textarea
        ref={area}
        id={id}
        class="input"
        rows={rows}
        spellcheck
        value={value}
        title={t("prompt.emphasis_note")}
        onInput={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (!(event.ctrlKey || event.metaKey) || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
          event.preventDefault();
          weigh(event.key === "ArrowUp" ? 1 : -1);
        }}
      />
      {parts.length > 0 && (
        <p class="weights" aria-label={t("prompt.weights")}>
          {parts.map((part, index) => (
            <span key={index} class={part.weight > 1 ? "weight weight-more" : "weight"}>
              {part.text} <b>{formatNumber(part.weight, 2)}</b>
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
