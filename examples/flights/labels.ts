/** Puts short labels beside points so that none covers another. */

export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  /** Of the dot, in pixels. */
  readonly radius: number;
  readonly label: string;
}

export interface Label {
  readonly x: number;
  /** The baseline of the text. */
  readonly y: number;
  readonly label: string;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const characterWidth = 8;
const lineHeight = 11;

/** The first points have the first choice; a label for which no side is free is left out. */
export function placeLabels(points: readonly LabelledPoint[], wanted: number): Label[] {
  const taken = points.slice(0, wanted).map(dotBox);
  const labels: Label[] = [];
  for (const point of points.slice(0, wanted)) {
    const box = sides(point).find((side) => !taken.some((other) => overlap(side, other)));
    if (!box) continue;
    taken.push(box);
    labels.push({ x: box.left, y: box.bottom - 1.5, label: point.label });
  }
  return labels;
}

const dotBox = ({ x, y, radius }: LabelledPoint): Box => ({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius });

/** Where a label may stand, the best first: right, left, above, below. */
function sides({ x, y, radius, label }: LabelledPoint): Box[] {
  const width = label.length * characterWidth;
  const at = (left: number, top: number): Box => ({ left, top, right: left + width, bottom: top + lineHeight });
  const gap = radius + 2;
  return [at(x + gap, y - lineHeight / 2), at(x - gap - width, y - lineHeight / 2), at(x - width / 2, y - gap - lineHeight), at(x - width / 2, y + gap)];
}

const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
