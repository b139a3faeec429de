export { FirestoreFeed, type Counts, type FeedOptions } from "./feed/firestore-feed.ts";
export { JobControl, type FailedBatch, type JobProgress, type PrintedLines } from "./job-control.ts";
export { largeValuesOf, MainValues } from "./large-values.ts";
export { openStore, StorePool } from "./open-store.ts";
export * from "./port.ts";
export { stepTo } from "./sizing.ts";
export * from "./store.ts";
export { FirestoreWork, type WorkOptions } from "./work/firestore-work.ts";
