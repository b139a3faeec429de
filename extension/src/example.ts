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

const markdown = (id: string, text: string) => ({ cell_type: "markdown", id, metadata: {}, source: [text] });
const code = (id: string, text: string) => ({ cell_type: "code", id, metadata: {}, source: [text], execution_count: null, outputs: [] });

/** The notebook behind "Open an Example Notebook": it needs Python alone. */
export const EXAMPLE_NOTEBOOK = JSON.stringify({
  cells: [
    markdown("what", "# How long do queues get?\n\nRun the first cell as usual. Then click **Run Cell on Burla** in the toolbar of the second: its comprehension runs on the cluster, the rest of it here, and `longest` is a list of this notebook afterwards, as if it had run here."),
    code("simulate", `import random

def longest_queue(seed, customers=20_000):
    """The longest queue of a shop that is open for so many customers."""
    chance = random.Random(seed)
    queue = longest = 0
    for _ in range(customers):
        queue += chance.random() < 0.48
        queue -= queue > 0 and chance.random() < 0.5
        longest = max(longest, queue)
    return longest

longest_queue(1)`),
    code("map", `longest = [longest_queue(seed) for seed in range(500)]
print(f"of {len(longest)} days: {sum(longest) / len(longest):.1f} on average, {max(longest)} on the worst")`),
  ],
  metadata: { kernelspec: { display_name: "Python 3", language: "python", name: "python3" }, language_info: { name: "python" } },
  nbformat: 4,
  nbformat_minor: 5,
}, null, 1);
