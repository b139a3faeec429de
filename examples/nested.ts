/** A function on a worker may itself call remoteParallelMap: here a search in two steps, coarse and then fine. */
import { remoteParallelMap } from "burla";

/** The curve in which the highest point is wanted. */
const height = (x: number): number => Math.sin(3 * x) + Math.sin(7 * x) / 2 - (x - 2) ** 2 / 10;

interface Point {
  readonly x: number;
  readonly y: number;
}

const highest = (points: readonly Point[]): Point => points.reduce((best, point) => (point.y > best.y ? point : best));

/** Looks at twenty places of a stretch, each of which is a call of its own on the same cluster. */
async function searchStretch(start: number): Promise<Point> {
  const places = Array.from({ length: 20 }, (_, step) => start + step / 20);
  return highest(await remoteParallelMap((x: number) => ({ x, y: height(x) }), places).toArray());
}

const best = highest(await remoteParallelMap(searchStretch, [0, 1, 2, 3]).toArray());
console.log(`Highest near x = ${best.x.toFixed(2)}, where y = ${best.y.toFixed(3)}`);
