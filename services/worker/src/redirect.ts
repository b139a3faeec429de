/** Sees that what is written to descriptors 1 and 2 lands in files: a container starts its program with pipes. */
import { closeSync, fstatSync, openSync, statSync } from "node:fs";

/** To be called before anything is opened: a file takes the lowest number that is free, and so that of the pipe. */
export function redirectOutput(files: { readonly stdout: string; readonly stderr: string }): void {
  redirect(1, files.stdout);
  redirect(2, files.stderr);
}

function redirect(descriptor: number, path: string): void {
  const [now, wanted] = [fstatSync(descriptor), statSync(path)];
  if (now.ino === wanted.ino && now.dev === wanted.dev) return;
  closeSync(descriptor);
  const opened = openSync(path, "a");
  if (opened !== descriptor) throw new Error(`${path} was opened as descriptor ${opened} instead of ${descriptor}`);
}
