/** The conversation of the runner with the program that evaluates inputs. Same Node on both sides: any value that can be cloned. */

/** The first message: what to import. */
export interface EvaluationRequest {
  readonly bundle: string;
  /** What the inputs are called in messages. */
  readonly label: string;
}

/** From then on `"next"` asks for more, and this is the answer. */
export type EvaluationAnswer =
  /** `of`: how many there are in all; null where only making them would tell. */
  | { readonly kind: "values"; readonly values: unknown[]; readonly of: number | null }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly message: string; readonly cure: string };
