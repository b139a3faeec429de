declare const BURLA_VERSION: string | undefined;
declare const BURLA_BUILD: string | undefined;

/** Version of this package, put in when it is built. */
export const VERSION: string = typeof BURLA_VERSION === "string" ? BURLA_VERSION : "development";

/** Hash of the services that this package carries: two packages of one version may differ while somebody works on them. */
export const BUILD: string = typeof BURLA_BUILD === "string" ? BURLA_BUILD : "development";
