// The picture of a page and, in the same space, its lines or blocks: to point at, to select, to
// walk through.
import { useEffect, useId, useState } from "preact/hooks";
import type { Point } from "../gen/ocr_grpc/v1/page_pb.ts";
import { Labels, Tip } from "./picture-notes.tsx";
import type { ReadPage } from "./reading.ts";
import type { Spot } from "./spots.ts";

/** Below it a line or a word is marked as doubtful. */
const DOUBTFUL = 0.8;
/** Characters of a block that screen readers say; all of it stands beside the picture. */
const MAX_SPOKEN = 120;

interface Props {
  readonly page: ReadPage;
  readonly spots: readonly Spot[];
  /** Whether it is near the screen; only then it holds a picture and spots. */
  readonly near: boolean;
  /** The spot that is pointed at, here or in the text; -1 for none. */
  readonly marked: number;
  readonly mark: (index: number) => void;
  /** Keeps a spot marked; -1 lets it go. */
  readonly pin: (index: number) => void;
}

export function Picture(props: Props) {
  const { page, spots, near, marked, mark } = props;
  const url = useObjectUrl(near ? page.picture : null);
  const width = page.started?.widthPx ?? 1;
  const height = page.started?.heightPx ?? 1;
  const spot = spots[marked];
  return (
    <div
      class="sheet"
      style={{ aspectRatio: `${width} / ${height}` }}
      onPointerLeave={() => mark(-1)}
    >
      {url && <img src={url} alt="" draggable={false} />}
      {page.pictureLost && (
        <p class="sheet-note small">
          This picture was let go to save memory; what was read remains.
        </p>
      )}
      {near && spots.length > 0 && <Spots {...props} width={width} height={height} />}
      {near && <Labels spots={spots} width={width} height={height} marked={marked} />}
      {spot?.kind === "line" && <Tip spot={spot} width={width} height={height} />}
    </div>
  );
}

interface SpotsProps extends Omit<Props, "near"> {
  readonly width: number;
  readonly height: number;
}

/**
 * The spots are one stop of the Tab key; arrow keys walk through them. The focus stays on all of
 * them together: were each one focused, pressing the mouse would end the selection it begins.
 */
function Spots({ page, spots, width, height, marked, mark, pin }: SpotsProps) {
  const id = useId();
  const [current, setCurrent] = useState(0);
  const last = spots.length - 1;
  const walk = (event: KeyboardEvent) => {
    const next = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") {
      mark(-1);
      pin(-1);
    }
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(Math.max(next, 0), last);
    setCurrent(index);
    mark(index);
  };
  return (
    <div
      class="spots"
      role="listbox"
      tabIndex={0}
      aria-label={`${spots[0]?.kind === "block" ? "Blocks" : "Lines"} on the picture of page ${page.number}; arrow keys walk through them`}
      aria-activedescendant={marked >= 0 ? `${id}-${marked}` : undefined}
      onKeyDown={walk}
      onFocus={({ currentTarget }) => {
        if (currentTarget.matches(":focus-visible")) mark(Math.min(current, last));
      }}
      onBlur={() => mark(-1)}
    >
      <svg viewBox={`0 0 ${width} ${height}`} role="none">
        {spots.map((spot, index) => (
          <g
            key={`${id}-${index}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === marked}
            aria-label={spoken(spot)}
            class={spotClass(spot, index === marked)}
            onPointerEnter={() => mark(index)}
            // Lines are not kept marked: there a click is the end of a selection.
            onClick={() => spot.kind === "block" && pin(index)}
          >
            {spot.polygon.length > 2 && <polygon points={pointsOf(spot.polygon)} />}
            {spot.kind === "line" && <LineText text={spot.text} polygon={spot.polygon} />}
          </g>
        ))}
        {spots[marked]?.words.map(({ polygon, confidence }, index) => (
          <polygon
            key={`${marked}-${index}`}
            class={confidence < DOUBTFUL ? "word doubtful" : "word"}
            points={pointsOf(polygon)}
          />
        ))}
      </svg>
    </div>
  );
}

function spotClass({ kind, confidence }: Spot, isMarked: boolean): string {
  const doubtful = confidence !== null && confidence < DOUBTFUL;
  return `${kind}${isMarked ? " marked" : ""}${doubtful ? " doubtful" : ""}`;
}

/** What screen readers say: a line, or what a block is and how it begins. */
function spoken({ kind, label, text }: Spot): string {
  return kind === "line" ? text : `${label || "block"}: ${text.slice(0, MAX_SPOKEN)}`;
}

function pointsOf(polygon: readonly Point[]): string {
  return polygon.map(({ x, y }) => `${x},${y}`).join(" ");
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
