/** An amount for people, such as `$0.134` or `$2.50`. */
export function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 3 : 2)}`;
}
