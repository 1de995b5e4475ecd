// Every table of actions of the page, in the order of the shortcut sheet.
import type { ActionTable } from "../parts/actions";
import { kBoardActions } from "../views/board/board_actions";
import { kShowsActions } from "../views/shows/shows_view";
import { kTaskActions } from "../views/task/task_actions";
import { kPictureTables } from "./action_tables_pictures";
import { kShellActions } from "./shell_actions";

// Tables differ in their context; the sheet reads only names and keys.
export const kActionTables: readonly ActionTable<never>[] = [kShellActions, kTaskActions, kBoardActions, kShowsActions, ...kPictureTables];
