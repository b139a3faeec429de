import type { CloudEstimate } from "./control/types.ts";

/** An amount for people, such as `$0.134` or `$2.50`. */
export function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 3 : 2)}`;
}

/** What a cluster costs in all, by which list, and what is not in it. */
export function totalPriceText({ prices, pricePerHour, maxPricePerHour, priceList }: Pick<CloudEstimate, "prices" | "pricePerHour" | "maxPricePerHour" | "priceList">): string {
  const full = maxPricePerHour > pricePerHour ? `, ${dollars(maxPricePerHour)} if there are no spot VMs` : "";
  const unknown = prices.some(({ perHour }) => perHour === null) ? ", and what the list does not know" : "";
  return `About ${dollars(pricePerHour)} per hour${full}${unknown}, by a list of ${priceList.date} for ${priceList.region}, without network traffic.`;
}
