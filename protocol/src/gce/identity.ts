/** Which VM asks, by Google's signature. */
import * as v from "valibot";
import clients from "./clients.cjs";

export interface VmIdentity {
  readonly project: string;
  readonly zone: string;
  readonly name: string;
}

const claims = v.object({
  google: v.object({ compute_engine: v.object({ project_id: v.string(), zone: v.string(), instance_name: v.string() }) }),
});

export class IdentityCheck {
  readonly #audience: string;
  readonly #client;

  /** @param endpoint another API than Google's, which then has the keys too. */
  constructor(audience: string, endpoint: string | null) {
    this.#audience = audience;
    const certificates = endpoint === null ? {} : { oauth2FederatedSignonPemCertsUrl: `${endpoint}/oauth2/v1/certs`, oauth2FederatedSignonJwkCertsUrl: `${endpoint}/oauth2/v3/certs` };
    this.#client = new clients.OAuth2Client({ endpoints: certificates });
  }

  /** @returns null for what Google has not signed for this cluster, or not lately. */
  async vmOf(token: string): Promise<VmIdentity | null> {
    try {
      const ticket = await this.#client.verifyIdToken({ idToken: token, audience: this.#audience });
      const { google } = v.parse(claims, ticket.getPayload());
      const { project_id: project, zone, instance_name: name } = google.compute_engine;
      return { project, zone, name };
    } catch {
      return null;
    }
  }
}
