// One page: its picture with what was read laid over it, and its text beside it.
import { Component, type RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { PageText } from "./page-text.tsx";
import { Picture } from "./picture.tsx";
import type { PageState, ReadPage } from "./reading.ts";
import { howItWasRead } from "./sentences.ts";
import { spotsOf } from "./spots.ts";

interface Props {
  readonly page: ReadPage;
  readonly version: number;
}

/** Draws a page again only when it changed: pages are changed in place, their version tells. */
export class PageRow extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    return next.version !== this.props.version || next.page !== this.props.page;
  }

  override render({ page }: Props) {
    return <Row page={page} />;
  }
}

function Row({ page }: { readonly page: ReadPage }) {
  const row = useRef<HTMLElement>(null);
  const near = useNearScreen(row);
  const [pointed, mark] = useState(-1);
  const [pinned, pin] = useState(-1);
  const marked = pointed >= 0 ? pointed : pinned;
  const spots = near ? spotsOf(page) : [];
  const title = `page-${page.number}-title`;
  const drawn = (page.started?.widthPx ?? 0) > 0;
  return (
    <section
      ref={row}
      class={drawn ? "page-row" : "page-row text-only"}
      id={`page-${page.number}`}
      aria-labelledby={title}
      data-state={page.state}
    >
      <header class="page-head">
        <h2 id={title}>Page {page.number}</h2>
        <StateBadge page={page} />
        <span class="quiet small">{howItWasRead(page)}</span>
      </header>
      {drawn && <Picture {...{ page, spots, near, marked, mark, pin }} />}
      <div class="page-words">
        {page.ended?.message && (
          <p class={page.state === "failed" ? "notice bad" : "notice warn"}>
            {page.ended.message} <code class="reason">{page.ended.reason}</code>
          </p>
        )}
        <PageText {...{ page, spots, near, marked, pinned, mark }} />
      </div>
    </section>
  );
}

const BADGES: Record<PageState, [string, string]> = {
  waiting: ["Waiting", ""],
  reading: ["Reading", ""],
  draft: ["Draft", ""],
  final: ["Final reading…", ""],
  ok: ["Read", "good"],
  degraded: ["Less quality", "warn"],
  failed: ["Failed", "bad"],
};

function StateBadge({ page }: { readonly page: ReadPage }) {
  const [word, tone] = BADGES[page.state];
  return <span class={`badge ${tone}`}>{page.ended?.blank ? "Blank" : word}</span>;
}

/** Tells whether an element is on the screen, or within two screens of it. */
function useNearScreen(element: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const current = element.current;
    if (!current) return;
    const observer = new IntersectionObserver(
      ([entry]) => setNear(entry?.isIntersecting ?? false),
      { rootMargin: "200% 0%" },
    );
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return near;
}
