/** `burla image` on engines that die and have no room. */
import { test } from "node:test";
import { IMAGE_FAULTS } from "./scenarios/image-faults.ts";

for (const { name, run } of IMAGE_FAULTS) test(name, async () => void (await run()));
