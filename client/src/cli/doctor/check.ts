/** One line of `burla doctor`. */
export interface Finding {
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** How to mend it; empty when there is nothing to mend. */
  readonly cure: string;
}

export interface Check {
  readonly name: string;
  /** Never throws for what it is there to find. */
  readonly run: () => Finding | Promise<Finding>;
}

export function ok(detail: string): Finding {
  return { state: "ok", detail, cure: "" };
}

export function warn(detail: string, cure: string): Finding {
  return { state: "warn", detail, cure };
}

export function fail(detail: string, cure: string): Finding {
  return { state: "fail", detail, cure };
}
