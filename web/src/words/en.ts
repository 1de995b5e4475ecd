// English: the list of all keys. The keys are grouped by view, in the order in which they are met.
import { enPictures } from "./en_pictures";

export const en = {
  "shell.skip": "Skip to the content",
  "shell.home": "Maquette, all shows",
  "shell.sections": "Sections",
  "shell.reconnecting": "Reconnecting…",
  "shell.no_such_page": "There is no such page",

  "nav.shows": "Shows",
  "nav.queue": "Queue",
  "nav.library": "Library",
  "nav.people": "People",
  "nav.activity": "Activity",

  "actions.everywhere": "Everywhere",
  "actions.shortcuts": "Keyboard shortcuts",
  "actions.search": "Search",

  "key.Control": "Ctrl",
  "key.Shift": "Shift",
  "key.Space": "Space",
  "key.Enter": "Enter",
  "key.Escape": "Esc",
  "key.Delete": "Del",
  "key.Backspace": "Backspace",
  "key.Home": "Home",
  "key.End": "End",
  "key.PageUp": "Page up",
  "key.PageDown": "Page down",

  "common.close": "Close",
  "common.retry": "Try again",

  "error.hint": "Hint",

  "language.en": "English",
  "language.fr": "Français",

  "session.intro": "Sign in to the studio.",
  "session.login": "Login",
  "session.password": "Password",
  "session.sign_in": "Sign in",
  "session.sign_out": "Sign out",
  "session.change_password": "Change password",
  "session.one_time": "You signed in with a one-time password. Choose your own to go on.",
  "session.old_password": "Current password",
  "session.new_password": "New password",
  "session.new_password_again": "New password, again",
  "session.passwords_differ": "The two passwords differ",
  "session.password_changed": "Password changed",

  "shows.title": "Shows",

  ...enPictures,
} as const;
