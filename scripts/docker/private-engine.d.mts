export class PrivateEngine {
  constructor(dataMiB?: number);
  readonly host: string;
  readonly socketPath: string;
  start(): Promise<void>;
  answers(): Promise<boolean>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  freeze(): void;
  thaw(): void;
  fill(): () => void;
  dispose(): Promise<void>;
}
