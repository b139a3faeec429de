import { fileURLToPath } from "node:url";
import { liveKernelContract } from "../contract/live-kernel.ts";
import { startSession } from "./session.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

for (const language of ["typescript", "javascript"] as const) {
  liveKernelContract(`the Node session for ${language}`, {
    start: () => startSession(folder, { language }),
    snippets: {
      print: 'console.log("out"); console.error("err");',
      value: "42",
      fail: 'throw new Error("boom")',
      keep: "var kept = 7",
      readKept: "kept",
      busy: 'console.log("on"); for (;;);',
      html: 'display.html("<b>rich</b>")',
    },
    survivesInterrupt: true,
  });
}
