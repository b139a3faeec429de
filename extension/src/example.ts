/** The file behind "Open an Example": a function, a thousand inputs, and one input in a hundred that fails. */
export const EXAMPLE = `// Click "Run on Burla" above \`score\`, and choose the exported array \`documents\` as its inputs.
// Then find the failed inputs in the results, and the line below that has thrown.

export const documents = Array.from({ length: 1000 }, (_, number) => "lorem ipsum ".repeat(number % 100));

export async function score(text: string): Promise<number> {
  const words = text.split(/\\s+/).filter((word) => word !== "");
  if (words.length === 0) throw new RangeError("empty document");
  console.log(\`\${words.length} words\`);
  await new Promise((resolve) => setTimeout(resolve, 20)); // Something that takes its time.
  return words.length;
}
`;
