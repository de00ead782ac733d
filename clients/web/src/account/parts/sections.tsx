// The parts of a page and the links between them.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Section {
  readonly name: string;
  readonly title: string;
}

interface SectionsProps {
  readonly label: string;
  readonly sections: readonly Section[];
  readonly current: string;
}

/** Links to the parts of a page. The current one is scrolled into view where they do not all fit. */
export function SectionLinks({ label, sections, current }: SectionsProps) {
  const links = useRef<HTMLElement>(null);
  useEffect(() => {
    const link = links.current?.querySelector<HTMLElement>(`[href="#${current}"]`);
    if (links.current && link) links.current.scrollLeft = link.offsetLeft - link.offsetWidth / 2;
  }, [current]);
  return (
    <nav class="section-links" aria-label={label} ref={links}>
      {sections.map(({ name, title }) => (
        <a key={name} href={`#${name}`} aria-current={name === current ? "true" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

interface PanelProps {
  readonly title: string;
  /** Beside the title, such as a button. */
  readonly side?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** A card with a heading. */
export function Panel({ title, side, children }: PanelProps) {
  return (
    <section class="card panel" aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        {side}
      </div>
      {children}
    </section>
  );
}
