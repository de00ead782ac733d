// Lines of JSON as they arrive.

/** Yields the value of each line of a body. Closing the generator cancels the body. */
export async function* jsonLines<Value>(body: ReadableStream<Uint8Array>): AsyncGenerator<Value> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pieces: string[] = []; // of a line whose end has not come; a picture's line comes in many
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = decoder.decode(value, { stream: !done }).split("\n");
      for (const line of lines.slice(0, -1)) {
        pieces.push(line);
        const whole = pieces.join("");
        pieces = [];
        if (whole.trim()) yield JSON.parse(whole) as Value;
      }
      pieces.push(lines.at(-1) ?? "");
      if (done) break;
    }
    // What stands behind the last line break is a line that was cut off: the stream broke.
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
