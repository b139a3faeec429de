/**
 * Owns the questions on which work waits. The editor's own message hides itself after some seconds, and its promise then
 * never settles: so a question stands until it is answered, in the message or wherever else it is shown, or until what
 * it asks for has happened by itself.
 */
import { unlessAborted } from "../unless-aborted.ts";

export interface Question {
  readonly text: string;
  /** What can be chosen, the first being what most people want. */
  readonly answers: readonly string[];
}

/** Shows the question once. @returns the answer, or undefined when the user has closed it. */
export type ShowQuestion = (question: Question, isModal: boolean) => PromiseLike<string | undefined>;

export interface Asking {
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
  /** Shows the question where the work is to be seen, and takes it away with null. Without it the question is modal: it would be seen nowhere else. */
  readonly onQuestion?: ((question: Question | null) => void) | undefined;
}

interface Open {
  readonly question: Question;
  readonly answered: Promise<string | undefined>;
  readonly settle: (answer: string | undefined) => void;
  waiting: number;
}

export class Questions {
  readonly #show: ShowQuestion;
  /** By their texts: who asks the same waits for the same answer. */
  readonly #open = new Map<string, Open>();

  constructor(show: ShowQuestion) {
    this.#show = show;
  }

  /**
   * @param over resolves when nobody need answer any more.
   * @returns the answer; undefined when the user has closed the question; null when it is over.
   * @throws the signal's reason.
   */
  async ask(question: Question, over: Promise<unknown>, { signal, onQuestion }: Asking): Promise<string | undefined | null> {
    const open = this.#open.get(question.text) ?? this.#begin(question, onQuestion === undefined);
    open.waiting++;
    onQuestion?.(question);
    try {
      return await unlessAborted(Promise.race([open.answered, over.then(() => null)]), signal);
    } finally {
      onQuestion?.(null);
      // An answer that comes later, from a message that the editor has put away, is for nobody.
      if (--open.waiting === 0 && this.#open.get(question.text) === open) this.#open.delete(question.text);
    }
  }

  /** An answer from where the question is shown. One that is not asked counts for nothing. */
  answer({ text }: Pick<Question, "text">, answer: string): void {
    const open = this.#open.get(text);
    if (open?.question.answers.includes(answer) === true) open.settle(answer);
  }

  #begin(question: Question, isModal: boolean): Open {
    let settle: Open["settle"] = () => undefined;
    const answered = new Promise<string | undefined>((resolve) => (settle = resolve));
    const open: Open = { question, answered, settle, waiting: 0 };
    this.#open.set(question.text, open);
    void Promise.resolve(this.#show(question, isModal)).then(settle, () => settle(undefined));
    return open;
  }
}
