/** Answers that are streamed: lines of JSON for as long as there are any. */

/** Reads on only as the client takes; a client that goes away ends the reading. */
export function streamOf(texts: AsyncGenerator<string>, abort: AbortController): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await texts.next();
      if (done === true) controller.close();
      else controller.enqueue(Buffer.from(value));
    },
    cancel: () => abort.abort(),
  });
}

/** With an empty line after each such time of silence: readers take an answer that is silent for minutes for broken off. */
export async function* withSignsOfLife(texts: AsyncGenerator<string>, everyMs: number): AsyncGenerator<string> {
  for (let next = texts.next(); ; ) {
    const result = await orSilence(next, everyMs);
    if (result === null) yield "\n";
    else if (result.done === true) return;
    else {
      yield result.value;
      next = texts.next();
    }
  }
}

async function orSilence<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<null>((resolve) => (timer = setTimeout(resolve, ms, null)));
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
