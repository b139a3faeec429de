declare const BURLA_VERSION: string | undefined;

/** Version of this package, put in when it is built. */
export const VERSION: string = typeof BURLA_VERSION === "string" ? BURLA_VERSION : "development";
