/** What becomes of errors: three ways to run a function that fails for some inputs. */
import { remoteParallelMap } from "burla";

const amounts = ["12.50", "7", "twelve", "3.99", ""];

function parseAmount(text: string): number {
  const amount = Number.parseFloat(text);
  if (Number.isNaN(amount)) throw new RangeError(`"${text}" is no amount`);
  return amount;
}

// By default the first failure cancels the job and is thrown here: the same class, with the index of its input.
try {
  await remoteParallelMap(parseAmount, amounts).toArray();
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  const { message, inputIndex } = error as RangeError & { inputIndex: number };
  console.log(`throw: input ${inputIndex}: ${message}`);
}

// "continue": every input runs, the results arrive, and the failures are thrown together after the last result.
let sum = 0;
try {
  for await (const amount of remoteParallelMap(parseAmount, amounts, { onError: "continue" })) sum += amount;
} catch (error) {
  if (!(error instanceof AggregateError)) throw error;
  console.log(`continue: sum ${sum.toFixed(2)}, ${error.errors.length} inputs failed`);
}

// settled(): what became of each input, as values. Nothing is thrown for an error of the function.
for await (const outcome of remoteParallelMap(parseAmount, amounts, { order: "input" }).settled()) {
  console.log(`settled: input ${outcome.index}`, outcome.status === "fulfilled" ? outcome.value : String(outcome.reason));
}
