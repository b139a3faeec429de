export const help = () => "helped"; export const data = () => import("./m.mjs?dyn=1").then((m) => m.count());
