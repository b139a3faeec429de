/** A wait that ends: the answer, or an error that says what did not come in time. */
import { BurlaError } from "@burla/protocol";

/** @throws BurlaError BURLA_KERNEL when `work` takes longer; what it does later is then nobody's concern. */
export async function within<T>(work: Promise<T>, timeoutMs: number, what: string, cure?: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${what} took more than ${timeoutMs / 1000} s`;
    timer = setTimeout(() => reject(new BurlaError("BURLA_KERNEL", message, cure === undefined ? {} : { cure })), timeoutMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
