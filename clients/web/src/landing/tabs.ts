// Makes tabs of sections that stand below each other without a script.
// Keys as in the ARIA Authoring Practices: arrows, Home and End move and choose.

/** Turns the `[data-tab]` sections of a group into tabs. */
export function setUpTabs(group: HTMLElement): void {
  const panels = [...group.querySelectorAll<HTMLElement>("[data-tab]")];
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", group.dataset.tabs ?? "");
  const tabs = panels.map((panel, index) => tabFor(panel, index));
  list.append(...tabs);
  group.prepend(list);

  const choose = (chosen: number) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
    });
    panels.forEach((panel, index) => {
      panel.hidden = index !== chosen;
    });
  };
  list.addEventListener("click", ({ target }) => {
    const index = tabs.indexOf(target as HTMLButtonElement);
    if (index >= 0) choose(index);
  });
  list.addEventListener("keydown", (event) => {
    const index = nextIndex(
      event.key,
      tabs.indexOf(event.target as HTMLButtonElement),
      tabs.length,
    );
    if (index === null) return;
    event.preventDefault();
    choose(index);
    tabs[index]?.focus();
  });
  choose(0);
}

function tabFor(panel: HTMLElement, index: number): HTMLButtonElement {
  const name = panel.dataset.tab ?? "";
  const tab = document.createElement("button");
  tab.type = "button";
  tab.id = `tab-${index}`;
  tab.textContent = name;
  tab.setAttribute("role", "tab");
  panel.id = `panel-${index}`;
  tab.setAttribute("aria-controls", panel.id);
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  panel.tabIndex = 0;
  panel.querySelector("h3")?.remove(); // the tab says it
  return tab;
}

function nextIndex(key: string, index: number, count: number): number | null {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return null;
}
