// The picture of a page and, in the same space, its lines: to point at, to select, to walk through.
import { useEffect, useId, useState } from "preact/hooks";
import type { Point } from "../gen/ocr_grpc/v1/page_pb.ts";
import type { PlacedLine, ReadPage } from "./reading.ts";

/** Below it a line is marked as doubtful. */
const DOUBTFUL = 0.8;

interface Props {
  readonly page: ReadPage;
  /** Whether it is near the screen; only then it holds a picture and lines. */
  readonly near: boolean;
  /** The line that is pointed at, here or in the text; -1 for none. */
  readonly marked: number;
  readonly mark: (index: number) => void;
}

export function Picture({ page, near, marked, mark }: Props) {
  const url = useObjectUrl(near ? page.picture : null);
  const width = page.started?.widthPx ?? 1;
  const height = page.started?.heightPx ?? 1;
  const line = page.lines[marked];
  return (
    <div
      class="sheet"
      style={{ aspectRatio: `${width} / ${height}` }}
      onPointerLeave={() => mark(-1)}
    >
      {url && <img src={url} alt="" draggable={false} />}
      {page.pictureLost && (
        <p class="sheet-note small">This picture was let go to save memory; the lines remain.</p>
      )}
      {near && page.lines.length > 0 && (
        <Lines page={page} width={width} height={height} marked={marked} mark={mark} />
      )}
      {line && <Tip line={line} width={width} height={height} />}
    </div>
  );
}

interface LinesProps extends Omit<Props, "near"> {
  readonly width: number;
  readonly height: number;
}

/**
 * The lines are one stop of the Tab key; arrow keys walk through them. The focus stays on all of
 * them together: were each one focused, pressing the mouse would end the selection it begins.
 */
function Lines({ page, width, height, marked, mark }: LinesProps) {
  const id = useId();
  const [current, setCurrent] = useState(0);
  const last = page.lines.length - 1;
  const walk = (event: KeyboardEvent) => {
    const next = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") mark(-1);
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(Math.max(next, 0), last);
    setCurrent(index);
    mark(index);
  };
  return (
    <div
      class="lines"
      role="listbox"
      tabIndex={0}
      aria-label={`Lines on the picture of page ${page.number}; arrow keys walk through them`}
      aria-activedescendant={marked >= 0 ? `${id}-${marked}` : undefined}
      onKeyDown={walk}
      onFocus={({ currentTarget }) => {
        if (currentTarget.matches(":focus-visible")) mark(Math.min(current, last));
      }}
      onBlur={() => mark(-1)}
    >
      <svg viewBox={`0 0 ${width} ${height}`} role="none">
        {page.lines.map(({ line }, index) => (
          <g
            key={`${id}-${index}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === marked}
            aria-label={line.text}
            class={lineClass(index === marked, line.confidence)}
            onPointerEnter={() => mark(index)}
          >
            <polygon points={line.polygon.map(({ x, y }) => `${x},${y}`).join(" ")} />
            <LineText text={line.text} polygon={line.polygon} />
          </g>
        ))}
      </svg>
    </div>
  );
}

function lineClass(isMarked: boolean, confidence: number): string {
  return `line${isMarked ? " marked" : ""}${confidence < DOUBTFUL ? " doubtful" : ""}`;
}

/** Text that nobody sees, exactly over the printed one, so that it can be selected. */
function LineText({
  text,
  polygon,
}: {
  readonly text: string;
  readonly polygon: readonly Point[];
}) {
  const [topLeft, topRight, , bottomLeft] = polygon;
  if (!topLeft || !topRight || !bottomLeft) return null;
  const along = Math.hypot(topRight.x - topLeft.x, topRight.y - topLeft.y);
  const down = Math.hypot(bottomLeft.x - topLeft.x, bottomLeft.y - topLeft.y);
  if (along < 1 || down < 1) return null;
  const cos = (topRight.x - topLeft.x) / along;
  const sin = (topRight.y - topLeft.y) / along;
  return (
    <text
      transform={`matrix(${cos} ${sin} ${-sin} ${cos} ${topLeft.x} ${topLeft.y})`}
      y={down * 0.78}
      font-size={down * 0.8}
      textLength={along}
      lengthAdjust="spacingAndGlyphs"
    >
      {text}
    </text>
  );
}

interface TipProps {
  readonly line: PlacedLine;
  readonly width: number;
  readonly height: number;
}

/** What stands in a line and how sure the engine is, above it or, at the top of a page, below. */
function Tip({ line: { line }, width, height }: TipProps) {
  const left = Math.min(...line.polygon.map(({ x }) => x)) / width;
  const top = Math.min(...line.polygon.map(({ y }) => y)) / height;
  const bottom = Math.max(...line.polygon.map(({ y }) => y)) / height;
  const above = top > 0.12;
  return (
    <div
      class="tip"
      aria-hidden="true"
      style={{
        left: `${Math.max(0, Math.min(left, 0.55)) * 100}%`,
        ...(above ? { bottom: `${(1 - top) * 100}%` } : { top: `${bottom * 100}%` }),
      }}
    >
      {line.text} <span>{Math.round(line.confidence * 100)} %</span>
    </div>
  );
}

/** Returns the address of a picture while there is one to show, and gives its memory back after. */
function useObjectUrl(picture: Blob | null): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!picture) return;
    const made = URL.createObjectURL(picture);
    setUrl(made);
    return () => {
      setUrl("");
      URL.revokeObjectURL(made);
    };
  }, [picture]);
  return url;
}
