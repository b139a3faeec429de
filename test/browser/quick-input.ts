/** The box at the top of the window: the palette, quick picks and input boxes. */
import type { Locator, Page } from "playwright-core";

const ATTEMPTS = 8;
const ATTEMPT_TIMEOUT_MS = 3000;

export class QuickInput {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get box(): Locator {
    return this.#page.locator(".quick-input-widget");
  }

  get input(): Locator {
    return this.box.locator("input[type=text]");
  }

  /** Where what is typed is not shown. */
  get password(): Locator {
    return this.box.locator("input[type=password]");
  }

  /** What it asks for, or warns of. */
  get message(): Locator {
    return this.box.locator(".quick-input-message");
  }

  get rows(): Locator {
    return this.box.locator(".quick-input-list .monaco-list-row");
  }

  /** A row whose label is the text. */
  row(label: string | RegExp): Locator {
    const exact = typeof label === "string" ? new RegExp(`^\\s*${escape(label)}\\s*$`) : label;
    return this.rows.filter({ has: this.#page.locator(".monaco-icon-label-container .monaco-icon-name-container", { hasText: exact }) });
  }

  /** `>` and a title for a command; a name for a file. Keys that come while the window starts can be lost: tried again. */
  async openPalette(text: string): Promise<void> {
    await again("the palette does not open", async () => {
      await this.#page.keyboard.press("F1");
      await this.input.waitFor({ timeout: ATTEMPT_TIMEOUT_MS });
    });
    await this.input.fill(text);
  }

  /** Opens the palette and chooses. */
  async chooseInPalette(text: string, label: string | RegExp): Promise<void> {
    await this.#openWith(text, label);
    await this.choose(label);
  }

  /** @throws Error unless the palette has the row. */
  async offers(text: string, label: string | RegExp): Promise<void> {
    await this.#openWith(text, label);
    await this.dismiss();
  }

  /** What the palette offers is what was there when it opened: opened again while a window starts. */
  async #openWith(text: string, label: string | RegExp): Promise<void> {
    await again(`the palette does not offer ${label.toString()}`, async () => {
      await this.openPalette(text);
      try {
        await this.row(label).first().waitFor({ timeout: ATTEMPT_TIMEOUT_MS });
      } catch (error) {
        await this.dismiss();
        throw error;
      }
    });
  }

  /** Resolves when the row is gone: what opens next is of whoever was chosen. */
  async choose(label: string | RegExp): Promise<void> {
    const row = this.row(label).first();
    await row.click();
    await row.waitFor({ state: "hidden" });
  }

  /** Types into it, and accepts. */
  async answer(text: string): Promise<void> {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** The same where what is typed is not shown. */
  async answerHidden(text: string): Promise<void> {
    await this.password.fill(text);
    await this.password.press("Enter");
  }

  async dismiss(): Promise<void> {
    await this.input.press("Escape");
    await this.box.waitFor({ state: "hidden" });
  }
}

async function again(complaint: string, attempt: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (cause) {
      if (count === ATTEMPTS) throw new Error(complaint, { cause });
    }
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
