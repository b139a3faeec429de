export const inDir = (await import("../m.mjs?x#y")).count; export * from "../hel%20p.mjs";
