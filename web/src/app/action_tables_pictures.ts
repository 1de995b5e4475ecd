// Tables of actions of the canvas, comparing, reviewing and textures.
import { kCanvasActions } from "../canvas/canvas_actions";
import { kStageActions } from "../canvas/stage_actions";
import { kCompareActions } from "../compare/compare_actions";
import type { ActionTable } from "../parts/actions";
import { kReviewActions } from "../review/review_actions";
import { kTextureActions } from "../texture/texture_actions";

export const kPictureTables: readonly ActionTable<never>[] = [kCanvasActions, kStageActions, kCompareActions, kReviewActions, kTextureActions];
