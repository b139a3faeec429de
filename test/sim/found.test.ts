/** Schedules that found a fault once, each under the name of the fault. */
import { test } from "node:test";
import { World } from "./world.ts";

const FOUND: readonly { seed: number; fault: string }[] = [
  { seed: 1, fault: "a node was taken as unused in the very turn in which it was assigned" },
  { seed: 19, fault: "nodes were released before the last inputs of their job were granted" },
  { seed: 112, fault: "nodes on their way to one job were counted for another" },
  { seed: 740, fault: "a node that was released made room for a job that did not get it" },
  { seed: 2765, fault: "a reader attached before its program was seen to be gone, and waited for inputs for ever" },
  { seed: 3538, fault: "a node that one tree gave away made room under a limit that nobody looked at" },
  { seed: 100103, fault: "the end of the inputs was taken down before chunks that had to be sent again" },
  { seed: 5507, fault: "a function on a draining node waited for a job whose limit counted the workers there" },
  { seed: 103628, fault: "a job that waited for its first input took turns with a job that had some" },
  { seed: 3019870, fault: "a node that was frozen twice heard things in another order: of the simulation itself" },
  { seed: 4009292, fault: "a part of a grant that had come back was waited for at its node, when the log had lost its end" },
  { seed: 10825, fault: "a function on a draining node waited for a job that fitted only there" },
];

for (const { seed, fault } of FOUND) test(`seed ${seed}: ${fault}`, () => new World(seed).run());
