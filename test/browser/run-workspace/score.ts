import { basename } from "node:path";

/** A few documents. */
export const documents = [{ id: 1, text: "one" }, { id: 2, text: "one two" }];

export async function score(document: { id: number; text: string }): Promise<{ id: number; words: number }> {
  console.log("scoring", document.id);
  if (document.id % 100 === 42) {
    throw new RangeError(`no score for ${document.id}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
  return { id: document.id, words: document.text.split(" ").length };
}

export const double = (x: number) => x * 2;

export async function slow(x: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 40));
  return x;
}

console.log(basename("this is not sent"));
