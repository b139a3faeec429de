/** Numbers of bytes, for people. */

/** Such as `512 B`, `4.0 KiB`, `12 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let amount = bytes / 1024;
  let at = 0;
  for (; amount >= 1024 && at < units.length - 1; at++) amount /= 1024;
  return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${units[at] ?? ""}`;
}
