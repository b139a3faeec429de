/**
 * Takes the archive with the programs, on a VM that has nothing yet: one file, no packages, small enough for the VM's
 * metadata. Whoever sends the bytes with the right hash may; nothing else is kept.
 *
 *     node receive.mjs ADDRESS PORT SHA256 FILE SECONDS
 */
import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const MAX_BYTES = 64 * 1024 * 1024;
const [address, port, wanted, file, seconds] = process.argv.slice(2);

const server = createServer((request, response) => {
  const answer = (status, text) => response.writeHead(status, { connection: "close" }).end(text);
  if (request.method !== "PUT" || request.url !== "/v1/programs") return void answer(404, "PUT /v1/programs");
  const parts = [];
  let bytes = 0;
  request.on("data", (part) => {
    bytes += part.byteLength;
    if (bytes > MAX_BYTES) return void request.destroy();
    parts.push(part);
  });
  request.on("end", () => {
    const archive = Buffer.concat(parts);
    if (createHash("sha256").update(archive).digest("hex") !== wanted) return void answer(400, "another hash is wanted");
    writeFileSync(`${file}.part`, archive, { mode: 0o600 });
    renameSync(`${file}.part`, file);
    response.on("finish", () => process.exit(0));
    answer(200, "thank you");
  });
});
server.requestTimeout = 10 * 60_000;
server.listen(Number(port), address);
setTimeout(() => process.exit(1), Number(seconds) * 1000);
process.on("SIGTERM", () => process.exit(1));
