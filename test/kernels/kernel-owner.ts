/** A program that owns a kernel and waits to be killed. It says the processes of kernel and host. */
import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { run, valueOf } from "../contract/live-kernel.ts";

const kernel = await startKernel(new KernelHost().endpoint, interpreter(process.argv[2] ?? ""));
const pids = String(valueOf(await run(kernel, "import os\n'%d %d' % (os.getpid(), os.getppid())"))).replaceAll("'", "").split(" ").map(Number);
process.stdout.write(`${JSON.stringify({ kernel: pids[0], host: pids[1] })}\n`);
