/** The worker file that workerpool asks for: the functions, registered by name. */
import workerpool from "workerpool";
import { echo, noop, print, spin } from "./functions.ts";

workerpool.worker({ echo, noop, print, spin });
