/** Access tokens, and the signed identity of VMs. */
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

const KEY_ID = "emulator-key";
const HOUR_S = 3600;

export interface IdentityClaims {
  readonly audience: string;
  readonly email: string;
  readonly project: string;
  readonly zone: string;
  readonly instanceId: string;
  readonly instanceName: string;
}

export class Tokens {
  readonly #accounts = new Map<string, string>();
  readonly #key: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync("rsa", { modulusLength: 2048 });

  access(account: string): { access_token: string; expires_in: number; token_type: "Bearer" } {
    const token = `emulated.${randomBytes(24).toString("base64url")}`;
    this.#accounts.set(token, account);
    return { access_token: token, expires_in: HOUR_S - 1, token_type: "Bearer" };
  }

  /** Undefined when it is none of ours. */
  accountOf(authorization: string | undefined): string | undefined {
    return this.#accounts.get(authorization?.replace(/^Bearer /, "") ?? "");
  }

  /** Keys as `https://www.googleapis.com/oauth2/v3/certs` gives them. */
  jwks(): object {
    return { keys: [{ ...this.#key.publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "sig", alg: "RS256" }] };
  }

  /** Keys by their ids, PEM, as `https://www.googleapis.com/oauth2/v1/certs` gives certificates. */
  pems(): object {
    return { [KEY_ID]: this.#key.publicKey.export({ format: "pem", type: "spki" }) };
  }

  /** `format=full`. */
  identity({ audience, email, project, zone, instanceId, instanceName }: IdentityClaims): string {
    const issuedAt = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "https://accounts.google.com", aud: audience, azp: "1", sub: "1", email, email_verified: true, iat: issuedAt, exp: issuedAt + HOUR_S,
      google: { compute_engine: { project_id: project, project_number: 1, zone, instance_id: instanceId, instance_name: instanceName, instance_creation_timestamp: issuedAt } },
    };
    const text = [{ alg: "RS256", kid: KEY_ID, typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${createSign("RSA-SHA256").update(text).sign(this.#key.privateKey).toString("base64url")}`;
  }
}
