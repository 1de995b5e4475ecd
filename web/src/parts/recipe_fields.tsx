// A recipe, read: the prompt in full, everything else as name and value.
import type { JSX } from "preact";
import type { Recipe } from "../model/documents";
import { fileName, kNotAsked } from "../model/recipe";
import { t, tOr } from "../words";
import "./recipe_fields.css";

const kLong = ["prompt", "negative"];

function text(value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join("; ");
  if (typeof value !== "object" || value === null) return String(value);
  const file = value as { path?: string; sha256?: string; file?: unknown; unet_weight?: number };
  if (file.file !== undefined) return `${fileName(file.file as string)} ${file.unet_weight ?? 1}`;
  if (file.path !== undefined || file.sha256 !== undefined) return fileName(file as Recipe["init"]).replace(/^(sha256:.{12}).*/, "$1…");
  return JSON.stringify(value);
}

export function RecipeFields({ recipe }: { recipe: Recipe }): JSX.Element {
  const fields = Object.entries(recipe).filter(([name, value]) => !kLong.includes(name) && !kNotAsked.has(name) && value !== null && value !== "");
  return (
    <div class="recipe">
      {recipe.prompt && <p class="recipe-prompt">{recipe.prompt}</p>}
      {recipe.negative && (
        <p class="recipe-negative">
          <span class="faint">{t("field.negative")}</span> {recipe.negative}
        </p>
      )}
      <dl class="recipe-fields">
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>{tOr(`field.${name}`, name.replaceAll("_", " "))}</dt>
            <dd title={text(value)}>{text(value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
