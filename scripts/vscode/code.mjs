#!/usr/bin/env node
/** Stands in for the desktop's executable where none can be had: see stand-in.ts. */
import { register } from "tsx/esm/api";

register();
const { main } = await import("./stand-in.ts");
process.exit(await main(process.argv.slice(2)));
