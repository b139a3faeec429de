import { readFileSync } from "node:fs";

/** Of the package, which names its images by it. */
export const { version: VERSION } = JSON.parse(readFileSync(new URL("../../../client/package.json", import.meta.url), "utf8")) as { version: string };
