import { posix } from "node:path";
export const weight: number = 7;
export default function score(x: number): string { return posix.join("scored", String(x * weight)); }
export const score2 = (x: number): number => x + weight;
export class Scale { #by: number; constructor(by: number) { this.#by = by; } of(x: number): number { return this.#by * x; } }
export class Ruler { constructor(private readonly by: number) {} of(x: number): number { return this.by * x; } }
const hidden = { base: 2 };
export function makeHelper(k: number) { return (x: number) => x * k + hidden.base + weight + score2(1); }
