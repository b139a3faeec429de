/** `npm run scenario -- gce`: prints each fact as a line of JSON. */
import { runScenario } from "./scenario.ts";

await runScenario((fact) => console.log(JSON.stringify(fact)));
