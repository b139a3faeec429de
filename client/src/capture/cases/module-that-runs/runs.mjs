import { weight } from "./weight.mjs";
export const score = (x) => x * weight;
check("a module that maps its own export while it loads", score, 3);
await null;
check("the same after an await", score, 3);
