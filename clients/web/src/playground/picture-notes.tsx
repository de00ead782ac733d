// What stands on the picture of a page in words: what a line says, what a block is.
import type { Spot } from "./spots.ts";

interface TipProps {
  readonly spot: Spot;
  readonly width: number;
  readonly height: number;
}

/** What stands in a line and how sure the engine is, above it or, at the top of a page, below. */
export function Tip({ spot, width, height }: TipProps) {
  const left = Math.min(...spot.polygon.map(({ x }) => x)) / width;
  const top = Math.min(...spot.polygon.map(({ y }) => y)) / height;
  const bottom = Math.max(...spot.polygon.map(({ y }) => y)) / height;
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
      {spot.text} <span>{Math.round((spot.confidence ?? 1) * 100)} %</span>
    </div>
  );
}

interface LabelsProps {
  readonly spots: readonly Spot[];
  readonly marked: number;
  readonly width: number;
  readonly height: number;
}

/** What each block is, at its upper left corner. */
export function Labels({ spots, marked, width, height }: LabelsProps) {
  return spots.map(({ label, polygon }, index) => {
    if (!label || polygon.length === 0) return null;
    const left = Math.min(...polygon.map(({ x }) => x)) / width;
    const top = Math.min(...polygon.map(({ y }) => y)) / height;
    return (
      <span
        key={index}
        class={index === marked ? "block-label marked" : "block-label"}
        aria-hidden="true"
        style={{ left: `${left * 100}%`, top: `${top * 100}%` }}
      >
        {label}
      </span>
    );
  });
}
