// Decorators of the standard, as esbuild compiles them.
import { nameOf, Entity, Traced } from "./register.mjs";
declare const check: (title: string, fn: (...args: never[]) => unknown, ...inputs: unknown[]) => void;

@Entity("of the standard")
class Standard {
  n = 1;
}
class Member {
  @Logged run() {
    return 1;
  }
}
function Logged(run: (this: Member) => number): (this: Member) => number {
  return function () {
    return 1 + run.call(this);
  };
}
check("a class decorator of the standard", () => nameOf(Standard));
check("a method decorator of the program's own", () => [new Member().run(), Traced.length], 0);
