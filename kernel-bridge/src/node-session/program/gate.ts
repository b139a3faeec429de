/** Where the main thread stands when it has heard an interrupt, until nothing that ends it by force is under way: see `doorman.ts`. */
export const GATE = { closed: 0, open: 1, left: 2 } as const;
