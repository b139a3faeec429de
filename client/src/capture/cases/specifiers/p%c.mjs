export const pc = 1; import { count } from "./m.mjs?v=9"; export { count as c9 }; export * from "./hel%20p.mjs"; export const c = () => [count(), count()];
