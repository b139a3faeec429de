// esbuild puts private members of a class with decorators, and accessors, into WeakMaps.
function named(method: (this: Counter, step: number) => number, context: ClassMethodDecoratorContext) {
  return function (this: Counter, step: number): string {
    return `${String(context.name)}: ${method.call(this, step)}`;
  } as never;
}
class Counter {
  #count = 4;
  static #made = 0;
  accessor label = "counter";
  constructor() {
    Counter.#made++;
  }
  @named add(step: number): number {
    this.#count += step;
    return this.#count;
  }
  get made(): number {
    return Counter.#made;
  }
}
const counter = new Counter();
counter.add(2);
check("an instance with decorated private members", (step: number) => [counter.add(step), counter.label, counter.made], 1);
check("the class makes more of them", (step: number) => [new Counter().add(step), new Counter().label], 1);
declare function check(title: string, fn: (input: never) => unknown, ...inputs: unknown[]): void;
