/** The themes that every view is looked at in. */
export const THEMES = {
  light: { name: "Default Light Modern", className: "vs" },
  dark: { name: "Default Dark Modern", className: "vs-dark" },
  "high contrast": { name: "Default High Contrast", className: "hc-black" },
  "high contrast light": { name: "Default High Contrast Light", className: "hc-light" },
} as const;
export type Theme = keyof typeof THEMES;
