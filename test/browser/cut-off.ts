/** Texts that a narrow or magnified page cuts off. */
import type { Locator } from "playwright-core";

/** What is used of the page: the tests are compiled without its types. */
interface PageElement {
  readonly tagName: string;
  readonly className: string;
  readonly textContent: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  getBoundingClientRect(): { readonly right: number };
  checkVisibility(): boolean;
  closest(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

/**
 * What of an element lies beyond its edge, or has more text than room.
 * @param exempt what scrolls by itself, or shows no text. The list of a choice shows its texts whole when it is opened.
 */
export function cutOffIn(root: Locator, exempt: string): Promise<string[]> {
  return root.evaluate((element, but) => {
    const whole = element as unknown as PageElement;
    const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: PageElement): { readonly display: string } };
    const edge = whole.getBoundingClientRect().right + 1;
    return [...whole.querySelectorAll("*")]
      .filter((part) => part.checkVisibility() && part.closest(but) === null)
      .filter((part) => part.getBoundingClientRect().right > edge || (part.tagName !== "SELECT" && part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline"))
      .map(({ tagName, className, textContent }) => `${tagName}.${className}: ${textContent.slice(0, 60)}`);
  }, exempt);
}

/** Widths in pixels and how often they are magnified: a narrow side bar, and half of a window at 200 %. */
export const NARROW = [[130, 1], [260, 2], [400, 1], [640, 1]] as const;
