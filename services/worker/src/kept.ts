import { decodeValues, encodeValues } from "@burla/protocol";

/**
 * A result as it is now. Results travel together, after further calls: one that the function uses again, such as a buffer
 * or an object that it fills anew for each input, would be sent with what the last of those calls left in it.
 */
export function kept(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return flatCopy(value) ?? deepCopy(value);
}

/** Most results are objects of a few numbers and texts, for which V8's way would take twenty times as long. */
function flatCopy(value: object): object | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const part = (value as Record<string, unknown>)[key];
    if ((typeof part === "object" && part !== null) || key === "__proto__") return undefined;
    copy[key] = part;
  }
  return copy;
}

function deepCopy(value: object): unknown {
  try {
    return decodeValues(encodeValues([value]))[0];
  } catch {
    // What cannot be copied is told when the results are sent.
    return value;
  }
}
