enum Color { Red, Green = "g" }
namespace Tools { export const twice = (x: number) => x * 2; export namespace Deep { export const k = 3; } }
const enum Fixed { A = 4 }
function overloaded(x: string): string; function overloaded(x: number): number; function overloaded(x: unknown): unknown { return x; }
const satisfied = { a: 1 } satisfies Record<string, number>;
abstract class Base<T> { protected abstract make(): T; constructor(readonly tag = "t") {} get made(): T { return this.make(); } }
class Real extends Base<number[]> { declare extra: string; static readonly ONE = 1 as const; protected override make(): number[] { return [Real.ONE]; } accessor!: string; }
check("enum, namespace, overloads, satisfies", (x: number) => [Color.Red, Color.Green, Tools.twice(x), Tools.Deep.k, Fixed.A, overloaded(x), satisfied.a], 2);
check("generic classes", () => [new Real().made, new Real("q").tag], 0);
const generic = async <T,>(x: T): Promise<T[]> => [x];
check("generic arrow function", generic, 1);
const real = new Real("kept");
check("instance", () => [real.tag, real.made, real instanceof Base], 0);
using: { break using; }
const tuple: readonly [number, string?] = [1];
check("tuple and non-null", (x: number | undefined) => [tuple[0]!, x!], 5);
export default function named(x: number) { return x + tuple[0]; }
check("default export of the program", named, 5);
