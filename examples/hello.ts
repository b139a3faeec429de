/** The smallest program: a function, its inputs, the results. */
import { remoteParallelMap } from "burla";

const greeting = "Hello";
const greetings = await remoteParallelMap((name: string) => `${greeting}, ${name}!`, ["Ada", "Grace", "Barbara"]).toArray();
console.log(greetings.join("\n"));
