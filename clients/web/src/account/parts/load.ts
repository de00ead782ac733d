// What a part of a page gets from the server: still coming, there, or not to be had.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../../shared/errors.ts";

export interface Loaded<Value> {
  /** The last answer; it stays while the next one is under way. */
  readonly value: Value | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** Loads now, when one of `inputs` changes, and on `reload`; only the last answer counts. */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly unknown[],
): Loaded<Value> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<Omit<Loaded<Value>, "reload">>({
    value: null,
    problem: null,
    loading: true,
  });
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    const stopping = new AbortController();
    setState((before) => ({ ...before, problem: null, loading: true }));
    load(stopping.signal).then(
      (value) => stopping.signal.aborted || setState({ value, problem: null, loading: false }),
      (error) =>
        stopping.signal.aborted ||
        setState((before) => ({ ...before, problem: problemOf(error), loading: false })),
    );
    return () => stopping.abort();
  }, [round, ...inputs]);
  return { ...state, reload };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** For the next page. Empty on the last. */
  readonly nextPageToken: string;
}

export interface Pages<Item> extends Loaded<Page<Item>> {
  /** Undefined where there is no such page. */
  readonly newer: (() => void) | undefined;
  readonly older: (() => void) | undefined;
}

/** Loads a list page by page; from its first one when one of `inputs` changes. */
export function usePages<Item>(
  load: (pageToken: string, signal: AbortSignal) => Promise<Page<Item>>,
  inputs: readonly unknown[],
): Pages<Item> {
  const [tokens, setTokens] = useState<readonly string[]>([""]);
  const chosen = JSON.stringify(inputs);
  const before = useRef(chosen);
  // A token belongs to its filter, so another filter begins anew before anything is asked.
  const current = before.current === chosen ? tokens : [""];
  useEffect(() => {
    if (before.current !== chosen) setTokens([""]);
    before.current = chosen;
  }, [chosen]);
  const loaded = useLoaded(
    (signal) => load(current.at(-1) ?? "", signal),
    [chosen, current.at(-1)],
  );
  const next = loaded.value?.nextPageToken;
  return {
    ...loaded,
    newer: current.length > 1 ? () => setTokens(current.slice(0, -1)) : undefined,
    older: next && !loaded.loading ? () => setTokens([...current, next]) : undefined,
  };
}
