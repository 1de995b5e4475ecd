// French: the same keys as English; the compiler refuses a missing one.
import type { en } from "./en";
import { frPictures } from "./fr_pictures";

export const fr: Record<keyof typeof en, string> = {
  "shell.skip": "Aller au contenu",
  "shell.home": "Maquette, tous les projets",
  "shell.sections": "Rubriques",
  "shell.reconnecting": "Reconnexion…",
  "shell.no_such_page": "Cette page n’existe pas",

  "nav.shows": "Projets",
  "nav.queue": "File d’attente",
  "nav.library": "Bibliothèque",
  "nav.people": "Équipe",
  "nav.activity": "Activité",

  "actions.everywhere": "Partout",
  "actions.shortcuts": "Raccourcis clavier",
  "actions.search": "Rechercher",

  "key.Control": "Ctrl",
  "key.Shift": "Maj",
  "key.Space": "Espace",
  "key.Enter": "Entrée",
  "key.Escape": "Échap",
  "key.Delete": "Suppr",
  "key.Backspace": "Retour arrière",
  "key.Home": "Début",
  "key.End": "Fin",
  "key.PageUp": "Page préc.",
  "key.PageDown": "Page suiv.",

  "common.close": "Fermer",
  "common.retry": "Réessayer",

  "error.hint": "Conseil",

  "language.en": "English",
  "language.fr": "Français",

  "session.intro": "Connectez-vous au studio.",
  "session.login": "Identifiant",
  "session.password": "Mot de passe",
  "session.sign_in": "Se connecter",
  "session.sign_out": "Se déconnecter",
  "session.change_password": "Changer le mot de passe",
  "session.one_time": "Vous êtes entré avec un mot de passe à usage unique. Choisissez le vôtre pour continuer.",
  "session.old_password": "Mot de passe actuel",
  "session.new_password": "Nouveau mot de passe",
  "session.new_password_again": "Nouveau mot de passe, à nouveau",
  "session.passwords_differ": "Les deux mots de passe diffèrent",
  "session.password_changed": "Mot de passe changé",

  "shows.title": "Projets",

  ...frPictures,
};
