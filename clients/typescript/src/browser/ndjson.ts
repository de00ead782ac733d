// Lines of JSON as they arrive.

/** Yields the value of each line of a body. A last line without its end was cut off, and is dropped. */
export async function* jsonLines<Value>(body: ReadableStream<Uint8Array>): AsyncGenerator<Value> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pieces: string[] = []; // of a line whose end has not come; a picture's line comes in many
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const [first = "", ...others] = decoder.decode(value, { stream: !done }).split("\n");
      pieces.push(first);
      for (const next of others) {
        const line = pieces.join("");
        pieces = [next];
        if (line.trim()) yield JSON.parse(line) as Value;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // a body that broke cannot be cancelled
  }
}
