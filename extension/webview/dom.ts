/** Elements in one line. */

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** An element with attributes and what is in it. `false` leaves an attribute out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  made.append(...children);
  return made;
}

/** Sets an attribute, or takes it away. */
export function set(target: Element, name: string, value: string | number | boolean): void {
  if (value === false) target.removeAttribute(name);
  else target.setAttribute(name, value === true ? "" : String(value));
}

/** A button with a text. */
export function button(text: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

export function numberText(value: number): string {
  return value.toLocaleString("en-US");
}
