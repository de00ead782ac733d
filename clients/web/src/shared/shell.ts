// What every page does: mark where one is, switch the theme, show what the role may see.
import { person } from "../session/session.ts";

type Theme = "light" | "dark";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function shownTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark.matches ? "dark" : "light";
}

function remember(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
}

function setUpThemeToggle(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-theme-toggle]");
  if (!button) return;
  const label = () => {
    const next = shownTheme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to the ${next} theme`);
    button.title = `Switch to the ${next} theme`;
  };
  button.addEventListener("click", () => {
    remember(shownTheme() === "dark" ? "light" : "dark");
    label();
  });
  dark.addEventListener("change", label);
  label();
  button.hidden = false;
}

function markCurrentPage(): void {
  const here = window.location.pathname.replace(/\.html$/, "");
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".site-nav a")) {
    if (link.pathname !== here) continue;
    link.setAttribute("aria-current", "page");
    // On a phone the links scroll within themselves.
    link.parentElement?.scrollTo({ left: link.offsetLeft });
  }
}

/** Shows the links that the role of whoever is signed in gives; call it again after signing in. */
export function showLinksOfRole(): void {
  const role = person()?.role ?? "";
  for (const link of document.querySelectorAll<HTMLElement>(".site-nav [data-role]")) {
    link.hidden = link.dataset.role !== role;
  }
}

setUpThemeToggle();
markCurrentPage();
showLinksOfRole();
