/** Every id that the manifest and the code share. A test compares them both ways. */

export const COMMANDS = {
  showActions: "burla.showActions",
} as const;
export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];
