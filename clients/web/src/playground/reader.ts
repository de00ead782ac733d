// Runs one extraction at a time and draws it at most once a frame.
import { useEffect, useReducer, useRef } from "preact/hooks";
import { Quality } from "../gen/ocr_grpc/v1/options_pb.ts";
import { Reading } from "./reading.ts";
import { events } from "./streams.ts";
import type { Wishes } from "./wishes.ts";

export interface Run {
  readonly file: File;
  readonly reading: Reading;
  readonly stop: AbortController;
}

export interface Reader {
  readonly run: Run | null;
  start(file: File, wishes: Wishes, inlineBytes: number): void;
  cancel(): void;
  clear(): void;
}

export function useReader(): Reader {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const run = useRef<Run | null>(null);
  const frame = useRef(0);

  const drawSoon = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      draw(undefined);
    });
  };
  const cancel = () => {
    run.current?.reading.cancel();
    run.current?.stop.abort();
    drawSoon();
  };
  // Leaving the page stops the work on the server too.
  useEffect(() => () => run.current?.stop.abort(), []);

  return {
    run: run.current,
    cancel,
    clear() {
      cancel();
      run.current = null;
    },
    start(file, wishes, inlineBytes) {
      cancel();
      const reading = new Reading(wishes.quality === Quality.DRAFT_THEN_FINAL);
      const next: Run = { file, reading, stop: new AbortController() };
      run.current = next;
      void follow(next, events(file, wishes, inlineBytes, next.stop.signal), drawSoon);
      drawSoon();
    },
  };
}

async function follow(
  { reading, stop }: Run,
  stream: ReturnType<typeof events>,
  drawSoon: () => void,
): Promise<void> {
  try {
    for await (const event of stream) {
      reading.apply(event);
      drawSoon();
    }
    reading.close();
  } catch (error) {
    if (stop.signal.aborted) reading.cancel();
    else reading.fail(error);
  }
  drawSoon();
}
