export class EmulatorError extends Error {}
export interface Emulator {
  /** `host:port` for FIRESTORE_EMULATOR_HOST. */
  readonly host: string;
  readonly pid: number;
  stop(): Promise<void>;
}
export function findJar(): string | undefined;
export function ensureInstalled(): void;
export function startEmulator(port?: number): Promise<Emulator>;
