/** The certificate that stands for a cluster: signed by itself, and pinned by whoever connects. */
import { generate } from "selfsigned";
import { MAIN_SERVER_NAME } from "./names.ts";

const YEARS = 10;

export interface Certificate {
  /** PEM. Its owner shows it to nobody. */
  readonly key: string;
  /** PEM. Public. */
  readonly certificate: string;
}

export async function createCertificate(now = new Date()): Promise<Certificate> {
  const until = new Date(now);
  until.setFullYear(until.getFullYear() + YEARS);
  const made = await generate([{ name: "commonName", value: MAIN_SERVER_NAME }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    // Clocks of two machines differ by some minutes.
    notBeforeDate: new Date(now.getTime() - 3_600_000),
    notAfterDate: until,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: MAIN_SERVER_NAME }] },
    ],
  });
  return { key: made.private, certificate: made.cert };
}
